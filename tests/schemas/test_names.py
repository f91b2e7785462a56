"""What may be a name, and what the refusal says."""

import pytest

from craton_inv.schemas.names import group_name_fault, host_name_fault, name_fault


@pytest.mark.parametrize("name", ["web1", "web 1", "ünïcode", "日本", "a" * 512, "web1:2222", "a/b", "..", "all", "💥"])
def test_a_name_is_nearly_anything(name: str) -> None:
    assert name_fault(name) == ""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "blank"),
        (" \u00a0 ", "blank"),
        ("a" * 513, "512"),
        ("a\x00b", "U+0000"),
        ("a\nb", "U+000A"),
        ("a\x7fb", "U+007F"),
        ("a\u0085b", "U+0085"),
        ("a\u2028b", "U+2028"),
        ("a\ud800b", "U+D800"),
        ("a\u202eb", "U+202E"),
        ("a\u200fb", "U+200F"),
        ("a\u2066b", "U+2066"),
    ],
)
def test_a_name_reads_as_it_is_stored(name: str, words: str) -> None:
    assert words in name_fault(name)


@pytest.mark.parametrize("name", ["{{ x }}", "a{% if %}", "{# c #}"])
def test_a_host_name_holds_no_jinja(name: str) -> None:
    assert "Jinja" in host_name_fault(name)


@pytest.mark.parametrize("name", ["a{b}", "{ {x} }", "web[01:10]"])
def test_a_brace_alone_is_no_jinja(name: str) -> None:
    assert host_name_fault(name) == ""


@pytest.mark.parametrize("name", ["all", "_meta", "ungrouped", ".", "..", "a/b", "/", "a\\b", "C:\\x"])
def test_a_group_name_is_a_path_component(name: str) -> None:
    assert group_name_fault(name).startswith("Invalid group name")


@pytest.mark.parametrize("name", ["All", "all2", "...", ".hidden", "a.b", "c:x", "web-1", "ö" * 120])
def test_most_names_are_group_names(name: str) -> None:
    assert group_name_fault(name) == ""


def test_a_group_name_is_measured_in_bytes() -> None:
    assert "240 bytes" in group_name_fault("ö" * 121)

"""Variables as text: what is read, and every refusal with its reason."""

import pytest

from craton_inv.ansible.variables_text import parse_variables
from craton_inv.errors import InvalidField
from tests.processor_time import least


def refusal(text: str) -> str:
    with pytest.raises(InvalidField) as caught:
        parse_variables(text)
    assert list(caught.value.fields) == ["variables"]
    return caught.value.message


@pytest.mark.parametrize("text", ["", " \n", '""', "---", "{}", "# only a comment"])
def test_nothing_written_means_no_variables(text: str) -> None:
    assert parse_variables(text) == {}


def test_json_and_yaml_of_the_same_thing_are_equal() -> None:
    expected = {"a": 1, "b": [True, None, 1.5, "x"], "c": {"d": "é"}}
    assert parse_variables('{"a": 1, "b": [true, null, 1.5, "x"], "c": {"d": "é"}}') == expected
    assert parse_variables("---\na: 1\nb: [yes, ~, 1.5, x]\nc:\n  d: é\n") == expected


def test_a_date_stays_the_text_it_was_written_as() -> None:
    assert parse_variables("day: 2024-01-02") == {"day": "2024-01-02"}


def test_keys_become_text_as_json_writes_them() -> None:
    assert parse_variables("1: a\ntrue: b\n~: c\n") == {"1": "a", "true": "b", "null": "c"}


def test_vault_and_unsafe_values_are_kept_opaque() -> None:
    text = "secret: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\nraw: !unsafe '{{ x }}'\n"
    assert parse_variables(text) == {
        "secret": {"__ansible_vault": "$ANSIBLE_VAULT;1.1;AES256\n6162\n"},
        "raw": {"__ansible_unsafe": "{{ x }}"},
    }


def test_unsafe_on_a_list_holds_for_its_strings() -> None:
    assert parse_variables("raw: !unsafe [a, 1]") == {"raw": [{"__ansible_unsafe": "a"}, 1]}


def test_merge_keys_yield_to_own_keys_and_earlier_ones_win() -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {x: 2, z: 2}\nc:\n  <<: [*a, *b]\n  y: 3\n"
    assert parse_variables(text)["c"] == {"x": 1, "y": 3, "z": 2}


def test_neither_json_nor_yaml_is_refused_in_awx_s_words() -> None:
    message = refusal("a: [")
    assert message.startswith(
        "Cannot parse as JSON (error: Expecting value: line 1 column 1 (char 0)) or YAML (error: "
    )


@pytest.mark.parametrize(("text", "kind"), [("[1]", "list"), ("just words", "str"), ("3", "int")])
def test_what_is_no_mapping_is_refused(text: str, kind: str) -> None:
    assert f"Input type `{kind}` is not a dictionary" in refusal(text)


def test_an_alias_bomb_is_refused_at_once() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    assert "more than 100000 values" in refusal("\n".join(rows))
    assert least(lambda: refusal("\n".join(rows)), 1) < 1


@pytest.mark.parametrize("text", ["a: &a [*a]", "a: &a\n  <<: *a\n"])
def test_an_alias_that_holds_itself_is_refused(text: str) -> None:
    assert "refers to what contains it" in refusal(text)


@pytest.mark.parametrize("depth", [100, 500, 5000])
def test_deep_nesting_is_refused_in_json_and_yaml(depth: int) -> None:
    assert "Nested deeper than 64" in refusal('{"a":' + "[" * depth + "]" * depth + "}")
    assert "Nested deeper than 64" in refusal("a: " + "[" * depth + "]" * depth)


def test_64_levels_are_fine() -> None:
    assert parse_variables("a: " + "[" * 63 + "]" * 63)


@pytest.mark.parametrize(
    "text",
    [
        "a: !!python/object/apply:os.system [id]",
        "a: !!python/name:os.system",
        "a: !!set {x}",
        "a: !!binary aGk=",
        "a: !lookup x",
        "!!python/object:os.x {}",
    ],
)
def test_other_tags_are_refused(text: str) -> None:
    assert "could not determine a constructor for the tag" in refusal(text)


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', "a: 1\na: 2\n", "1: x\n'1': y\n"])
def test_a_key_that_appears_twice_is_refused(text: str) -> None:
    assert "appears twice" in refusal(text)


@pytest.mark.parametrize("text", ['{"a": NaN}', '{"a": -Infinity}', '{"a": 1e999}', "a: .nan", "a: .inf"])
def test_numbers_that_json_cannot_hold_are_refused(text: str) -> None:
    assert "number" in refusal(text)


@pytest.mark.parametrize("text", ['{"a": ' + "9" * 5000 + "}", '{"a": ' + "9" * 400 + "}", "a: " + "9" * 5000])
def test_huge_integers_are_refused(text: str) -> None:
    message = refusal(text)
    assert "308 digits" in message or "400 characters" in message


@pytest.mark.parametrize("text", ['{"a": {"b": ["\\u0000"]}}', 'a: {b: ["\\0"]}'])
def test_nul_is_refused_with_a_pointer(text: str) -> None:
    assert refusal(text) == "The value at /a/b/0 contains the character NUL, which cannot be stored."


@pytest.mark.parametrize("text", ['{"a": "\\ud800"}', '{"\\udc00": 1}', "a: \ud800"])
def test_half_a_surrogate_pair_is_refused(text: str) -> None:
    assert "surrogate" in refusal(text)


def test_a_list_as_key_is_refused() -> None:
    assert "keys must be text or numbers" in refusal("? [a]\n: 1\n")


def test_a_value_that_is_not_what_its_tag_says_is_refused() -> None:
    assert "is not what its tag" in refusal("a: !!int abc")

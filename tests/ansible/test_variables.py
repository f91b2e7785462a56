"""Names Ansible takes, who wins among layers, attributes, columns, and values that are never templates."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from craton_inv.ansible.variables import as_unsafe, host_variables, is_variable_name, merge, with_attributes
from craton_inv.ansible.view import HostRow


def host(variables: str, *, plain: bool = True, ip_address: str | None = None) -> HostRow:
    """A host with these variables."""
    return HostRow(1, "h", True, variables, plain, ip_address)


@pytest.mark.parametrize("key", ["a", "_a", "A1", "ansible_host", "nothing", "trueish"])
def test_letters_digits_and_underscores_make_a_name(key: str) -> None:
    assert is_variable_name(key)


@pytest.mark.parametrize("key", ["", "1a", "a.b", "a-b", "a b", "ä", "a\n", "true", "None", "not"])
def test_what_ansible_or_jinja_reads_as_something_else_is_no_name(key: str) -> None:
    assert not is_variable_name(key)


def test_the_later_layer_replaces_a_key_whole() -> None:
    assert merge({"a": {"x": 1}, "b": 1}, {"a": {"y": 2}}, {}) == {"a": {"y": 2}, "b": 1}


def test_keys_that_are_no_names_move_below_craton_attributes() -> None:
    assert with_attributes({"a": 1, "asset.serial": "X"}) == {"a": 1, "craton_attributes": {"asset.serial": "X"}}


def test_variables_without_odd_keys_get_no_attributes() -> None:
    assert with_attributes({"a": 1}) == {"a": 1}


def test_a_mapping_stored_as_craton_attributes_is_completed() -> None:
    stored = {"craton_attributes": {"k": 1, "a.b": 0}, "a.b": 2}
    assert with_attributes(stored) == {"craton_attributes": {"k": 1, "a.b": 2}}


def test_another_value_stored_as_craton_attributes_gives_way() -> None:
    assert with_attributes({"craton_attributes": "text", "a.b": 2}) == {"craton_attributes": {"a.b": 2}}


def test_the_ip_address_is_ansible_host() -> None:
    assert host_variables(host("{}", ip_address="192.0.2.1")).parsed() == {"ansible_host": "192.0.2.1"}


def test_a_variable_ansible_host_wins_over_the_ip_address() -> None:
    row = host('{"ansible_host": "other"}', ip_address="192.0.2.1")
    assert host_variables(row).parsed() == {"ansible_host": "other"}


def test_what_is_added_wins_over_a_variable_of_the_host() -> None:
    text = host_variables(host('{"remote_tower_id": 5, "a": 1}'), {"remote_tower_id": 7})
    assert text.parsed() == {"remote_tower_id": 7, "a": 1}
    assert text.count("remote_tower_id") == 1


keys = st.one_of(st.sampled_from(["a", "ansible_host", "a.b", "true", "craton_attributes"]), st.text(max_size=4))
values = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists, max_leaves=4)


@given(st.dictionaries(keys, values, max_size=4), st.none() | st.just("192.0.2.1"), st.booleans())
def test_copying_the_text_gives_what_parsing_it_gives(own: dict[str, Any], ip: str | None, extra: bool) -> None:
    added = {"remote_tower_id": 7} if extra else {}
    columns = {"ansible_host": ip} if ip else {}
    expected = {**columns, **with_attributes(own), **added}
    plain = all(map(is_variable_name, own))
    text = json.dumps(own, ensure_ascii=False)
    assert host_variables(host(text, plain=plain, ip_address=ip), added).parsed() == expected


def test_templates_of_untrusted_values_are_marked_at_every_depth() -> None:
    value = {"a": ["{{ lookup('pipe', 'id') }}", "plain"], "b": {"c": "{% if x %}"}, "d": 1}
    marked = {"a": [{"__ansible_unsafe": "{{ lookup('pipe', 'id') }}"}, "plain"],
              "b": {"c": {"__ansible_unsafe": "{% if x %}"}}, "d": 1}  # fmt: skip
    assert as_unsafe(value) == marked

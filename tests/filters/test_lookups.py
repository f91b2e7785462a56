"""The lookups: each refuses the kinds it does not serve."""

import pytest

from craton_inv.errors import InvalidFilter
from craton_inv.filters import validate
from craton_inv.filters.lookups import LOOKUPS, OPERATORS
from tests.filters.world import Host

FIELDS = {
    "text": ("name", "a"),
    "integer": ("id", "1"),
    "boolean": ("enabled", "true"),
    "timestamp": ("created", "2024-01-01"),
    "address": ("ip_address", "10.0.0.1"),
    "json": ("ansible_facts__a", "1"),
    "relation": ("groups", "1"),
}


def test_every_operator_is_a_lookup() -> None:
    assert set(OPERATORS.values()) <= set(LOOKUPS)


@pytest.mark.parametrize("kind", FIELDS)
@pytest.mark.parametrize("name", sorted(set(LOOKUPS) - {"search"}))
def test_a_lookup_serves_the_kinds_it_names_and_no_other(name: str, kind: str) -> None:
    path, value = FIELDS[kind]
    text = f"{path}__{name}={'true' if name == 'isnull' else value}"
    if kind in LOOKUPS[name].kinds:
        validate(text, Host)
    else:
        with pytest.raises(InvalidFilter):
            validate(text, Host)

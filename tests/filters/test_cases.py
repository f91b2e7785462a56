"""Rings 1 and 2 over AWX's strings: what each is read as, and which values its SQL binds."""

import pytest
from sqlalchemy.dialects.postgresql import asyncpg

from craton_inv.errors import InvalidFilter
from craton_inv.filters import compile_where, parse, validate
from craton_inv.filters.nodes import to_text
from craton_inv.models import Host
from tests.filters.cases import AWX, CASES, Case

READ = [case for case in CASES if case.read]
COMPILED = [case for case in READ if not case.refused]


def test_every_string_of_awxs_tests_has_its_row() -> None:
    assert len(AWX) == 51
    assert len({case.text for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", READ, ids=lambda case: case.text[:60])
def test_a_string_is_read_as_the_filter_it_means(case: Case) -> None:
    assert to_text(parse(case.text)) == case.read


@pytest.mark.parametrize("case", [case for case in CASES if not case.read], ids=lambda case: case.text[:60])
def test_a_string_that_is_no_filter_is_refused_by_the_reader(case: Case) -> None:
    with pytest.raises(InvalidFilter) as caught:
        parse(case.text)
    assert caught.value.message.startswith(case.refused)


@pytest.mark.parametrize("case", COMPILED, ids=lambda case: case.text[:60])
def test_a_filter_binds_its_values(case: Case) -> None:
    bound = compile_where(parse(case.text), Host).compile(dialect=asyncpg.dialect()).params
    assert sorted(map(str, bound.values())) == sorted(case.bound)


@pytest.mark.parametrize("case", [case for case in READ if case.refused], ids=lambda case: case.text[:60])
def test_a_filter_of_unknown_or_secret_fields_is_refused_when_it_is_saved(case: Case) -> None:
    with pytest.raises(InvalidFilter) as caught:
        validate(case.text, Host)
    assert caught.value.message.startswith(case.refused)

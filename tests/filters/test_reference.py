"""The filter language and the parameters of lists against a second, independent reading of their specification."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.filters.cases import CASES, Case
from tests.filters.reference.agreement import HOST_FILTER, PARAMETERS, disagreements, misreadings
from tests.filters.reference.grammar import Refused, read


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.text[:60])
def test_the_reference_reads_the_strings_of_awx(case: Case) -> None:
    if case.read:
        assert read(case.text) == read(case.read)
    else:
        with pytest.raises(Refused):
            read(case.text)


async def test_sql_and_reference_agree_on_some_hundred_filters(engine: AsyncEngine) -> None:
    assert await disagreements(engine, HOST_FILTER, seed=1, questions=240) == []


async def test_sql_and_reference_agree_on_the_parameters_of_a_hundred_requests(engine: AsyncEngine) -> None:
    assert await disagreements(engine, PARAMETERS, seed=1, questions=100) == []


def test_both_readers_take_the_same_slips_of_the_pen() -> None:
    assert misreadings(seed=1, questions=500) == []


@pytest.mark.full
async def test_sql_and_reference_agree_on_20_000_filters(engine: AsyncEngine) -> None:
    found = [
        told
        for seed in range(1000, 1100)
        for told in await disagreements(engine, HOST_FILTER, seed=seed, questions=200)
    ]
    assert found == []


@pytest.mark.full
async def test_sql_and_reference_agree_on_the_parameters_of_5_000_requests(engine: AsyncEngine) -> None:
    found = [
        told for seed in range(2000, 2025) for told in await disagreements(engine, PARAMETERS, seed=seed, questions=200)
    ]
    assert found == []


@pytest.mark.full
def test_both_readers_take_the_same_of_20_000_slips_of_the_pen() -> None:
    assert [told for seed in range(3000, 3010) for told in misreadings(seed, questions=2000)] == []

"""The filter language and the parameters of lists against a second, independent reading of their specification."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.filters.reference.agreement import HOST_FILTER, PARAMETERS, disagreements


async def test_sql_and_reference_agree_on_some_hundred_filters(engine: AsyncEngine) -> None:
    assert await disagreements(engine, HOST_FILTER, seed=1, questions=300) == []


async def test_sql_and_reference_agree_on_the_parameters_of_a_hundred_requests(engine: AsyncEngine) -> None:
    assert await disagreements(engine, PARAMETERS, seed=1, questions=100) == []


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

"""The filter language against a second, independent reading of its specification."""

import logging

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.filters.reference.agreement import disagreements

log = logging.getLogger(__name__)


async def test_sql_and_reference_agree_on_some_hundred_filters(engine: AsyncEngine) -> None:
    assert await disagreements(engine, seed=1, filters=300) == []


@pytest.mark.full
async def test_sql_and_reference_agree_on_20_000_filters(engine: AsyncEngine) -> None:
    found = [told for seed in range(1000, 1100) for told in await disagreements(engine, seed, filters=210)]
    assert found == []

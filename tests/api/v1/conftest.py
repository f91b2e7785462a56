"""Small helpers for the routes of /v1."""

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from craton_inv.models import Region
from tests.api.v2.conftest import Statements
from tests.factories import make_region


@pytest.fixture
async def region(session: AsyncSession) -> Region:
    """A region, in a tenant of its own, with its inventory."""
    return await make_region(session)


@pytest.fixture
def statements(engine: AsyncEngine) -> Statements:
    """A recorder of statements."""
    return Statements(engine)


def link(answer: httpx.Response, rel: str) -> str | None:
    """A link of a list."""
    return next((each["href"] for each in answer.json()["links"] if each["rel"] == rel), None)

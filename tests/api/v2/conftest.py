"""Small helpers for the routes of /v2."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from craton_inv.models import Inventory
from tests.factories import make_inventory


@pytest.fixture
async def inventory(session: AsyncSession) -> Inventory:
    """An inventory in an organization of its own."""
    return await make_inventory(session)


class Statements:
    """Counts the statements that the tests' engine runs."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    @contextmanager
    def recorded(self) -> Iterator[list[str]]:
        """The statements that run inside the block, without savepoints and transaction control."""
        seen: list[str] = []

        def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
            if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
                seen.append(statement)

        event.listen(self.engine.sync_engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(self.engine.sync_engine, "before_cursor_execute", note)


@pytest.fixture
def statements(engine: AsyncEngine) -> Statements:
    """A recorder of statements."""
    return Statements(engine)

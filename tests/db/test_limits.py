"""Statements held to their time inside a transaction that goes on without them."""

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.db.limits import within, within_at_the_end

WAYS = pytest.mark.parametrize("way", [within, within_at_the_end])


async def timeout_of(session: AsyncSession) -> str:
    """The limit that holds now."""
    return str(await session.scalar(select(func.current_setting("statement_timeout"))))


@WAYS
async def test_the_limit_holds_in_the_block_alone(session: AsyncSession, way) -> None:  # type: ignore[no-untyped-def]
    before = await timeout_of(session)
    async with way(session, 1.5):
        assert await timeout_of(session) == "1500ms"
        async with way(session, 0.5):
            assert await timeout_of(session) == "500ms"
    assert await timeout_of(session) == before


@WAYS
async def test_what_takes_too_long_is_undone_and_the_rest_goes_on(  # type: ignore[no-untyped-def]
    session: AsyncSession, way
) -> None:
    before = await timeout_of(session)
    await session.execute(text("INSERT INTO tenants (name) VALUES ('kept')"))

    async def too_long() -> None:
        async with way(session, 0.05):
            await session.execute(text("INSERT INTO tenants (name) VALUES ('undone')"))
            await session.execute(select(func.pg_sleep(5)))

    with pytest.raises(DBAPIError, match="statement timeout"):
        await too_long()
    names = await session.scalars(text("SELECT name FROM tenants WHERE name IN ('kept', 'undone')"))
    assert [*names] == ["kept"]
    assert await timeout_of(session) == before

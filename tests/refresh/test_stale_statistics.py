"""A refresh into tables whose statistics know nothing of its inventory yet."""

from sqlalchemy import text

from craton_inv.db.session import unit_of_work
from tests.refresh.world import World, document

COUNT = 20_000


def delivery(value: int) -> dict[str, object]:
    names = [f"h{n}" for n in range(COUNT)]
    return document({name: {"v": value} for name in names}, {"a": names})


async def test_a_second_inventory_takes_no_joins_row_by_row(world: World) -> None:
    # Expecting a handful of rows, the planner would compare every saved row with every staged one: 20 s and more.
    await world.refresh(delivery(1))
    async with unit_of_work(world.factory) as session:
        await session.execute(text("ANALYZE hosts, host_sources, memberships"))
    other = await World.make(world.engine)
    async with world.engine.connect() as connection:
        before = await connection.scalar(text("SHOW enable_nestloop"))
    counts = await other.refresh(delivery(1), statement_timeout=8)
    assert counts["hosts"].created == COUNT
    async with world.engine.connect() as connection:
        assert await connection.scalar(text("SHOW enable_nestloop")) == before

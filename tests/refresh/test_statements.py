"""The number of statements of a refresh depends on its collections, never on its rows."""

from benchmarks.common import statement_counter

from tests.refresh.world import World, document


def delivery(count: int, value: int = 0) -> dict[str, object]:
    names = [f"h{n}" for n in range(count)]
    return document({name: {"v": value} for name in names}, {"a": names, "b": names[::2], "c": {"children": ["a"]}})


async def counted(world: World, delivered: dict[str, object]) -> int:
    with statement_counter(world.engine) as statements:
        await world.refresh(delivered)
    return statements.count


async def test_a_first_refresh_takes_as_many_statements_for_ten_hosts_as_for_a_thousand(world: World) -> None:
    """Given nothing yet, when ten or a thousand hosts come, then the statements are as many."""
    few = await World.make(world.engine)
    await few.source()
    await world.source()
    assert await counted(few, delivery(10)) == await counted(world, delivery(1000))


async def test_a_changing_and_deleting_refresh_takes_as_many_for_few_rows_as_for_many(world: World) -> None:
    few = await World.make(world.engine)
    await few.refresh(delivery(40))
    await world.refresh(delivery(1000))
    assert await counted(few, delivery(30, value=1)) == await counted(world, delivery(700, value=1))

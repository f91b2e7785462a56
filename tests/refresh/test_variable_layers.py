"""Variables: a layer per source, the last writer wins per key, keys leave with their source."""

from tests.refresh.world import World, document, written


async def test_a_key_leaves_when_its_source_stops_sending_it(world: World) -> None:
    await world.refresh(document({"h": {"a": 1, "b": 2}}))
    await world.refresh(document({"h": {"a": 1}}))
    assert await world.hosts() == {"h": {"a": 1}}


async def test_a_key_that_another_source_has_returns_to_its_value(world: World) -> None:
    await world.refresh(document({"h": {"a": "one"}}), source="first")
    await world.refresh(document({"h": {"a": "two", "b": 2}}), source="second")
    assert await world.hosts() == {"h": {"a": "two", "b": 2}}
    await world.refresh(document({"h": {"b": 2}}), source="second")
    assert await world.hosts() == {"h": {"a": "one", "b": 2}}


async def test_the_last_source_to_refresh_wins_a_key(world: World) -> None:
    await world.refresh(document({"h": {"a": "one"}}), source="first")
    await world.refresh(document({"h": {"a": "two"}}), source="second")
    await world.refresh(document({"h": {"a": "one"}}), source="first")
    assert await world.hosts() == {"h": {"a": "one"}}


async def test_hand_made_keys_stay_without_overwrite_vars(world: World) -> None:
    await world.refresh(document({"h": {"a": 1}}))
    await world.set_variables("h", {"a": 1, "mine": True})
    await world.refresh(document({"h": {"a": 2}}))
    assert await world.hosts() == {"h": {"a": 2, "mine": True}}


async def test_overwrite_vars_drops_hand_made_keys_and_keeps_those_of_other_sources(world: World) -> None:
    await world.refresh(document({"h": {"theirs": 1}}), source="other")
    await world.refresh(document({"h": {"a": 1}}))
    await world.set_variables("h", {"a": 1, "theirs": 1, "mine": True})
    await world.refresh(document({"h": {"a": 1}}), replace=True)
    assert await world.hosts() == {"h": {"a": 1, "theirs": 1}}


async def test_a_second_refresh_with_overwrite_vars_writes_nothing(world: World) -> None:
    await world.refresh(document({"h": {"theirs": 1}}), source="other")
    await world.refresh(document({"h": {"a": 1}}, {"g": {"hosts": ["h"], "vars": {"x": 1}}}), replace=True)
    counts = await world.refresh(document({"h": {"a": 1}}, {"g": {"hosts": ["h"], "vars": {"x": 1}}}), replace=True)
    assert written(counts) == 0


async def test_a_value_changed_by_hand_goes_back_to_the_source_s(world: World) -> None:
    await world.refresh(document({"h": {"a": 1}}))
    await world.set_variables("h", {"a": "by hand"})
    await world.refresh(document({"h": {"a": 1}}))
    assert await world.hosts() == {"h": {"a": 1}}


async def test_a_key_changed_by_hand_stays_when_its_source_stops_sending_it(world: World) -> None:
    await world.refresh(document({"h": {"a": 1, "b": 1}}))
    await world.set_variables("h", {"a": "by hand", "b": 1})
    await world.refresh(document({"h": {"b": 1}}))
    assert await world.hosts() == {"h": {"a": "by hand", "b": 1}}


async def test_text_written_by_hand_stays_byte_for_byte_until_a_refresh_changes_it(world: World) -> None:
    await world.refresh(document({"h": {"a": 1}}))
    await world.set_variables("h", {"a": 1})
    await world.refresh(document({"h": {"a": 1}}))
    assert (await world.host("h")).variables_text == "by hand"
    await world.refresh(document({"h": {"a": 2}}))
    assert (await world.host("h")).variables_text == '{"a": 2}'


async def test_nested_values_are_replaced_whole(world: World) -> None:
    await world.refresh(document({"h": {"net": {"a": 1, "b": 1}, "list": [1, 2]}}))
    await world.refresh(document({"h": {"net": {"a": 1}, "list": [1]}}))
    assert await world.hosts() == {"h": {"net": {"a": 1}, "list": [1]}}


async def test_group_variables_follow_the_same_rules(world: World) -> None:
    await world.refresh(document(["h"], {"g": {"hosts": ["h"], "vars": {"a": 1, "b": 2}}}))
    await world.refresh(document(["h"], {"g": {"hosts": ["h"], "vars": {"a": 2}}}))
    assert await world.groups() == {"g": {"a": 2}}


async def test_inventory_variables_leave_with_the_source_that_sent_them(world: World) -> None:
    await world.refresh(document(["h"], inventory={"a": 1, "shared": "first"}), source="first")
    await world.refresh(document(["h"], inventory={"shared": "second"}), source="second")
    assert (await world.inventory()).variables == {"a": 1, "shared": "second"}
    await world.refresh(document(["h"]), source="second")
    assert (await world.inventory()).variables == {"a": 1, "shared": "first"}


async def test_overwrite_vars_leaves_hand_made_inventory_variables(world: World) -> None:
    await world.refresh(document(["h"], inventory={"a": 1}))
    async with world.factory() as session:
        inventory = await session.get_one(type(await world.inventory()), world.inventory_id)
        inventory.variables = {"a": 1, "mine": 2}
        await session.commit()
    await world.refresh(document(["h"], inventory={"a": 3}), replace=True)
    assert (await world.inventory()).variables == {"a": 3, "mine": 2}

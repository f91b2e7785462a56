"""The saver's rules on the standard collections: given what is stored, when a source delivers, then."""

import asyncio
import json

import pytest
from sqlalchemy import select

from craton_inv.db.session import unit_of_work
from craton_inv.errors import UpdateFailed
from craton_inv.models import HostLabel, Inventory, Label, Tenant
from craton_inv.providers.ansible_json import HostRules
from tests.factories import add_member, make_group, make_host, make_label
from tests.refresh.world import World, document

WEB = document({"web1": {"a": 1}, "web2": {"a": 2}}, {"web": ["web1", "web2"]}, {"dns": "x"})


async def test_a_first_refresh_makes_hosts_groups_and_memberships(world: World) -> None:
    counts = await world.refresh(WEB)
    assert await world.hosts() == {"web1": {"a": 1}, "web2": {"a": 2}}
    assert await world.memberships() == {("web", "web1"), ("web", "web2")}
    assert (await world.inventory()).variables == {"dns": "x"}
    assert (counts["hosts"].created, counts["groups"].created, counts["memberships"].created) == (2, 1, 2)


async def test_rows_of_a_refresh_are_imported_and_not_manual(world: World) -> None:
    await world.refresh(WEB)
    host = await world.host("web1")
    assert (host.description, host.manual, host.enabled) == ("imported", False, True)
    assert json.loads(host.variables_text) == {"a": 1}


async def test_only_the_changed_host_is_written(world: World) -> None:
    await world.refresh(WEB)
    before = dict(await world.row_versions())["hosts"]
    counts = await world.refresh(
        document({"web1": {"a": 9}, "web2": {"a": 2}}, {"web": ["web1", "web2"]}, {"dns": "x"})
    )
    after = dict(await world.row_versions())["hosts"]
    assert (counts["hosts"].updated, len(set(after) - set(before))) == (1, 1)
    assert (await world.hosts())["web1"] == {"a": 9}


async def test_what_is_no_longer_delivered_goes_with_overwrite(world: World) -> None:
    await world.refresh(WEB)
    counts = await world.refresh(document({"web1": {"a": 1}}, {"db": ["web1"]}))
    assert set(await world.hosts()) == {"web1"}
    assert set(await world.groups()) == {"db"}
    assert await world.memberships() == {("db", "web1")}
    assert counts["hosts"].deleted == 1


async def test_a_refresh_keeps_labels_and_takes_those_of_deleted_hosts_along(world: World) -> None:
    await world.refresh(document({"a": {}, "b": {}}))
    async with unit_of_work(world.factory) as session:
        tenant = await session.get_one(Tenant, world.tenant_id)
        a, b = await world.host("a"), await world.host("b")
        await make_label(session, "kept", tenant=tenant, on=[a, b])
        await make_label(session, "gone", tenant=tenant, on=[b])
    await world.refresh(document({"a": {"changed": 1}}))
    async with world.factory() as session:
        query = select(Label.name, HostLabel.host_id).join(HostLabel, HostLabel.label_id == Label.id)
        assert (await session.execute(query.where(Label.tenant_id == world.tenant_id))).all() == [("kept", a.id)]
        names = await session.scalars(select(Label.name).where(Label.tenant_id == world.tenant_id))
        assert list(names) == ["kept"]


async def test_nothing_goes_without_overwrite(world: World) -> None:
    await world.refresh(WEB)
    await world.refresh(document({"web1": {"a": 1}}, {"db": ["web1"]}), delete=False)
    assert set(await world.hosts()) == {"web1", "web2"}
    assert await world.memberships() == {("web", "web1"), ("web", "web2"), ("db", "web1")}


async def test_a_row_made_by_hand_is_never_deleted(world: World) -> None:
    async with unit_of_work(world.factory) as session:
        inventory = await session.get_one(Inventory, world.inventory_id)
        host = await make_host(session, "mine", inventory=inventory)
        await add_member(session, await make_group(session, "ours", inventory=inventory), host)
    await world.refresh(document({"mine": {"a": 1}, "other": {}}, {"ours": ["mine"]}))
    await world.refresh(document(["other"]))
    assert set(await world.hosts()) == {"mine", "other"}
    assert await world.memberships() == {("ours", "mine")}


async def test_a_host_of_two_sources_goes_with_the_second(world: World) -> None:
    await world.refresh(document({"shared": {"one": 1}, "own": {}}), source="first")
    await world.refresh(document({"shared": {"two": 2}, "own2": {}}), source="second")
    await world.refresh(document(["own"]), source="first")
    assert await world.hosts() == {"own": {}, "own2": {}, "shared": {"two": 2}}
    await world.refresh(document(["own2"]), source="second")
    assert set(await world.hosts()) == {"own", "own2"}


async def test_a_membership_of_two_sources_goes_with_the_second(world: World) -> None:
    both = document(["a", "b"], {"g": ["a", "b"]})
    less = document(["a", "b"], {"g": ["a"]})
    await world.refresh(both, source="first")
    await world.refresh(both, source="second")
    await world.refresh(less, source="first")
    assert ("g", "b") in await world.memberships()
    await world.refresh(less, source="second")
    assert await world.memberships() == {("g", "a")}


async def test_nesting_follows_the_delivery_and_cycles_do_no_harm(world: World) -> None:
    groups = {"a": {"children": ["b"]}, "b": {"children": ["c", "b"]}, "c": {"children": ["a"]}}
    await world.refresh(document(["h"], groups))
    assert await world.edges() == {("a", "b"), ("b", "c"), ("c", "a")}
    await world.refresh(document(["h"], {"a": {"children": ["b"]}, "b": {}, "c": {}}))
    assert await world.edges() == {("a", "b")}


async def test_a_child_that_only_its_parent_names_is_a_group(world: World) -> None:
    await world.refresh(document(["h"], {"parent": {"children": ["child"]}}))
    assert set(await world.groups()) == {"child", "parent"}


async def test_a_host_and_a_group_may_have_one_name(world: World) -> None:
    await world.refresh(document({"web": {}}, {"web": ["web"]}))
    assert await world.memberships() == {("web", "web")}


async def test_a_stored_false_is_not_replaced_by_a_default(world: World) -> None:
    rules = HostRules("up", "yes")
    await world.refresh(document({"h": {"up": "no"}}), rules=rules)
    assert (await world.host("h")).enabled is False


@pytest.mark.parametrize(
    ("variables", "value", "enabled"),
    [
        ({"state": {"power": "ON"}}, "on", True),
        ({"state": {"power": "off"}}, "on", False),
        ({"state": {"power": True}}, "true", True),
        ({"state": {"power": 0}}, "", False),
        ({"state": {"power": "off"}}, "", True),
        ({}, "on", True),
    ],
)
async def test_enabled_follows_the_dotted_variable(
    world: World, variables: dict[str, object], value: str, enabled: bool
) -> None:
    await world.refresh(document({"h": variables}), rules=HostRules("state.power", value))
    assert (await world.host("h")).enabled is enabled


async def test_enabled_stays_as_it_is_when_the_variable_is_missing(world: World) -> None:
    rules = HostRules("up", "yes")
    await world.refresh(document({"h": {"up": "no"}, "other": {}}), rules=rules)
    await world.refresh(document({"h": {"x": 1}, "other": {}}), rules=rules)
    assert (await world.host("h")).enabled is False


async def test_a_description_comes_from_the_variable_and_only_for_a_new_host(world: World) -> None:
    await world.refresh(document({"h": {"_awx_description": "the first", "a": 1}}))
    await world.refresh(document({"h": {"_awx_description": "another", "a": 2}}))
    host = await world.host("h")
    assert (host.description, host.variables) == ("the first", {"a": 2})


async def test_ports_in_host_names_become_a_variable(world: World) -> None:
    await world.refresh(document(["web:2222", "[2001:db8::1]:22", "2001:db8::2"], {"g": ["web:2222"]}))
    assert await world.hosts() == {
        "2001:db8::1": {"ansible_port": 22},
        "2001:db8::2": {},
        "web": {"ansible_port": 2222},
    }
    assert await world.memberships() == {("g", "web")}


@pytest.mark.parametrize("name", ["{{ name }}", "{% x %}"])
async def test_jinja_in_a_name_aborts_and_changes_nothing(world: World, name: str) -> None:
    await world.refresh(WEB)
    with pytest.raises(UpdateFailed, match="Inline Jinja"):
        await world.refresh(document(["ok", name]))
    assert set(await world.hosts()) == {"web1", "web2"}


@pytest.mark.parametrize(("written_as", "stored"), [("a/b", "a_b"), ("a\\b", "a_b"), (".", "_"), ("..", "__")])
async def test_group_names_that_look_like_paths_are_renamed_and_said(
    world: World, written_as: str, stored: str
) -> None:
    await world.refresh(document(["h"], {written_as: ["h"]}))
    assert await world.memberships() == {(stored, "h")}
    assert len(world.said) == 1


@pytest.mark.parametrize(
    ("delivered", "reason"),
    [
        (document(["x" * 513]), "513 characters; at most 512"),
        (document(["a\nb"]), "control character"),
        (document(["a\x00b"]), "control character"),
        (document({"h": {"k": "a\x00b"}}), "the character NUL"),
        (document({"h": {"k": float("nan")}}), "cannot be written as JSON"),
        (document({"h": {"k": "\ud800"}}), "surrogate"),
        (document({" ": {}}), "without a name"),
        ({"_meta": {"hostvars": []}}, "a mapping is needed"),
        ({"g": {"hosts": "h"}}, "list of names"),
    ],
)
async def test_what_cannot_be_stored_is_refused_in_words_and_changes_nothing(
    world: World, delivered: dict[str, object], reason: str
) -> None:
    await world.refresh(WEB)
    with pytest.raises(UpdateFailed, match=reason):
        await world.refresh(delivered)
    assert set(await world.hosts()) == {"web1", "web2"}


async def test_text_that_only_looks_like_an_escape_is_kept(world: World) -> None:
    variables = {"k": "back\\slash\\u0000 \t tab\n\\N", "é\u2028": ["\x7f"]}
    await world.refresh(document({"h": variables}))
    assert (await world.hosts())["h"] == variables


async def test_a_repeated_identity_is_counted_and_the_last_one_wins(world: World) -> None:
    counts = await world.refresh(document({"h": {"a": 1}, "h:22": {"a": 2}}))
    assert counts["hosts"].repeated == 1
    assert (await world.hosts())["h"] == {"a": 2, "ansible_port": 22}


async def test_hosts_that_the_filter_leaves_out_count_as_not_delivered(world: World) -> None:
    await world.refresh(WEB)
    counts = await world.refresh(WEB, host_filter="web[13]|db")
    assert set(await world.hosts()) == {"web1"}
    assert counts["hosts"].deleted == 1


async def test_a_filter_matches_from_the_start_and_takes_options(world: World) -> None:
    await world.refresh(document(["web1", "aweb1", "WEB2"]), host_filter="(?i)web")
    assert set(await world.hosts()) == {"web1", "WEB2"}


async def test_a_wrong_filter_fails_with_the_message_of_postgresql(world: World) -> None:
    with pytest.raises(UpdateFailed, match="parentheses"):
        await world.refresh(WEB, host_filter="(web")


async def test_two_sources_refresh_at_once_without_a_deadlock(world: World) -> None:
    names = [f"h{n:04}" for n in range(300)]
    one = document({name: {"one": 1} for name in names}, {"g": names})
    two = document({name: {"two": 2} for name in reversed(names)}, {"g": list(reversed(names))})
    await world.source("first")
    await world.source("second")
    for _ in range(5):
        await asyncio.gather(world.refresh(one, source="first"), world.refresh(two, source="second"))
    assert set(await world.hosts()) == set(names)
    assert (await world.hosts())["h0000"] == {"one": 1, "two": 2}

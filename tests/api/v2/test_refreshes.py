"""Single objects: targets of updates, refreshing a host, events of a provider."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import (
    Host,
    HostSource,
    Inventory,
    InventorySource,
    InventoryUpdate,
    InventoryUpdateTarget,
    SourceEvent,
)
from craton_inv.providers.example import ExampleProvider
from craton_inv.services.retention import forget
from craton_inv.settings import Settings
from tests.factories import make_host, make_source, save

ONE = {"association": "hosts", "manager_ref": {"name": "web-1"}}
TWO = {"association": "hosts", "manager_ref": {"instance_id": "i-00000002"}}


@pytest.fixture(autouse=True)
def targeted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The made-up cloud can be asked for single machines."""
    monkeypatch.setattr(ExampleProvider, "allow_targeted_refresh", True)


@pytest.fixture
async def source(session: AsyncSession, inventory: Inventory) -> InventorySource:
    """A source of the made-up cloud."""
    return await make_source(session, "cloud", inventory=inventory, source="example")


@pytest.fixture
async def host(session: AsyncSession, inventory: Inventory, source: InventorySource) -> Host:
    """A host that the source delivers."""
    row = await make_host(session, "web-1", inventory=inventory, instance_id="i-00000001")
    await save(session, HostSource(host_id=row.id, inventory_source_id=source.id, ref="web-1", digest=b"x"))
    return row


async def start(client: httpx.AsyncClient, source: InventorySource, **body: Any) -> dict[str, Any]:
    """Ask for an update."""
    answer = await client.post(f"/v2/inventory_sources/{source.id}/update/", json=body)
    assert answer.status_code == 202, answer.text
    run: dict[str, Any] = answer.json()
    return run


async def targets_of(client: httpx.AsyncClient, run_id: int) -> list[Any]:
    """The targets of a run, as the API lists them."""
    answer = await client.get(f"/v2/inventory_updates/{run_id}/targets/")
    return [(row["association"], row["manager_ref"]) for row in answer.json()["results"]]


async def test_objects_asked_for_wait_in_one_update_each_once(
    client: httpx.AsyncClient, source: InventorySource
) -> None:
    """Given a waiting update, when the same objects are asked for again, then each is in it once."""
    first = await start(client, source, targets=[ONE, ONE])
    second = await start(client, source, targets=[ONE, TWO])
    assert (first["id"], first["kind"]) == (second["id"], "targeted")
    assert await targets_of(client, first["id"]) == [("hosts", ONE["manager_ref"]), ("hosts", TWO["manager_ref"])]
    page = (await client.get(first["related"]["targets"], params={"page_size": 1, "association": "hosts"})).json()
    assert (page["count"], len(page["results"])) == (2, 1)


async def test_the_whole_source_swallows_its_objects(client: httpx.AsyncClient, source: InventorySource) -> None:
    """Given objects that wait, when their source is asked for, then it swallows them."""
    first = await start(client, source, targets=[ONE])
    second = await start(client, source)
    assert (second["id"], second["kind"]) == (first["id"], "full")
    assert (await start(client, source, targets=[TWO]))["kind"] == "full"
    assert await targets_of(client, first["id"]) == []


async def test_too_many_objects_are_the_whole_source(client: httpx.AsyncClient, source: InventorySource) -> None:
    """Given the threshold, when more objects are asked for, then the whole source is."""
    some = [{"association": "hosts", "manager_ref": {"name": f"web-{number}"}} for number in range(60)]
    others = [{"association": "hosts", "manager_ref": {"name": f"db-{number}"}} for number in range(60)]
    assert (await start(client, source, targets=some))["kind"] == "targeted"
    run = await start(client, source, targets=others)
    assert (run["kind"], await targets_of(client, run["id"])) == ("full", [])


async def test_a_kind_that_knows_whole_sources_only_refreshes_all(
    client: httpx.AsyncClient, source: InventorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a kind that takes no targets, when an object is asked for, then the whole source is."""
    monkeypatch.setattr(ExampleProvider, "allow_targeted_refresh", False)
    assert (await start(client, source, targets=[ONE]))["kind"] == "full"


async def test_a_running_update_is_never_merged_into(
    client: httpx.AsyncClient, source: InventorySource, session: AsyncSession
) -> None:
    """Given a running update, when an object is asked for, then another update waits."""
    first = await start(client, source, targets=[ONE])
    await session.execute(update(InventoryUpdate).where(InventoryUpdate.id == first["id"]).values(status="running"))
    second = await start(client, source, targets=[TWO])
    assert second["id"] != first["id"]
    assert await targets_of(client, second["id"]) == [("hosts", TWO["manager_ref"])]


@pytest.mark.parametrize(
    ("asked", "merged", "forced"),
    [
        ([{"force_delete": True}, {"targets": [ONE]}], "full", True),
        ([{"targets": [ONE], "force_delete": True}, {}], "full", False),
        ([{}, {"targets": [ONE], "force_delete": True}], "full", False),
        ([{"targets": [ONE]}, {"force_delete": True}], "full", True),
        ([{"targets": [ONE]}, {"targets": [TWO], "force_delete": True}], "targeted", True),
    ],
)
async def test_what_may_pass_the_deletion_guard_does_so_for_what_it_was_given_for(
    client: httpx.AsyncClient,
    source: InventorySource,
    session: AsyncSession,
    asked: list[dict[str, Any]],
    merged: str,
    forced: bool,
) -> None:
    for body in asked:
        run = await start(client, source, **body)
    row = await session.get_one(InventoryUpdate, run["id"], populate_existing=True)
    assert (row.kind, row.options.get("force_delete", False)) == (merged, forced)


@pytest.mark.parametrize(
    ("target", "field", "cause"),
    [
        ({"association": "planets", "manager_ref": {"name": "x"}}, "targets.1.association", "it takes: flavors, hosts"),
        ({"association": "hosts", "manager_ref": {"size": "x"}}, "targets.1.manager_ref", "name or instance_id"),
        ({"association": "hosts", "manager_ref": {}}, "targets.1.manager_ref", "not by nothing"),
        ({"association": "hosts", "manager_ref": {"name": 7}}, "targets.1.manager_ref.name", "Must be a text, not 7"),
        ({"association": "hosts", "manager_ref": {"name": ""}}, "targets.1.manager_ref.name", "it has 0"),
        ({"association": "hosts", "manager_ref": {"name": "x" * 1025}}, "targets.1.manager_ref.name", "it has 1025"),
        ({"association": "hosts", "manager_ref": ["x"]}, "targets.1.manager_ref", "Expected an object"),
        ({"association": "hosts"}, "targets.1.manager_ref", "required"),
        ({"manager_ref": {"name": "x"}}, "targets.1.association", "required"),
        ("web-1", "targets.1", "Expected an object"),
    ],
)
async def test_a_target_that_cannot_be_found_is_refused_by_field_index_and_cause(
    client: httpx.AsyncClient, source: InventorySource, session: AsyncSession, target: Any, field: str, cause: str
) -> None:
    answer = await client.post(f"/v2/inventory_sources/{source.id}/update/", json={"targets": [ONE, target]})
    assert (answer.status_code, list(answer.json())) == (400, [field]), answer.text
    assert cause in answer.json()[field][0]
    assert await session.scalar(select(func.count()).select_from(InventoryUpdate)) == 0


async def test_no_targets_at_all_are_not_taken_for_the_whole_source(
    client: httpx.AsyncClient, source: InventorySource
) -> None:
    answer = await client.post(f"/v2/inventory_sources/{source.id}/update/", json={"targets": []})
    assert (answer.status_code, list(answer.json())) == (400, ["targets"])


async def test_a_host_is_refreshed_by_all_its_sources(
    client: httpx.AsyncClient, host: Host, source: InventorySource, session: AsyncSession, inventory: Inventory
) -> None:
    """Given a host of several sources, when it is asked for, then each of them refreshes it."""
    second = await make_source(session, "second", inventory=inventory, source="example")
    empty = await make_source(session, "empty", inventory=inventory, source="file")
    await make_source(session, "stranger", inventory=inventory, source="example")
    for each in (second, empty):
        await save(session, HostSource(host_id=host.id, inventory_source_id=each.id, ref="web-one", digest=b"x"))
    path = (await client.get(f"/v2/hosts/{host.id}/")).json()["related"]["refresh"]
    told = (await client.get(path)).json()
    assert told["can_refresh"] is True
    assert [(row["name"], row["can_update"], row["manager_ref"]) for row in told["sources"]] == [
        ("cloud", True, {"name": "web-1"}),
        ("empty", False, None),
        ("second", True, {"name": "web-one"}),
    ]
    answer = await client.post(path)
    assert answer.status_code == 202, answer.text
    runs = answer.json()["results"]
    assert [(run["inventory_source"], run["kind"]) for run in runs] == [
        (source.id, "targeted"),
        (second.id, "targeted"),
    ]
    assert await targets_of(client, runs[1]["id"]) == [("hosts", {"name": "web-one"})]


async def test_a_host_is_asked_for_as_its_provider_finds_it_best(
    client: httpx.AsyncClient, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ExampleProvider, "target_refs", {"hosts": (("instance_id",), ("name",))})
    [told] = (await client.get(f"/v2/hosts/{host.id}/refresh/")).json()["sources"]
    assert told["manager_ref"] == {"instance_id": "i-00000001"}


async def test_a_host_without_a_source_that_can_is_not_refreshed(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory
) -> None:
    row = await make_host(session, "alone", inventory=inventory)
    assert (await client.get(f"/v2/hosts/{row.id}/refresh/")).json() == {"can_refresh": False, "sources": []}
    answer = await client.post(f"/v2/hosts/{row.id}/refresh/")
    assert answer.status_code == 405
    assert "No source delivers this host" in answer.json()["detail"]


async def post_events(client: httpx.AsyncClient, source: InventorySource, events: Any) -> httpx.Response:
    """Hand events over."""
    return await client.post(f"/v2/inventory_sources/{source.id}/events/", json=events)


def event(uid: str, *targets: Any, **values: Any) -> dict[str, Any]:
    """An event about these targets."""
    return {"uid": uid, "event_type": "started", "targets": targets, **values}


async def test_events_become_targets_of_one_waiting_update(client: httpx.AsyncClient, source: InventorySource) -> None:
    """Given events, when they are taken, then their objects wait in one update."""
    first = (await post_events(client, source, event("a", ONE))).json()
    second = (await post_events(client, source, [event("b", ONE), event("c", TWO), event("d")])).json()
    assert first["inventory_update"] == second["inventory_update"]
    assert (second["events"], second["accepted"], second["targets"]) == (3, 3, 2)
    assert await targets_of(client, first["inventory_update"]) == [
        ("hosts", ONE["manager_ref"]),
        ("hosts", TWO["manager_ref"]),
    ]


@pytest.mark.parametrize(
    "again",
    [
        {"uid": "a", "event_type": "started", "targets": [ONE]},
        {"event_id": "a", "event_type": "started", "targets": [ONE]},
        {"uid": "a", "event_type": "something else"},
    ],
)
async def test_the_same_event_again_costs_nothing(
    client: httpx.AsyncClient, source: InventorySource, again: dict[str, Any]
) -> None:
    """Given an event that was taken, when it comes again, then nothing is asked."""
    await post_events(client, source, event("a", ONE))
    told = (await post_events(client, source, [again, again])).json()
    assert (told["accepted"], told["duplicates"], told["inventory_update"]) == (0, 2, None)


async def test_events_without_an_id_are_told_apart_by_time_and_content(
    client: httpx.AsyncClient, source: InventorySource
) -> None:
    early = {"event_type": "started", "timestamp": "2026-01-01T00:00:00Z", "targets": [ONE]}
    late = {**early, "timestamp": "2026-01-01T00:00:01Z"}
    told = (await post_events(client, source, [early, late, early])).json()
    assert (told["accepted"], told["duplicates"]) == (2, 1)


async def test_a_flood_of_like_events_is_cut_and_others_come_through(
    client: httpx.AsyncClient, source: InventorySource, settings: Settings
) -> None:
    """Given a flood of like events, when it comes, then it is cut and others come through."""
    most = settings.event_flood_limit
    told = (await post_events(client, source, [event(f"a{number}", ONE) for number in range(most + 5)])).json()
    assert (told["accepted"], told["blocked"]) == (most, 5)
    told = (await post_events(client, source, [event("more", ONE), event("other", TWO)])).json()
    assert (told["accepted"], told["blocked"], told["targets"]) == (1, 1, 1)


async def test_a_source_shows_how_many_events_were_blocked_and_when(
    client: httpx.AsyncClient, source: InventorySource, settings: Settings
) -> None:
    path = f"/v2/inventory_sources/{source.id}/"
    assert "blocked_events" not in (await client.get(path)).json()["summary_fields"]
    most = settings.event_flood_limit
    for name in ("a", "b"):
        await post_events(client, source, [event(f"{name}{number}", ONE) for number in range(most)])
    shown = (await client.get(path)).json()["summary_fields"]["blocked_events"]
    assert shown["count"] == most
    assert datetime.now(UTC) - datetime.fromisoformat(shown["last"]) < timedelta(minutes=1)


async def test_a_flood_is_over_after_a_minute_and_events_are_forgotten_after_the_hours_set(
    client: httpx.AsyncClient, source: InventorySource, session: AsyncSession, settings: Settings
) -> None:
    most = settings.event_flood_limit
    await post_events(client, source, [event(f"a{number}", ONE) for number in range(most)])
    await session.execute(update(SourceEvent).values(seen=SourceEvent.seen - func.make_interval(0, 0, 0, 0, 0, 2)))
    assert (await post_events(client, source, event("b", ONE))).json()["accepted"] == 1
    await session.execute(update(SourceEvent).values(seen=SourceEvent.seen - func.make_interval(0, 0, 0, 1, 0, 0, 1)))
    await post_events(client, source, event("c", ONE))
    assert not await forget(session, settings.model_copy(update={"event_memory_hours": 48.0}))
    assert await session.scalar(select(func.count()).select_from(SourceEvent)) == most + 2
    assert not await forget(session, settings)
    assert await session.scalar(select(func.count()).select_from(SourceEvent)) == 1


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        ({"uid": "b"}, "1.event_type"),
        ({"uid": "b", "event_type": ""}, "1.event_type"),
        ({"uid": 7, "event_type": "x"}, "1.uid"),
        ({"uid": "b", "event_type": "x", "timestamp": "yesterday"}, "1.timestamp"),
        ({"uid": "b", "event_type": "x", "payload": []}, "1.payload"),
        ({"uid": "b", "event_type": "x", "targets": [{**ONE, "association": "planets"}]}, "1.targets.0.association"),
        ("started", "1"),
    ],
)
async def test_one_event_that_does_not_fit_has_none_taken(
    client: httpx.AsyncClient, source: InventorySource, session: AsyncSession, broken: Any, field: str
) -> None:
    answer = await post_events(client, source, [event("a", ONE), broken])
    assert (answer.status_code, list(answer.json())) == (400, [field]), answer.text
    assert await session.scalar(select(func.count()).select_from(SourceEvent)) == 0
    assert await session.scalar(select(func.count()).select_from(InventoryUpdateTarget)) == 0


async def test_a_manual_source_takes_no_events(client: httpx.AsyncClient, session: AsyncSession) -> None:
    source = await make_source(session, "manual", source="")
    assert (await post_events(client, source, event("a", ONE))).status_code == 405

"""schedules/: made below a source or by themselves, changed, tried and listed."""

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import InventorySource
from tests.factories import make_inventory, make_schedule, make_source

DAILY = "DTSTART;TZID=Europe/Berlin:20260101T030000 RRULE:FREQ=DAILY;INTERVAL=1"


@pytest.fixture
async def source(session: AsyncSession) -> InventorySource:
    """A source that can be updated."""
    return await make_source(session, "cloud", inventory=await make_inventory(session), source="example")


async def create(client: httpx.AsyncClient, source: InventorySource, **body: object) -> httpx.Response:
    given = {"name": "nightly", "rrule": DAILY, **body}
    return await client.post(f"/v2/inventory_sources/{source.id}/schedules/", json=given)


async def test_a_schedule_tells_when_it_fires(client: httpx.AsyncClient, source: InventorySource) -> None:
    answer = await create(client, source)
    assert answer.status_code == 201, answer.text
    shown = answer.json()
    assert answer.headers["Location"] == shown["url"] == f"/v2/schedules/{shown['id']}/"
    assert (shown["type"], shown["unified_job_template"]) == ("schedule", source.id)
    assert (shown["dtstart"], shown["dtend"]) == ("2026-01-01T02:00:00.000000Z", None)
    assert shown["timezone"] == "Europe/Berlin"
    assert shown["next_run"] is not None
    seen = (await client.get(f"/v2/inventory_sources/{source.id}/")).json()
    assert seen["next_job_run"] == shown["next_run"]
    assert seen["related"]["next_schedule"] == shown["url"]
    listed = (await client.get(seen["related"]["schedules"])).json()
    assert [row["name"] for row in listed["results"]] == ["nightly"]


async def test_a_schedule_is_created_by_naming_its_source(client: httpx.AsyncClient, source: InventorySource) -> None:
    body = {"name": "nightly", "rrule": DAILY, "unified_job_template": source.id}
    assert (await client.post("/api/v2/schedules/", json=body)).status_code == 201
    again = await client.post("/api/v2/schedules/", json=body)
    assert again.status_code == 400
    assert "Schedule with this Name and Unified job template already exists." in again.text


@pytest.mark.parametrize(
    ("body", "field", "reason"),
    [
        ({"rrule": "daily"}, "rrule", "Valid DTSTART required in rrule"),
        ({"rrule": "DTSTART:20260101T000000Z RRULE:FREQ=DAILY"}, "rrule", "INTERVAL required in rrule."),
        (
            {"rrule": "DTSTART:20260101T000000Z RRULE:FREQ=DAILY;INTERVAL=1;BYMONTH=2;BYMONTHDAY=30"},
            "rrule",
            "RRULE never comes: from its start on no moment was found that meets all of FREQ=DAILY, INTERVAL=1,",
        ),
        ({"rrule": 7}, "rrule", "Not a valid string."),
        ({"name": ""}, "name", "may not be blank"),
        ({"enabled": "maybe"}, "enabled", "Must be a valid boolean."),
    ],
)
async def test_a_bad_schedule_is_refused_by_field(
    client: httpx.AsyncClient, source: InventorySource, body: dict[str, object], field: str, reason: str
) -> None:
    answer = await create(client, source, **body)
    assert answer.status_code == 400
    assert reason in str(answer.json()[field])


async def test_a_manual_source_takes_no_schedule(client: httpx.AsyncClient, session: AsyncSession) -> None:
    manual = await make_source(session, "manual", inventory=await make_inventory(session), source="")
    assert (await create(client, manual)).status_code == 405


async def test_a_schedule_is_changed_and_switched_off(client: httpx.AsyncClient, source: InventorySource) -> None:
    url = (await create(client, source)).json()["url"]
    changed = (await client.patch(url, json={"rrule": f"{DAILY};COUNT=3", "description": "thrice"})).json()
    assert (changed["dtend"], changed["next_run"]) == ("2026-01-03T02:00:00.000000Z", None)
    back = (await client.put(url, json={"name": "nightly", "rrule": DAILY})).json()
    assert back["next_run"] is not None
    off = (await client.patch(url, json={"enabled": False})).json()
    assert off["next_run"] is None
    seen = (await client.get(f"/v2/inventory_sources/{source.id}/")).json()
    assert seen["next_job_run"] is None
    assert "next_schedule" not in seen["related"]


async def test_the_source_of_a_schedule_stays(
    client: httpx.AsyncClient, session: AsyncSession, source: InventorySource
) -> None:
    other = await make_source(session, "other", inventory=await make_inventory(session), source="example")
    url = (await create(client, source)).json()["url"]
    assert (await client.patch(url, json={"unified_job_template": source.id})).status_code == 200
    assert (await client.patch(url, json={"unified_job_template": other.id})).status_code == 403


async def test_a_schedule_is_deleted_and_goes_with_its_source(
    client: httpx.AsyncClient, source: InventorySource
) -> None:
    first, second = [(await create(client, source, name=name)).json()["url"] for name in ("one", "two")]
    assert (await client.delete(first)).status_code == 204
    assert (await client.get(first)).status_code == 404
    assert (await client.delete(f"/v2/inventory_sources/{source.id}/")).status_code in (202, 204)
    assert (await client.get(second)).status_code == 404


async def test_schedules_are_found_by_their_source(
    client: httpx.AsyncClient, session: AsyncSession, source: InventorySource
) -> None:
    await make_schedule(session, "weekly", source=source)
    params = {"unified_job_template__name": "cloud", "order_by": "-next_run"}
    found = (await client.get("/v2/schedules/", params=params)).json()
    assert [row["name"] for row in found["results"]] == ["weekly"]


async def test_a_rule_is_tried_without_being_kept(client: httpx.AsyncClient) -> None:
    rule = "DTSTART;TZID=Europe/Berlin:20990328T120000 RRULE:FREQ=DAILY;INTERVAL=1;COUNT=3"
    shown = (await client.post("/v2/schedules/preview/", json={"rrule": rule})).json()
    assert shown["utc"] == ["2099-03-28T11:00:00Z", "2099-03-29T10:00:00Z", "2099-03-30T10:00:00Z"]
    assert shown["local"][1] == "2099-03-29T12:00:00+02:00"
    assert (await client.get("/v2/schedules/")).json()["count"] == 0
    assert (await client.post("/v2/schedules/preview/", json={"rrule": "often"})).status_code == 400


async def test_the_zones_are_listed_with_their_other_names(client: httpx.AsyncClient) -> None:
    shown = (await client.get("/v2/schedules/zoneinfo/")).json()
    assert "Europe/Berlin" in shown["zones"]
    assert shown["links"]["US/Eastern"] == "America/New_York"


async def test_the_runs_of_a_schedule_are_listed(client: httpx.AsyncClient, source: InventorySource) -> None:
    shown = (await create(client, source)).json()
    answer = await client.get(shown["related"]["unified_jobs"])
    assert (answer.status_code, answer.json()["count"]) == (200, 0)

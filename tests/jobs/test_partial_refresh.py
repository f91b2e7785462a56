"""Updates that read their source only partly: what was read is kept, and the update ends as failed and says why."""

from collections.abc import AsyncIterator

import pytest

from craton_inv.providers.example.collector import ExampleCollector, Machine
from tests.jobs.updates import Updates

REASON = "page 2 of 2: 403 Forbidden"


@pytest.fixture
def _second_page_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """The made-up cloud refuses everything after its first machine."""
    whole = ExampleCollector.machines

    async def machines(self: ExampleCollector) -> AsyncIterator[Machine]:
        async for machine in whole(self):
            if not machine.name.endswith("-1"):
                self.read_partly("hosts", REASON)
                return
            yield machine

    monkeypatch.setattr(ExampleCollector, "machines", machines)


async def test_a_partial_update_keeps_what_it_read_and_deletes_nothing(
    updates: Updates, request: pytest.FixtureRequest
) -> None:
    """Given three machines, when a page is refused, then all three stay, and run and source tell why."""
    await updates.run(overwrite=True)
    request.getfixturevalue("_second_page_fails")
    row = await updates.run(overwrite=True)
    assert set(await updates.world.hosts()) == {"web-1", "web-2", "web-3"}
    assert (row.status, row.result["result"], row.result["incomplete"]) == ("failed", "partial", {"hosts": REASON})
    assert row.result["complete"] is False
    assert row.result["collections"]["hosts"]["delivered"] == 1
    assert row.job_explanation.startswith(f"Read only partly: hosts ({REASON}).")
    assert (await updates.source()).last_error == row.job_explanation
    assert (await updates.events(row.id))[-1].stdout == row.job_explanation


@pytest.mark.usefixtures("_second_page_fails")
async def test_a_partial_update_saves_what_it_read(updates: Updates) -> None:
    await updates.run()
    assert set(await updates.world.hosts()) == {"web-1"}


async def test_a_complete_update_after_a_partial_one_settles_everything(updates: Updates) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ExampleCollector, "machines", _nothing)
        row = await updates.run(overwrite=True)
        assert row.status == "failed"
    row = await updates.run(overwrite=True)
    assert (row.status, row.result["complete"]) == ("successful", True)
    assert len(await updates.world.hosts()) == 3


async def _nothing(self: ExampleCollector) -> AsyncIterator[Machine]:
    self.read_partly("hosts", REASON)
    return
    yield


async def test_an_update_keeps_when_its_collection_began(updates: Updates) -> None:
    row = await updates.run()
    assert row.collected_at is not None
    assert row.started is not None
    assert row.started <= row.collected_at <= row.finished  # type: ignore[operator]

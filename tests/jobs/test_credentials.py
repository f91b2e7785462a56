"""A run logs in with its source's credential, and its secret is nowhere afterwards (S28 for what exists)."""

import json
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import select, text, update

from craton_inv.db.session import unit_of_work
from craton_inv.models import Credential, CredentialType, InventorySource, Tenant
from craton_inv.providers import registry
from craton_inv.providers.base import Provider, SourceDefinition
from craton_inv.repositories.scope import SYSTEM
from craton_inv.services.credentials import create_credential
from tests.jobs.updates import Updates
from tests.refresh.world import World

CANARY = "canary/of a run&more"
SCRIPT = """#!/bin/sh
echo "the secret is $OURS_WORD" >&2
cat "$OURS_FILE" >&2
env >&2
{ending}
"""
ANSWER = """echo '{"_meta": {"hostvars": {"web1": {"role": "front"}}}, "all": {"hosts": ["web1"]}}'"""
TYPE = {
    "fields": [{"id": "word", "label": "Word", "type": "string", "secret": True}],
}
INJECTORS = {
    "env": {"OURS_WORD": "{{ word }}", "OURS_FILE": "{{ tower.filename }}", "OURS_PLAIN": "plain"},
    "file": {"template": "in the file: {{ word }}\n"},
}


@pytest.fixture
def running(updates: Updates) -> Updates:
    """Updates that may run scripts."""
    updates.settings = updates.settings.model_copy(update={"allow_executable_inventories": True})
    return updates


def script(folder: Path, ending: str) -> str:
    """An inventory that prints whatever it was given."""
    path = folder / "inventory.sh"
    path.write_text(SCRIPT.replace("{ending}", ending))
    path.chmod(0o755)
    return str(path)


async def log_in(updates: Updates, source_id: int) -> int:
    """Let a source log in with a credential of a custom type; the credential's id."""
    world = updates.world
    async with unit_of_work(world.factory) as session:
        tenant = await session.get_one(Tenant, world.tenant_id)
        kind = CredentialType(
            name="Ours", kind="cloud", tenant_id=tenant.id, inputs=TYPE, injectors=INJECTORS, managed=False
        )
        session.add(kind)
        await session.flush()
        values = {"name": "key", "credential_type": kind.id, "inputs": {"word": CANARY}}
        row = await create_credential(session, SYSTEM, updates.settings, tenant, values)
        await session.execute(
            update(InventorySource).where(InventorySource.id == source_id).values(credential_id=row.id)
        )
        return row.id


async def places_of(world: World, word: str) -> list[str]:
    """The tables that hold a word anywhere, also inside of binary columns."""
    query = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"
    found = []
    async with world.factory() as session:
        for table in (await session.scalars(text(query))).all():
            held = text(
                f'SELECT EXISTS (SELECT FROM "{table}" t WHERE position(:word IN t::text) > 0'
                " OR position(:hex IN t::text) > 0)"
            )
            if await session.scalar(held, {"word": word, "hex": word.encode().hex()}):
                found.append(table)
    return found


@pytest.mark.parametrize(("ending", "status"), [(ANSWER, "successful"), ("exit 3", "failed")])
async def test_s28_a_run_gets_its_secret_and_tells_it_nowhere(
    running: Updates, tmp_path: Path, ending: str, status: str
) -> None:
    update_id = await running.launch(source="file", source_path=script(tmp_path, ending), verbosity=1)
    credential_id = await log_in(running, running.world.sources["source"])
    with structlog.testing.capture_logs() as logs:
        run = await running.work(update_id)
    assert run.status == status, run.job_explanation
    assert run.credential_id == credential_id
    output = await running.output(update_id)
    assert ("the secret is **********" in output, "in the file: **********" in output) == (True, True)
    kept = {"OURS_WORD": "**********", "OURS_PLAIN": "plain"} if status == "successful" else {}  # a failed run has none
    assert {name: value for name, value in run.job_env.items() if name in ("OURS_WORD", "OURS_PLAIN")} == kept
    for word in (CANARY, "canary/of", "canary%2Fof", json.dumps(CANARY)):
        assert await places_of(running.world, word) == []
    assert "canary" not in str(logs)


async def test_the_search_for_the_canary_finds_what_is_there(running: Updates) -> None:
    word = "a-word-that-is-kept"
    await running.world.source(word)
    assert await places_of(running.world, word) == ["inventory_sources"]


class Telling(Provider):
    """A provider that fails with what it logged in with in its message."""

    kind = "telling"

    def __init__(self, fault: type[Exception]) -> None:
        self.fault = fault

    def refresher(self, definition: Any, targets: Any, around: Any) -> Any:
        [credential] = definition.credentials
        raise self.fault(f"cannot log in at https://me:{credential.inputs['word']}@cloud.example.com")

    def sample(self, folder: Path) -> SourceDefinition:
        return SourceDefinition(0, 0, 0, self.kind)


@pytest.mark.parametrize("fault", [RuntimeError, OSError, ValueError])
async def test_s28_a_fault_that_quotes_the_secret_is_blackened(
    running: Updates, fault: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = Telling(fault)
    monkeypatch.setattr(registry, "get", lambda kind: provider)
    update_id = await running.launch(source="telling")
    await log_in(running, running.world.sources["source"])
    with structlog.testing.capture_logs() as logs:
        run = await running.work(update_id)
    assert run.status == "error"
    assert "**********" in run.result_traceback
    assert await places_of(running.world, CANARY) == []
    assert "canary" not in str(logs)


async def test_s29_a_secret_that_does_not_open_fails_the_run_with_the_reason(running: Updates, tmp_path: Path) -> None:
    update_id = await running.launch(source="file", source_path=script(tmp_path, ANSWER))
    credential_id = await log_in(running, running.world.sources["source"])
    async with unit_of_work(running.world.factory) as session:
        flipped = text("UPDATE credentials SET nonce = set_bit(nonce, 0, 1 - get_bit(nonce, 0)) WHERE id = :id")
        await session.execute(flipped, {"id": credential_id})
    run = await running.work(update_id)
    assert (run.status, "does not open" in run.job_explanation) == ("failed", True)


async def test_the_credential_of_a_run_is_taken_when_it_starts(running: Updates, tmp_path: Path) -> None:
    update_id = await running.launch(source="file", source_path=script(tmp_path, ANSWER))
    credential_id = await log_in(running, running.world.sources["source"])
    assert (await running.update(update_id)).credential_id is None
    assert (await running.work(update_id)).credential_id == credential_id
    async with running.world.factory() as session:
        definition = await session.scalar(select(Credential.inputs).where(Credential.id == credential_id))
    assert definition == {}

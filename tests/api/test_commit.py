"""The commit happens before the answer (decision 0003): a 201 never lies."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select, text

from craton_inv.app import create_app
from craton_inv.db.session import unit_of_work
from craton_inv.models import Tenant
from craton_inv.services.users import ensure_admin
from craton_inv.settings import Settings
from tests.api.conftest import RingingBell, client_for

# A rule that the database checks at the commit alone.
REFUSE_AT_COMMIT = (
    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '23514'; END $$",
    "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON tenants DEFERRABLE INITIALLY DEFERRED "
    "FOR EACH ROW WHEN (NEW.name = 'never') EXECUTE FUNCTION refuse()",
)


@pytest.fixture
async def committing(fresh_database_url: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The service on a database of its own, where everything really commits."""
    settings = Settings(data_dir=tmp_path, database_url=fresh_database_url, secret_key="k")  # type: ignore[arg-type]
    app = create_app(settings, bell=RingingBell())
    context = app.state.context
    async with unit_of_work(context.session_factory) as session:
        token = await ensure_admin(session, settings)
        for statement in REFUSE_AT_COMMIT:
            await session.execute(text(statement))
    async with client_for(app, {"Authorization": f"Bearer {token}"}) as client:
        yield client
        async with unit_of_work(context.session_factory) as session:
            assert await session.scalar(select(func.count()).select_from(Tenant).where(Tenant.name == "never")) == 0
    await context.engine.dispose()


@pytest.mark.parametrize("route", ["/v1/tenants", "/v2/organizations/"])
async def test_a_commit_that_fails_is_told(route: str, committing: httpx.AsyncClient) -> None:
    answer = await committing.post(route, json={"name": "never"})
    assert answer.status_code == 409, answer.text


async def test_what_was_answered_is_there_for_the_next_connection(committing: httpx.AsyncClient) -> None:
    made = await committing.post("/v1/tenants", json={"name": "kept"})
    assert (await committing.get(made.headers["location"])).json() == made.json()

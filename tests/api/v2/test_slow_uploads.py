"""A slow upload keeps others from nothing: it holds no connection to the database while its body comes."""

import asyncio
from collections.abc import AsyncIterator

from fastapi import FastAPI

from craton_inv.app import make_context
from craton_inv.db.engine import make_engine
from craton_inv.db.session import make_session_factory, unit_of_work
from craton_inv.settings import Settings
from tests.api.conftest import RingingBell, client_for, make_token
from tests.factories import make_inventory, make_source, make_user


async def test_a_body_that_comes_slowly_holds_no_connection_and_no_row(
    built_app: FastAPI, settings: Settings, fresh_database_url: str, bell: RingingBell
) -> None:
    engine = make_engine(fresh_database_url, settings)
    factory = make_session_factory(engine)
    async with unit_of_work(factory) as session:
        source = await make_source(session, inventory=await make_inventory(session))
        token = await make_token(session, await make_user(session, "root", is_superuser=True))
    context = make_context(settings, factory, bell)
    for part in (built_app, *built_app.state.dialects.values()):
        part.state.context = context
    asked, rest = asyncio.Event(), asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"all:\n"
        asked.set()
        await rest.wait()
        yield b"  hosts: {web1: {}}\n"

    try:
        async with client_for(built_app, {"Authorization": f"Bearer {token}"}) as client:
            path = f"/v2/inventory_sources/{source.id}/"
            upload = asyncio.ensure_future(client.post(f"{path}upload/", content=body()))
            await asyncio.wait_for(asked.wait(), 30)

            assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
            assert (await client.patch(path, json={"description": "changed meanwhile"})).status_code == 200

            rest.set()
            answer = await upload
            assert (answer.status_code, answer.json()["size"]) == (201, 25)
    finally:
        await engine.dispose()

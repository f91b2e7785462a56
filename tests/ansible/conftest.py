"""The service that real Ansible asks: one database and one server a module."""

import os
from collections.abc import AsyncIterator

import pytest

from craton_inv import crypto
from craton_inv.db.engine import make_engine
from craton_inv.db.session import make_session_factory, unit_of_work
from craton_inv.repositories.scope import SYSTEM
from craton_inv.services.tokens import issue_token
from craton_inv.settings import Settings
from tests.ansible.service import Service
from tests.conftest import clone_template, drop_database
from tests.factories import make_user
from tests.serving import served


@pytest.fixture(scope="module")
async def service(server_url: str, worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """The service on a database of this module."""
    name = f"ansible_{os.environ['CRATON_INV_TEST_TEMPLATE'].rsplit('_', 1)[1]}_{worker_id}"
    url = await clone_template(server_url, name)
    roots = os.environ.get("CRATON_INV_TEST_INVENTORIES", "")
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("data"),
        database_url=url,
        redis_url=None,
        secret_key="key",  # type: ignore[arg-type]
        file_roots=roots,
    )
    engine = make_engine(url, settings)
    async with unit_of_work(make_session_factory(engine)) as session:
        admin = await make_user(session, "admin", is_superuser=True)
        _, token = await issue_token(session, crypto.secret_key(settings), SYSTEM, {"user_id": admin.id})
    with served(settings) as address:
        yield Service(address, token, settings, engine)
    await engine.dispose()
    await drop_database(server_url, name)

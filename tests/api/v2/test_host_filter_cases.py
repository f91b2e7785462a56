"""Ring 3 over AWX's strings: each asked for over HTTP, as a search and as a smart inventory."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from craton_inv.app import make_context
from craton_inv.models import HostSource
from craton_inv.settings import Settings
from tests.api.conftest import RingingBell, client_for, make_token
from tests.factories import make_group, make_host, make_inventory, make_source, make_tenant, make_user
from tests.filters.cases import CASES, Case


def nested(*items: Any) -> dict[str, Any]:
    """Facts with an array three keys deep."""
    return {"a": {"b": {"c": list(items)}}}


FACTS: dict[str, dict[str, Any]] = {
    "word": {"a": "true"},
    "boolean": {"a": True},
    "eye": {"a": "abc\u1f5e3def"},
    "nothing": {"a": None, "c": "null"},
    "quoted": {"c": '"null"'},
    "typed": nested(3, 3.14, True, False),
    "texts": nested("true", "false", "3", "3.14", "hello world"),
    "d0": nested({"d": "foobar"}),
    "d1": nested({"d": ["foobar"]}),
    "e0": nested({"d": {"e": "foobar"}}),
    "e1": nested({"d": {"e": ["foobar"]}}),
    "f1": nested({"d": {"e": {"f": ["foobar"]}}}),
    "both": nested({"d": {"e": ["foobar"]}}, {"d": {"e": {"f": ["foobar"]}}}),
    "centos": {"ansible_distribution": "CentOS", "ansible_distribution_version": "7.4"},
    "number": {"ansible_distribution_version": 7.4},
    "japanese": {"ansible_distribution": "レッドハット"},
    "keyed": {"ansible_distribution": {"has_keys": "cent"}},
}
LOCALHOST = {
    "ansible_processor_vcpus": 8,
    "ansible_date_time": {"weekday_number": "3"},
    "ansible_processor": ["0", "GenuineIntel"],
    "ansible_lo": {"ipv6": [{"address": "::1", "scope": "host"}]},
    "ansible_env": {"PYTHONUNBUFFERED": "true"},
}
OTHER = {
    "ansible_processor_vcpus": "8",
    "ansible_date_time": {"weekday_number": 3},
    "ansible_processor": "GenuineIntel",
    "ansible_lo": {"ipv6": {"scope": "host"}},
    "ansible_env": {"PYTHONUNBUFFERED": True},
}


async def make_world(session: AsyncSession) -> int:
    """The hosts that the table of cases speaks of; gives their organization."""
    tenant = await make_tenant(session, "acme")
    east = await make_inventory(session, "US-East", tenant=tenant)
    west = await make_inventory(session, "EU-West", tenant=tenant)
    ann = await make_user(session, "ann", password_hash="pbkdf2")
    names = ("g1", "g2", "east", "west coast", "amazon", "gce", "bang")
    groups = {name: await make_group(session, name, inventory=east) for name in names}
    groups["g2"].description, groups["amazon"].description = "a Foo", "all of ec2"
    groups["bang"].description = "crowBAR"
    local = await make_group(session, "local", inventory=west)
    for name, facts in FACTS.items():
        await make_host(session, name, inventory=west, facts=facts)
    await make_host(session, "host1", inventory=east, groups=[groups["g1"]], created_by_id=ann.id)
    await make_host(session, "host2", inventory=east, groups=[groups["g1"]])
    await make_host(session, "host3", inventory=east, groups=[groups["g2"], groups["g1"]])
    await make_host(session, "foo", inventory=east, groups=[groups["g2"]])
    for name in ("single_host", "singleXhost"):
        await make_host(session, name, inventory=east)
    host = await make_host(session, "my_host", inventory=east)
    for kind in ("ec2", "gce"):
        source = await make_source(session, kind, inventory=east, source=kind)
        owner = host if kind == "ec2" else await make_host(session, "other", inventory=east, facts=OTHER)
        session.add(HostSource(inventory_source_id=source.id, host_id=owner.id, ref=kind, digest=b""))
    await make_host(session, "baz", inventory=east, groups=[groups["bang"]])
    here = [groups["east"], groups["amazon"], groups["gce"]]
    await make_host(session, "localhost", inventory=east, groups=here, facts=LOCALHOST)
    facts = {"ansible_processor_vcpus": 8.0}
    await make_host(session, "database", inventory=east, groups=[groups["west coast"]], description="NYC", facts=facts)
    await make_host(session, "remote", inventory=west, groups=[local], description="nyc", facts=OTHER)
    await session.flush()
    return tenant.id


@pytest.fixture(scope="module")
async def asked(
    engine: AsyncEngine, built_app: FastAPI, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[httpx.AsyncClient, int]]:
    """A client of one world for all tests of this file, rolled back at its end; and the organization."""
    folder = tmp_path_factory.mktemp("data")
    settings = Settings(data_dir=folder, database_url=database_url, secret_key="test-key")  # type: ignore[arg-type]
    async with engine.connect() as connection, connection.begin() as transaction:
        sessions = async_sessionmaker(bind=connection, expire_on_commit=False, join_transaction_mode="create_savepoint")
        async with sessions() as session:
            tenant_id = await make_world(session)
            token = await make_token(session, await make_user(session, "root", is_superuser=True))
            await session.commit()
        context = make_context(settings, sessions, RingingBell())
        for part in (built_app, *built_app.state.dialects.values()):
            part.state.context = context
        async with client_for(built_app, {"Authorization": f"Bearer {token}"}) as client:
            yield client, tenant_id
        await transaction.rollback()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.text[:60])
async def test_a_search_gives_the_hosts_that_its_row_names(asked: tuple[httpx.AsyncClient, int], case: Case) -> None:
    client, _ = asked
    answer = await client.get("/v2/hosts/", params={"host_filter": case.text, "page_size": 200})
    if case.refused:
        assert (answer.status_code, list(answer.json())) == (400, ["error"])
        assert answer.json()["error"].startswith(case.refused)
    else:
        assert answer.status_code == 200, answer.text
        assert [host["name"] for host in answer.json()["results"]] == sorted(case.hosts.split())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.text[:60])
async def test_a_smart_inventory_has_the_hosts_of_its_search_or_is_not_saved(
    asked: tuple[httpx.AsyncClient, int], case: Case
) -> None:
    client, tenant_id = asked
    body = {"name": case.text, "organization": tenant_id, "kind": "smart", "host_filter": case.text}
    answer = await client.post("/v2/inventories/", json=body)
    if case.refused:
        assert (answer.status_code, list(answer.json())) == (400, ["host_filter"])
        assert answer.json()["host_filter"][0].startswith(case.refused)
        return
    assert answer.status_code == 201, answer.text
    hosts = await client.get(answer.json()["related"]["hosts"], params={"page_size": 200})
    assert [host["name"] for host in hosts.json()["results"]] == sorted(case.hosts.split())

"""The client against the real application over HTTP: what the small server of the other tests only pretends."""

import os
from collections.abc import AsyncIterator

import pytest

from craton_inv.client import Client, ClientError
from craton_inv.db.engine import make_engine
from craton_inv.db.session import make_session_factory, unit_of_work
from craton_inv.repositories.scope import SYSTEM
from craton_inv.services.users import create_user
from craton_inv.settings import Settings
from tests.conftest import clone_template, drop_database
from tests.factories import make_host, make_inventory
from tests.serving import served

HOSTS = 7


@pytest.fixture(scope="module")
async def address(server_url: str, worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The service with an administrator `ann` (password `pw`) and one inventory of seven hosts."""
    name = f"client_{os.environ['CRATON_INV_TEST_TEMPLATE'].rsplit('_', 1)[1]}_{worker_id}"
    url = await clone_template(server_url, name)
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("data"),
        database_url=url,
        redis_url=None,
        secret_key="key",  # type: ignore[arg-type]
    )
    engine = make_engine(url, settings)
    async with unit_of_work(make_session_factory(engine)) as session:
        await create_user(session, SYSTEM, {"username": "ann", "password": "pw", "is_superuser": True})
        inventory = await make_inventory(session, "main")
        for number in range(HOSTS):
            await make_host(session, f"h{number}", inventory=inventory)
    await engine.dispose()
    with served(settings) as found:
        yield found
    await drop_database(server_url, name)


def test_a_password_buys_a_token_that_works(address: str) -> None:
    with Client.login(address, "ann", "pw", description="test") as api:
        assert [user["username"] for user in api.iterate("/v2/me/")] == ["ann"]


def test_a_wrong_password_is_a_401_with_the_services_sentence(address: str) -> None:
    with pytest.raises(ClientError, match="Invalid username/password") as caught:
        Client.login(address, "ann", "no")
    assert caught.value.status == 401


@pytest.mark.parametrize(
    ("path", "size"),
    [("/v2/hosts/", {"page_size": 3}), ("/api/v2/hosts/", {"page_size": 3}), ("/v1/hosts", {"limit": 3})],
)
def test_every_page_of_both_dialects_is_read(address: str, path: str, size: dict[str, int]) -> None:
    with Client.login(address, "ann", "pw") as api:
        names = [host["name"] for host in api.iterate(path, **size)]
    assert sorted(names) == [f"h{number}" for number in range(HOSTS)]


def test_an_object_is_made_found_changed_and_deleted(address: str) -> None:
    with Client.login(address, "ann", "pw") as api:
        inventory = api.find("/v2/inventories/", name="main")
        assert inventory is not None
        made = api.post("/v2/groups/", {"name": "web", "inventory": inventory["id"]})
        path = f"/v2/groups/{made['id']}/"
        assert api.patch(path, {"description": "new"})["description"] == "new"
        assert api.delete(path) is None
        assert api.find("/v2/groups/", name="web") is None


def test_facts_of_many_hosts_are_merged_and_read_as_they_arrive(address: str) -> None:
    with Client.login(address, "ann", "pw") as api:
        inventory = api.find("/v2/inventories/", name="main")
        assert inventory is not None
        facts = {"h1": {"rack": "größer"}, "h2": {"rack": 2}, "nobody": {"rack": 3}}
        assert api.merge_facts(inventory["id"], facts, skip=True)["missing"] == ["nobody"]
        rows = api.iterate_facts(inventory["id"], host=["h1", "h2"], keys="rack")
        assert {row["name"]: row["ansible_facts"] for row in rows} == {"h1": facts["h1"], "h2": facts["h2"]}
        with pytest.raises(ClientError, match="nobody"):
            api.merge_facts(inventory["id"], facts)
        with pytest.raises(ClientError, match="404"):
            list(api.iterate_facts(2**40))


def test_facts_are_put_and_read_back(address: str) -> None:
    with Client.login(address, "ann", "pw") as api:
        host = api.find("/v2/hosts/", name="h1")
        assert host is not None
        api.put_facts(host["id"], {"ansible_system": "Linux"})
        assert api.get(f"/v2/hosts/{host['id']}/ansible_facts/") == {"ansible_system": "Linux"}


@pytest.mark.parametrize("path", ["/v2/hosts/", "/v1/hosts"])
def test_a_bad_filter_says_why_in_both_dialects(address: str, path: str) -> None:
    with Client.login(address, "ann", "pw") as api, pytest.raises(ClientError, match="column") as caught:
        api.get(path, host_filter="name=")
    assert caught.value.status == 400

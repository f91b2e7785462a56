"""Kind controller: the inventory of another craton_inv, served on loopback as any other would be."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import update

from craton_inv.errors import InvalidField, RemoteFault, UpdateFailed
from craton_inv.models import Grant, Host
from craton_inv.providers import registry
from craton_inv.providers.base import SourceDefinition
from craton_inv.providers.credentials.definitions import ProviderCredential
from craton_inv.settings import Settings
from tests.api.conftest import make_token
from tests.factories import make_group, make_host, make_inventory, make_tenant, make_user, save
from tests.providers.running import refresh
from tests.refresh.world import World
from tests.serving import served

NOW = {"door": None}


@pytest.fixture
def open_settings(settings: Settings) -> Settings:
    """Loopback may be asked."""
    return settings.model_copy(update={"http_out_allow": "127.0.0.1"})


@pytest.fixture
def other(world: World, open_settings: Settings) -> Iterator[str]:
    """The address of the other controller, which keeps its rows in the same database."""
    url = world.engine.url.render_as_string(hide_password=False)
    with served(open_settings.model_copy(update={"database_url": url})) as address:
        yield address


async def filled(world: World) -> tuple[int, str]:
    """An inventory of the other controller with two hosts in a group, one of them switched off; a token for it."""
    async with world.factory() as session, session.begin():
        tenant = await make_tenant(session)
        inventory = await make_inventory(session, "there", tenant=tenant)
        group = await make_group(session, "web", inventory=inventory, variables={"tier": "front"})
        for number in (1, 2):
            variables = {"motd": "{{ x }}", "number": number}
            text = json.dumps(variables)
            await make_host(
                session,
                f"web-{number}",
                inventory=inventory,
                groups=[group],
                variables=variables,
                variables_text=text,
                enabled=number == 1,
            )
        user = await make_user(session)
        await save(session, Grant(user_id=user.id, tenant_id=tenant.id, role="reader"))
        return inventory.id, await make_token(session, user)


def source(credential: dict[str, Any] | None = None, **config: Any) -> SourceDefinition:
    credentials = () if credential is None else (ProviderCredential("controller", credential),)
    return SourceDefinition(0, 0, 0, "controller", source_vars=json.dumps(config), credentials=credentials)


async def test_hosts_groups_and_variables_come_over(world: World, open_settings: Settings, other: str) -> None:
    inventory_id, token = await filled(world)
    definition = source({"host": other, "oauth_token": token}, inventory_id=inventory_id)
    await refresh(world, open_settings, definition, around=NOW)
    assert await world.memberships() == {("web", "web-1"), ("web", "web-2")}
    assert await world.groups() == {"web": {"tier": "front"}}
    first, second = [await world.host(name) for name in ("web-1", "web-2")]
    assert (first.enabled, second.enabled) == (True, False)
    assert first.variables["motd"] == {"__ansible_unsafe": "{{ x }}"}
    assert first.instance_id == str(first.variables["remote_tower_id"])


async def test_a_host_renamed_over_there_is_renamed_in_place(world: World, open_settings: Settings, other: str) -> None:
    inventory_id, token = await filled(world)
    definition = source({"oauth_token": token}, host=other, inventory_id=inventory_id)
    await refresh(world, open_settings, definition, around=NOW)
    before = await world.host("web-1")
    async with world.factory() as session, session.begin():
        await session.execute(
            update(Host).where(Host.inventory_id == inventory_id, Host.name == "web-1").values(name="app-1")
        )
    await refresh(world, open_settings, definition, around=NOW)
    assert (await world.host("app-1")).id == before.id


async def test_what_did_not_change_is_not_sent_again(world: World, open_settings: Settings, other: str) -> None:
    inventory_id, token = await filled(world)
    definition = source({"oauth_token": token}, host=other, inventory_id=inventory_id)
    kept: dict[str, Any] = {}
    await refresh(world, open_settings, definition, around={**NOW, "remember": kept.update})
    again = await refresh(world, open_settings, definition, around={**NOW, "remembered": kept})
    assert "Nothing changed since the last update." in again.said
    assert again.counts == {}


async def test_a_token_that_is_not_known_there_fails(world: World, open_settings: Settings, other: str) -> None:
    inventory_id, _ = await filled(world)
    definition = source({"oauth_token": "civ_1_wrong"}, host=other, inventory_id=inventory_id)
    with pytest.raises(RemoteFault, match="answers 401: the source needs a credential"):
        await refresh(world, open_settings, definition, around=NOW)


async def test_an_inventory_that_is_not_there_fails(world: World, open_settings: Settings, other: str) -> None:
    _, token = await filled(world)
    with pytest.raises(RemoteFault, match="answers 404"):
        await refresh(world, open_settings, source({"oauth_token": token}, host=other, inventory_id=2**40), around=NOW)


async def test_a_source_without_a_host_says_so(world: World, settings: Settings) -> None:
    with pytest.raises(UpdateFailed, match="names no host"):
        await refresh(world, settings, source(inventory_id=1), around=NOW)


async def test_s01_the_host_of_a_credential_is_checked_too(world: World, settings: Settings) -> None:
    with pytest.raises(InvalidField, match="not public"):
        await refresh(world, settings, source({"host": "https://127.0.0.1"}, inventory_id=1), around=NOW)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"host": "https://x.example.org"}, "inventory_id: "),
        ({"host": "https://10.0.0.1", "inventory_id": 1}, "host: 10.0.0.1 is, or leads to"),
        ({"host": "http://x.example.org", "inventory_id": 1}, "host: Only https"),
        ({"host": "https://x.example.org?a=b", "inventory_id": 1}, "no query"),
        ({"inventory_id": 1, "oauth_token": "x"}, "oauth_token: Extra inputs"),
    ],
)
def test_a_source_that_could_never_be_read_is_refused(config: dict[str, Any], told: str, settings: Settings) -> None:
    with pytest.raises(InvalidField, match=told):
        registry.get("controller").check(source(**config), settings)

"""Kind openstack against real Keystone and Ironic: full, by target, in pages, with tokens that end.

Opt-in: they run where `install` of this folder was run, see docs/development.md.
"""

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from craton_inv.errors import UpdateFailed
from craton_inv.models import NetworkPort
from craton_inv.providers.base import SourceDefinition, Surroundings
from craton_inv.providers.credentials.definitions import ProviderCredential
from craton_inv.providers.openstack import live
from craton_inv.settings import Settings
from tests.providers.clouds import refresh, rows
from tests.providers.real_openstack.services import PASSWORD, REGION, RealOpenStack, running
from tests.refresh.world import World, written

pytestmark = [
    pytest.mark.full,
    pytest.mark.xdist_group("real_openstack"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),  # openstacksdk warns of what it does itself
]
PARTS = ["networks", "volumes", "images", "flavors", "hypervisors", "baremetal"]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealOpenStack]:
    """Both services, once for all tests."""
    program = os.environ.get("CRATON_INV_TEST_OPENSTACK")
    if program is None:
        pytest.skip("no Keystone and Ironic on this machine; the list `Beyond Python wheels` says how they come")
    with running(Path(program).absolute().parent, tmp_path_factory.mktemp("openstack")) as started:
        yield started


@pytest.fixture
def admin(cloud: RealOpenStack) -> Iterator[Any]:
    """Ironic's bare-metal part as openstacksdk has it, for the administrator; it has no nodes before and after."""
    with cloud.connect() as connection:
        yield connection.baremetal
        for node in list(connection.baremetal.nodes()):
            if node.instance_id:
                connection.baremetal.update_node(node, instance_id=None)
            connection.baremetal.delete_node(node)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings that allow loopback."""
    return settings.model_copy(update={"http_out_allow": "127.0.0.1"})


def login(cloud: RealOpenStack, **changes: str) -> ProviderCredential:
    """The administrator's credential, with changes."""
    inputs = {"host": f"{cloud.identity}/v3", "username": "admin", "password": PASSWORD, "project": "admin"}
    return ProviderCredential("openstack", {**inputs, "region": REGION, **changes})


def source(cloud: RealOpenStack, *, parts: list[str] = PARTS, **changes: str) -> SourceDefinition:
    """A source that reads everything there could be."""
    wanted = json.dumps({"parts": parts})
    return SourceDefinition(0, 0, 0, "openstack", source_vars=wanted, credentials=(login(cloud, **changes),))


def add_node(admin: Any, number: int, **values: Any) -> Any:
    """A node `rack1-n<number>` of pretended hardware, with a network card."""
    properties = {"cpus": 8, "memory_mb": 65536, "cpu_arch": "x86_64"}
    node = admin.create_node(
        driver="fake-hardware", name=f"rack1-n{number}", properties=properties, resource_class="large", **values
    )
    admin.create_port(node_id=node.id, address=f"52:54:00:9a:10:{number:02x}")
    return node


async def test_a_node_comes_with_its_network_card(
    world: World, settings: Settings, cloud: RealOpenStack, admin: Any
) -> None:
    made = add_node(admin, 1, driver_info={"fake_password": "of-the-bmc"}, extra={"rack": "r1"})
    admin.add_node_trait(made, "CUSTOM_FAST")
    run = await refresh(world, settings, source(cloud))
    assert run.incomplete == {}
    host = await world.host("rack1-n1")
    assert (host.instance_id, host.enabled) == (made.id, True)
    node = host.variables["baremetal"]
    assert (node["driver"], node["provision_state"], node["resource_class"]) == ("fake-hardware", "enroll", "large")
    assert (node["traits"], node["extra"], node["properties"]["cpus"]) == (["CUSTOM_FAST"], {"rack": "r1"}, 8)
    assert "of-the-bmc" not in json.dumps(host.variables)
    assert {group for group, _ in await world.memberships()} == {"openstack", "baremetal", f"region_{REGION}"}
    [port] = await rows(world, NetworkPort)
    assert (port.host_id, port.mac_address) == (host.id, "52:54:00:9a:10:01")
    again = await refresh(world, settings, source(cloud))
    assert (again.counts["hosts"].delivered, written(again.counts)) == (1, 0)


@pytest.mark.parametrize("change", ["renamed", "in maintenance", "taken", "gone"])
async def test_one_node_by_target_is_as_a_full_refresh_leaves_it(
    world: World, settings: Settings, cloud: RealOpenStack, admin: Any, change: str
) -> None:
    first, second = add_node(admin, 1), add_node(admin, 2)
    await refresh(world, settings, source(cloud))
    if change == "renamed":
        admin.update_node(first, name="rack7-n1")
    elif change == "in maintenance":
        admin.set_node_maintenance(first, "a fan is broken")
    elif change == "taken":  # by somebody who deploys without Nova
        admin.update_node(first, instance_id=str(uuid4()))
    else:
        admin.delete_node(first)
    targeted = await refresh(world, settings, source(cloud), first.id)
    assert targeted.counts["hosts"].delivered == (change != "gone")
    name = {"renamed": ["rack7-n1"], "gone": []}.get(change, ["rack1-n1"])
    assert sorted(await world.hosts()) == sorted([*name, second.name])
    if change == "in maintenance":
        assert not (await world.host("rack1-n1")).enabled
    full = await refresh(world, settings, source(cloud))
    assert (full.incomplete, written(full.counts)) == ({}, 0)


async def test_nodes_are_read_page_by_page_under_another_token_when_one_ends(
    settings: Settings, cloud: RealOpenStack, admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = {add_node(admin, number).id for number in range(1, 6)}
    monkeypatch.setattr(live, "PAGE_SIZE", 2)
    asked = live.Live(login(cloud), REGION, Surroundings(settings))
    found, tokens = set(), set()
    async for node in asked.items("baremetal", "/nodes/detail", "nodes"):
        session = asked._connection.session
        tokens.add(await asyncio.to_thread(session.get_token))
        if not found:
            await asyncio.to_thread(revoke, cloud, session.get_token())
        found.add(node["uuid"])
    await asked.close()
    assert found == wanted
    assert len(tokens) == 2


def revoke(cloud: RealOpenStack, token: str) -> None:
    """End a token."""
    with cloud.connect() as administrator:
        answer = administrator.identity.delete("/auth/tokens", headers={"X-Subject-Token": token})
        assert answer.status_code == 204


async def test_a_wrong_password_is_told_without_it(world: World, settings: Settings, cloud: RealOpenStack) -> None:
    with pytest.raises(UpdateFailed, match="Keystone refuses the credential") as caught:
        await refresh(world, settings, source(cloud, password="not-the-password"))
    assert "not-the-password" not in caught.value.message


async def test_keystone_may_be_named_without_its_version(
    world: World, settings: Settings, cloud: RealOpenStack, admin: Any
) -> None:
    add_node(admin, 1)
    await refresh(world, settings, source(cloud, host=cloud.identity))
    assert set(await world.hosts()) == {"rack1-n1"}


async def test_a_region_that_is_not_there_is_told_with_those_that_are(
    world: World, settings: Settings, cloud: RealOpenStack
) -> None:
    with pytest.raises(UpdateFailed, match=rf"in the region Elsewhere; its catalog has the regions {REGION}\."):
        await refresh(world, settings, source(cloud, region="Elsewhere"))


async def test_a_cloud_without_servers_is_refused_unless_bare_metal_is_asked_for(
    world: World, settings: Settings, cloud: RealOpenStack
) -> None:
    with pytest.raises(UpdateFailed, match="For bare metal alone, name the part baremetal"):
        await refresh(world, settings, source(cloud, parts=["networks"]))


async def test_who_may_not_read_nodes_learns_it_and_nothing_is_deleted(
    world: World, settings: Settings, cloud: RealOpenStack, admin: Any
) -> None:
    add_node(admin, 1)
    await refresh(world, settings, source(cloud))
    with cloud.connect() as administrator:
        project = administrator.identity.create_project(name="guests", domain_id="default")
        guest = administrator.identity.create_user(name="guest", password="a-guests-password", domain_id="default")
        role = administrator.identity.create_role(name="outsider")
        administrator.identity.assign_project_role_to_user(project, guest, role)
    run = await refresh(
        world, settings, source(cloud, username="guest", password="a-guests-password", project="guests")
    )
    assert set(run.incomplete) == {"hosts", "groups", "memberships", "network_ports"}
    assert "the credential lacks the right" in run.incomplete["hosts"]
    assert set(await world.hosts()) == {"rack1-n1"}

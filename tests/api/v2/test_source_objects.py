"""What sources deliver beside hosts and groups: lists, single objects, and what hosts say of them."""

from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import (
    Disk,
    Flavor,
    Host,
    Hypervisor,
    Image,
    Inventory,
    InventorySource,
    Network,
    NetworkPort,
    Resource,
)
from tests.api.conftest import ClientOf
from tests.api.v2.conftest import Statements
from tests.factories import make_host, make_inventory, make_object, make_source, make_tenant

KINDS = ("hypervisors", "flavors", "images", "networks", "disks", "network_ports", "resources")


class Cloud:
    """A source with two hosts: `web1` is linked to one of everything, `web2` to nothing."""

    def __init__(self, inventory: Inventory, source: InventorySource, rows: dict[str, Any]) -> None:
        self.inventory = inventory
        self.source = source
        self.rows = rows

    def __getitem__(self, plural: str) -> Any:
        return self.rows[plural]


async def make_cloud(session: AsyncSession, **values: Any) -> Cloud:
    """In an inventory of its own."""
    inventory = await make_inventory(session, **values)
    source = await make_source(session, "cloud", inventory=inventory)
    of = {"source": source}
    rows: dict[str, Any] = {
        "hypervisors": await make_object(session, Hypervisor, "rack1", ip_address="10.9.9.9", memory_mb=1024, **of),
        "flavors": await make_object(session, Flavor, "m5.large", ref="m5.large", cpus=2, **of),
        "images": await make_object(session, Image, "debian-12", os_family="debian", size=2**33, **of),
        "networks": await make_object(session, Network, "lan", cidr="10.0.0.0/16", mtu=1500, external=False, **of),
        "resources": await make_object(session, Resource, "shop", collection="stacks", attributes={"tier": 1}, **of),
    }
    links = {"parent_host_id": "hypervisors", "flavor_id": "flavors", "image_id": "images"}
    linked = {column: rows[plural].id for column, plural in links.items()}
    rows["web1"] = await make_host(session, "web1", inventory=inventory, **linked)
    rows["web2"] = await make_host(session, "web2", inventory=inventory)
    host = {"host_id": rows["web1"].id, **of}
    rows["disks"] = await make_object(session, Disk, "root", device="/dev/sda", size=100 * 2**30, bootable=True, **host)
    rows["network_ports"] = await make_object(
        session,
        NetworkPort,
        "eth0",
        network_id=rows["networks"].id,
        mac_address="02:00:00:00:00:01",
        ip_address="10.0.0.1",
        ip_addresses=["10.0.0.1", "fe80::1"],
        **host,
    )
    return Cloud(inventory, source, rows)


@pytest.fixture
async def cloud(session: AsyncSession) -> Cloud:
    """One cloud."""
    return await make_cloud(session)


async def names(client: httpx.AsyncClient, path: str, **query: str) -> list[str]:
    """The names that a list gives."""
    answer = await client.get(f"/v2/{path}/", params=query)
    assert answer.status_code == 200, answer.text
    return [row["name"] for row in answer.json()["results"]]


@pytest.mark.parametrize("plural", KINDS)
async def test_an_object_is_read_alone_and_in_lists(client: httpx.AsyncClient, cloud: Cloud, plural: str) -> None:
    row = cloud[plural]
    answer = await client.get(f"/api/v2/{plural}/{row.id}/")
    shown = answer.json()
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"1"')
    assert shown["url"] == f"/api/v2/{plural}/{row.id}/"
    assert (shown["name"], shown["ref"], shown["collected_at"]) == (row.name, row.ref, None)
    assert (shown["inventory"], shown["inventory_source"]) == (cloud.inventory.id, cloud.source.id)
    assert shown["summary_fields"]["inventory_source"]["name"] == "cloud"
    assert shown["summary_fields"]["user_capabilities"] == {"edit": False, "delete": False}
    for path in (plural, f"inventories/{cloud.inventory.id}/{plural}"):
        assert (await client.get(f"/api/v2/{path}/")).json()["results"] == [shown]
    for path in shown["related"].values():
        assert (await client.get(path)).status_code == 200, path


@pytest.mark.parametrize("plural", KINDS)
async def test_objects_are_written_by_their_source_alone(client: httpx.AsyncClient, cloud: Cloud, plural: str) -> None:
    for path, methods in ((plural, ["POST"]), (f"{plural}/{cloud[plural].id}", ["PUT", "PATCH", "DELETE"])):
        for method in methods:
            answer = await client.request(method, f"/v2/{path}/", json={"name": "mine"})
            assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS"), answer.text


async def test_objects_show_what_is_their_own(client: httpx.AsyncClient, cloud: Cloud) -> None:
    wanted: dict[str, dict[str, Any]] = {
        "hypervisors": {"ip_address": "10.9.9.9", "memory_mb": 1024, "hypervisor_type": None},
        "flavors": {"cpus": 2, "gpus": None},
        "images": {"os_family": "debian", "size": 2**33},
        "networks": {"cidr": "10.0.0.0/16", "mtu": 1500, "external": False},
        "disks": {"host": cloud["web1"].id, "device": "/dev/sda", "size": 100 * 2**30, "bootable": True},
        "network_ports": {
            "host": cloud["web1"].id,
            "network": cloud["networks"].id,
            "ip_address": "10.0.0.1",
            "ip_addresses": ["10.0.0.1", "fe80::1"],
        },
        "resources": {"collection": "stacks", "attributes": {"tier": 1}, "links": {}},
    }
    for plural, fields in wanted.items():
        shown = (await client.get(f"/v2/{plural}/{cloud[plural].id}/")).json()
        assert {name: shown[name] for name in fields} == fields


async def test_a_host_tells_what_it_is_linked_to(client: httpx.AsyncClient, cloud: Cloud) -> None:
    linked, bare = [(await client.get(f"/v2/hosts/{cloud[name].id}/")).json() for name in ("web1", "web2")]
    for field, plural in (("parent_host", "hypervisors"), ("flavor", "flavors"), ("image", "images")):
        row = cloud[plural]
        assert linked[field] == row.id
        assert linked["related"][field] == f"/v2/{plural}/{row.id}/"
        assert linked["summary_fields"][field] == {"id": row.id, "name": row.name}
        assert bare[field] is None
        assert field not in {**bare["related"], **bare["summary_fields"]}


async def test_lists_below_objects_hold_what_is_theirs(client: httpx.AsyncClient, cloud: Cloud) -> None:
    for name, found in (("web1", ["root"]), ("web2", [])):
        assert await names(client, f"hosts/{cloud[name].id}/disks") == found
    assert await names(client, f"hosts/{cloud['web1'].id}/network_ports") == ["eth0"]
    for plural in ("hypervisors", "flavors", "images"):
        assert await names(client, f"{plural}/{cloud[plural].id}/hosts") == ["web1"]
        assert await names(client, f"{plural}/{cloud[plural].id}/hosts", host_filter="name=web2") == []
    assert await names(client, f"networks/{cloud['networks'].id}/network_ports") == ["eth0"]
    assert await names(client, f"inventory_sources/{cloud.source.id}/resources") == ["shop"]


@pytest.mark.parametrize(
    ("path", "query", "found"),
    [
        ("disks", {"size__gt": str(2**30)}, ["root"]),
        ("disks", {"size__gt": str(2**40)}, []),
        ("disks", {"host__name": "web1"}, ["root"]),
        ("disks", {"search": "sda"}, ["root"]),
        ("disks", {"bootable": "true", "order_by": "-size"}, ["root"]),
        ("network_ports", {"network__cidr": "10.0.0.0/8"}, ["eth0"]),
        ("network_ports", {"ip_address__in": "10.0.0.0/24,1.1.1.1"}, ["eth0"]),
        ("network_ports", {"ip_addresses[]": "fe80::1"}, ["eth0"]),
        ("network_ports", {"ip_addresses[]__startswith": "10."}, ["eth0"]),
        ("network_ports", {"ip_addresses[]": "10.0.0.2"}, []),
        ("flavors", {"hosts__name": "web1"}, ["m5.large"]),
        ("flavors", {"hosts__name": "web2"}, []),
        ("images", {"inventory_source__name": "cloud", "role_level": "read_role"}, ["debian-12"]),
        ("hypervisors", {"search": "RACK"}, ["rack1"]),
        ("resources", {"collection": "stacks"}, ["shop"]),
        ("resources", {"attributes__tier__int": "1"}, ["shop"]),
        ("resources", {"collection": "nets"}, []),
        ("hosts", {"flavor__name": "m5.large"}, ["web1"]),
        ("hosts", {"parent_host__isnull": "true"}, ["web2"]),
        ("hosts", {"disks__size__gte": "1", "order_by": "flavor__name"}, ["web1"]),
    ],
)
async def test_lists_filter(
    client: httpx.AsyncClient, cloud: Cloud, path: str, query: dict[str, str], found: list[str]
) -> None:
    assert await names(client, path, **query) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("flavor__name=m5.large", ["web1"]),
        ("not flavor__name=m5.large", ["web2"]),
        ("disks__size__gt=107374182399", ["web1"]),
        ("disk__device=/dev/sda", ["web1"]),
        ("disks__isnull=true", ["web2"]),
        ("network_ports__mac_address=02:00:00:00:00:01", ["web1"]),
        ("network_ports__network__cidr=10.0.0.0/8", ["web1"]),
        ("network_ports__network__cidr=192.168.0.0/16", []),
        ("network_ports__ip_addresses[]=fe80::1", ["web1"]),
        ('network_ports__ip_addresses[] ~ "^10[.]"', ["web1"]),
        ("network_ports__ip_addresses[]__isnull=true", []),
        ("parent_host__name=rack1 and image__os_family=debian", ["web1"]),
        ("parent_host__hosts__name=web1", ["web1"]),
        ("parent_host__inventory_source__name=cloud", ["web1"]),
        ("flavor=null", ["web2"]),
    ],
)
async def test_host_filter_reaches_objects(
    client: httpx.AsyncClient, cloud: Cloud, text: str, found: list[str]
) -> None:
    assert await names(client, "hosts", host_filter=text) == found


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("network_ports__ip_addresses=10.0.0.1", "say ip_addresses[] for any element of it"),
        ("flavor__cpu=2", 'did you mean "cpus"?'),
        ("disks__size=big", "must be an integer"),
        ("disks__host__disks__size=1", "Loops not allowed"),
        ("image[]=1", "goes with arrays in JSON"),
    ],
)
async def test_a_host_filter_that_misses_is_told_how(
    client: httpx.AsyncClient, cloud: Cloud, text: str, why: str
) -> None:
    answer = await client.get("/v2/hosts/", params={"host_filter": text})
    assert answer.status_code == 400
    assert why in answer.json()["error"]


async def test_paths_lead_into_objects(client: httpx.AsyncClient, cloud: Cloud) -> None:
    async def paths(prefix: str) -> set[str]:
        answer = await client.get("/v2/host_filters/paths/", params={"prefix": prefix, "page_size": 200})
        assert answer.status_code == 200, answer.text
        return {row["path"] for row in answer.json()["results"]}

    assert {"disks__size", "disks__device"} <= await paths("disks__")
    assert "network_ports__ip_addresses[]" in await paths("network_ports__")
    assert {"flavor", "parent_host", "image"} <= await paths("")


async def test_a_term_on_a_disk_is_explained(client: httpx.AsyncClient, cloud: Cloud) -> None:
    body = {"host_filter": "disks__size > 5 and network_ports__ip_addresses[]=fe80::1", "host": cloud["web1"].id}
    answer = await client.post("/v2/host_filters/explain/", json=body)
    assert answer.status_code == 200, answer.text

    def terms(node: Any) -> list[dict[str, Any]]:
        if isinstance(node, dict):
            return [node] if "on_host" in node and "field_type" in node else terms([*node.values()])
        return [term for each in node for term in terms(each)] if isinstance(node, list) else []

    found = terms(answer.json())
    assert [(term["matches"], term["on_host"]["matches"]) for term in found] == [(1, True), (1, True)]
    assert [value["value"] for term in found for value in term["on_host"]["found"]] == [
        100 * 2**30,
        "10.0.0.1",
        "fe80::1",
    ]


@pytest.mark.parametrize("path", [*KINDS, "hosts"])
async def test_the_number_of_statements_does_not_grow(
    client: httpx.AsyncClient, session: AsyncSession, statements: Statements, path: str
) -> None:
    for _ in range(2):
        await make_cloud(session)
    await client.get(f"/v2/{path}/")  # the first use of a token in a while is noted in its row
    with statements.recorded() as few:
        assert (await client.get(f"/v2/{path}/?page_size=200")).status_code == 200
    for _ in range(6):
        await make_cloud(session)
    with statements.recorded() as many:
        assert (await client.get(f"/v2/{path}/?page_size=200")).status_code == 200
    assert len(many) == len(few), many


async def test_objects_move_with_their_inventory_and_go_with_it(
    client: httpx.AsyncClient, client_of: ClientOf, session: AsyncSession, cloud: Cloud
) -> None:
    other = await make_tenant(session)
    theirs = await client_of(other, "admin")
    assert await names(theirs, "disks") == []
    moved = await client.patch(f"/v2/inventories/{cloud.inventory.id}/", json={"organization": other.id})
    assert moved.status_code == 200, moved.text
    for plural in KINDS:
        assert await names(theirs, plural) == [cloud[plural].name], plural
    assert (await theirs.get(f"/v2/hosts/{cloud['web1'].id}/")).json()["flavor"] == cloud["flavors"].id


async def test_objects_go_with_their_source_and_leave_the_hosts(
    client: httpx.AsyncClient, session: AsyncSession, cloud: Cloud
) -> None:
    """Given a source with objects, when it is deleted, then they go with it and hosts stay."""
    host_id = cloud["web1"].id
    await session.delete(cloud.source)
    await session.flush()
    session.expire_all()
    for plural in KINDS:
        assert await names(client, plural) == []
    assert await names(client, "hosts") == ["web1", "web2"]
    assert (await session.get_one(Host, host_id)).flavor_id is None


async def test_a_reader_reads_objects(client_of: ClientOf, session: AsyncSession) -> None:
    tenant = await make_tenant(session)
    await make_cloud(session, tenant=tenant)
    reader = await client_of(tenant, "reader")
    assert [len(await names(reader, plural)) for plural in KINDS] == [1] * len(KINDS)

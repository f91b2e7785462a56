"""What sources log in with: attached by AWX's rules and refused in its words, by id on the source as well."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Credential, CredentialType, Inventory, InventorySource, InventoryUpdate, Tenant
from craton_inv.providers import registry
from craton_inv.services.source_credentials import NEEDED
from tests.api.conftest import ClientOf
from tests.factories import make_credential, make_source, make_tenant

MISMATCH = "Cloud-based inventory sources (such as {}) require credentials for the matching cloud service."


@pytest.fixture
async def tenant(session: AsyncSession, inventory: Inventory) -> Tenant:
    """The organization of `inventory`."""
    return (await session.scalars(select(Tenant).where(Tenant.id == inventory.tenant_id))).one()


async def of_type(session: AsyncSession, tenant: Tenant, namespace: str) -> Credential:
    """A credential of a managed type."""
    kind = (await session.scalars(select(CredentialType).where(CredentialType.namespace == namespace))).one()
    return await make_credential(session, tenant=tenant, credential_type=kind)


def path_of(source: InventorySource) -> str:
    """Where its credentials are."""
    return f"/api/v2/inventory_sources/{source.id}/credentials/"


async def test_a_credential_is_attached_listed_and_detached(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, tenant: Tenant
) -> None:
    source, credential = await make_source(session, inventory=inventory), await of_type(session, tenant, "aws")
    attached = await client.post(path_of(source), json={"id": credential.id})
    assert (attached.status_code, attached.content) == (204, b"")
    assert [row["id"] for row in (await client.get(path_of(source))).json()["results"]] == [credential.id]
    shown = (await client.get(f"/api/v2/inventory_sources/{source.id}/")).json()
    assert shown["credential"] == credential.id
    assert shown["related"]["credentials"] == path_of(source)
    told = {"id": credential.id, "name": credential.name, "description": "", "kind": "aws", "cloud": True}
    assert shown["summary_fields"]["credentials"] == [told]
    found = await client.get(f"/v2/inventory_sources/?credentials__name={credential.name}")
    assert [row["id"] for row in found.json()["results"]] == [source.id]
    detached = await client.post(path_of(source), json={"id": credential.id, "disassociate": True})
    assert detached.status_code == 204
    assert (await client.get(path_of(source))).json()["results"] == []


async def test_a_source_has_one_credential(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, tenant: Tenant
) -> None:
    source = await make_source(session, inventory=inventory)
    for status in (204, 400):
        answer = await client.post(path_of(source), json={"id": (await of_type(session, tenant, "aws")).id})
        assert answer.status_code == status
    assert answer.json() == {"msg": "Source already has credential assigned."}


@pytest.mark.parametrize(
    ("kind", "namespace", "told"),
    [
        ("ec2", "vmware", MISMATCH.format("ec2")),
        ("vmware", "aws", MISMATCH.format("vmware")),
        ("file", "insights", "Credentials of type insights and vault are disallowed for file inventory sources."),
        ("scm", "insights", "Credentials of type insights and vault are disallowed for scm inventory sources."),
        ("scm", "aws", ""),
        ("ec2", "aws", ""),
    ],
)
async def test_a_kind_of_source_takes_its_kind_of_credential(
    client: httpx.AsyncClient,
    session: AsyncSession,
    inventory: Inventory,
    tenant: Tenant,
    kind: str,
    namespace: str,
    told: str,
) -> None:
    source, credential = (
        await make_source(session, inventory=inventory, source=kind),
        await of_type(session, tenant, namespace),
    )
    answer = await client.post(path_of(source), json={"id": credential.id})
    assert (answer.status_code, answer.json() if told else None) == ((400, {"msg": told}) if told else (204, None))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"name": "x"}, {"msg": "Credential 'id' field is missing."}),
        ({"id": "x"}, {"msg": '"id" field must be an integer.'}),
        ({"id": 2**40}, {"detail": "Credential matching query does not exist."}),
        ({"disassociate": True}, {"msg": '"id" is required to disassociate'}),
    ],
)
async def test_what_cannot_be_attached_is_told_in_awx_words(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, body: dict[str, Any], told: dict[str, str]
) -> None:
    source = await make_source(session, inventory=inventory)
    answer = await client.post(path_of(source), json=body)
    assert (answer.status_code, answer.json()) == (400, told)


async def test_s22_a_credential_of_another_organization_is_not_used(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory
) -> None:
    source, foreign = await make_source(session, inventory=inventory), await make_credential(session)
    answer = await client.post(path_of(source), json={"id": foreign.id})
    assert (answer.status_code, answer.json()) == (400, {"msg": "The credential belongs to another organization."})
    patched = await client.patch(f"/v2/inventory_sources/{source.id}/", json={"credential": foreign.id})
    assert (patched.status_code, list(patched.json())) == (400, ["credential"])


async def test_who_may_change_the_source_may_use_a_credential(
    client_of: ClientOf, session: AsyncSession, inventory: Inventory, tenant: Tenant
) -> None:
    source, credential = await make_source(session, inventory=inventory), await of_type(session, tenant, "aws")
    for role, status in (("reader", 403), ("operator", 204)):
        answer = await (await client_of(tenant, role)).post(path_of(source), json={"id": credential.id})
        assert answer.status_code == status


async def test_the_older_way_names_it_on_the_source(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, tenant: Tenant
) -> None:
    credential = await of_type(session, tenant, "aws")
    body = {"name": "s", "inventory": inventory.id, "source": "file", "credential": credential.id}
    made = await client.post("/v2/inventory_sources/", json=body)
    assert (made.status_code, made.json()["credential"]) == (201, credential.id)
    cleared = await client.patch(made.json()["url"], json={"credential": None})
    assert (cleared.status_code, cleared.json()["credential"]) == (200, None)
    unknown = await client.patch(made.json()["url"], json={"credential": 2**40})
    assert (unknown.status_code, list(unknown.json())) == (400, ["credential"])


CLOUD = sorted(NEEDED.keys() & set(registry.kinds()) - {"ec2", "openshift_virtualization"})


@pytest.mark.parametrize("kind", CLOUD)
async def test_a_cloud_source_needs_a_credential(client: httpx.AsyncClient, inventory: Inventory, kind: str) -> None:
    body = {"name": "s", "inventory": inventory.id, "source": kind}
    answer = await client.post("/v2/inventory_sources/", json=body)
    assert answer.status_code == 400
    if "source_vars" not in answer.json():
        assert answer.json() == {"credential": ["Credential is required for a cloud source."]}


async def test_a_source_that_becomes_another_kind_needs_another_credential(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, tenant: Tenant
) -> None:
    credential = await of_type(session, tenant, "insights")
    source = await make_source(session, inventory=inventory, source="insights", credential_id=credential.id)
    answer = await client.patch(f"/v2/inventory_sources/{source.id}/", json={"source": "file"})
    assert (answer.status_code, list(answer.json())) == (400, ["credential"])


async def test_a_deleted_credential_leaves_its_sources(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, tenant: Tenant
) -> None:
    credential = await of_type(session, tenant, "aws")
    source = await make_source(session, inventory=inventory, credential_id=credential.id)
    assert (await client.delete(f"/v2/credentials/{credential.id}/")).status_code == 204
    shown = (await client.get(f"/v2/inventory_sources/{source.id}/")).json()
    assert (shown["credential"], shown["summary_fields"]["credentials"]) == (None, [])


async def test_an_inventory_does_not_take_credentials_to_another_organization(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, tenant: Tenant
) -> None:
    credential = await of_type(session, tenant, "aws")
    await make_source(session, inventory=inventory, credential_id=credential.id)
    other = await make_tenant(session)
    answer = await client.patch(f"/v2/inventories/{inventory.id}/", json={"organization": other.id})
    assert (answer.status_code, "log in with credentials" in answer.text) == (400, True)


async def test_a_run_shows_what_it_logged_in_with(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, tenant: Tenant
) -> None:
    credential = await of_type(session, tenant, "aws")
    source = await make_source(session, inventory=inventory, source="example", credential_id=credential.id)
    started = await client.post(f"/v2/inventory_sources/{source.id}/update/", json={})
    assert started.status_code == 202, started.text
    run = started.json()
    assert (run["credential"], run["summary_fields"]["credentials"][0]["id"]) == (credential.id, credential.id)
    listed = await client.get(run["related"]["credentials"])
    assert [row["id"] for row in listed.json()["results"]] == [credential.id]
    kept = (await session.scalars(select(InventoryUpdate.credential_id))).all()
    assert kept == [credential.id]

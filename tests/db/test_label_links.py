"""What the database itself keeps of labels: their organization, and that one goes with its last link."""

from typing import Any

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Host, HostLabel, Inventory, InventoryLabel, Label, Tenant
from craton_inv.repositories.labels import begin_move
from tests.factories import make_host, make_inventory, make_label, make_tenant, save


async def tried(session: AsyncSession, *statements: Any) -> None:
    """Run statements in a savepoint."""
    async with session.begin_nested():
        for statement in statements:
            await session.execute(statement)


async def refused(session: AsyncSession, row: InventoryLabel | HostLabel) -> str:
    """The constraint that refuses a new row."""
    values = {column.name: getattr(row, column.name) for column in row.__table__.columns}
    with pytest.raises(IntegrityError) as caught:
        await tried(session, insert(row.__table__).values(values))
    return str(caught.value)


@pytest.mark.parametrize("owner", ["label", "bearer"])
async def test_s24_no_inventory_bears_a_label_of_another_tenant(session: AsyncSession, owner: str) -> None:
    inventory, label = await make_inventory(session), await make_label(session)
    tenant_id = label.tenant_id if owner == "label" else inventory.tenant_id
    row = InventoryLabel(inventory_id=inventory.id, label_id=label.id, tenant_id=tenant_id)
    key = "inventory_id_tenant_id" if owner == "label" else "label_id_tenant_id"
    assert f"fk_inventory_labels_{key}" in await refused(session, row)


@pytest.mark.parametrize("owner", ["label", "bearer"])
async def test_s24_no_host_bears_a_label_of_another_tenant(session: AsyncSession, owner: str) -> None:
    host, label = await make_host(session), await make_label(session)
    tenant_id = label.tenant_id if owner == "label" else host.tenant_id
    row = HostLabel(host_id=host.id, inventory_id=host.inventory_id, label_id=label.id, tenant_id=tenant_id)
    key = "inventory_id_tenant_id" if owner == "label" else "label_id_tenant_id"
    assert f"fk_host_labels_{key}" in await refused(session, row)


async def test_s24_no_host_bears_a_label_through_an_inventory_that_is_not_its_own(session: AsyncSession) -> None:
    host, label = await make_host(session), await make_label(session)
    (tenant,) = await session.scalars(select(Tenant).where(Tenant.id == label.tenant_id))
    other = await make_inventory(session, tenant=tenant)
    row = HostLabel(host_id=host.id, inventory_id=other.id, label_id=label.id, tenant_id=label.tenant_id)
    assert "fk_host_labels_host_id_inventory_id" in await refused(session, row)


@pytest.mark.parametrize("announced", [True, False])
async def test_s24_an_inventory_that_moves_cannot_leave_its_labels_behind(
    session: AsyncSession, announced: bool
) -> None:
    tenant, other = await make_tenant(session), await make_tenant(session)
    inventory = await make_inventory(session, tenant=tenant)
    await make_label(session, tenant=tenant, on=[inventory])
    move = update(Inventory).where(Inventory.id == inventory.id).values(tenant_id=other.id)
    if announced:
        await begin_move(session)
    with pytest.raises(IntegrityError, match="fk_inventory_labels_inventory_id_tenant_id"):
        await tried(session, move, text("SET CONSTRAINTS ALL IMMEDIATE"))  # as a commit does


async def test_a_label_cannot_be_deleted_while_it_is_borne(session: AsyncSession) -> None:
    host = await make_host(session)
    (tenant,) = await session.scalars(select(Tenant).where(Tenant.id == host.tenant_id))
    label = await make_label(session, tenant=tenant, on=[host])
    with pytest.raises(IntegrityError, match="fk_host_labels_label_id_tenant_id"):
        await tried(session, delete(Label).where(Label.id == label.id))


async def left(session: AsyncSession, tenant: Tenant) -> list[str]:
    """The labels of a tenant."""
    return list(await session.scalars(select(Label.name).where(Label.tenant_id == tenant.id).order_by(Label.name)))


async def test_labels_go_with_the_last_of_what_bears_them(session: AsyncSession) -> None:
    tenant = await make_tenant(session)
    inventory, other = [await make_inventory(session, tenant=tenant) for _ in range(2)]
    one, two = [await make_host(session, inventory=inventory) for _ in range(2)]
    await make_label(session, "free", tenant=tenant)
    await make_label(session, "hosts", tenant=tenant, on=[one, two])
    await make_label(session, "mixed", tenant=tenant, on=[one, inventory, other])
    await session.execute(delete(Host).where(Host.id == one.id))
    assert await left(session, tenant) == ["free", "hosts", "mixed"]
    await session.execute(delete(Host).where(Host.id == two.id))
    assert await left(session, tenant) == ["free", "mixed"]
    await session.execute(delete(Inventory).where(Inventory.id == inventory.id))
    assert await left(session, tenant) == ["free", "mixed"]
    await session.execute(delete(Inventory).where(Inventory.id == other.id))
    assert await left(session, tenant) == ["free"]


async def test_an_inventory_that_goes_at_once_takes_the_labels_of_its_hosts(session: AsyncSession) -> None:
    tenant = await make_tenant(session)
    inventory = await make_inventory(session, tenant=tenant)
    hosts = [await make_host(session, inventory=inventory) for _ in range(3)]
    await make_label(session, "all", tenant=tenant, on=[inventory, *hosts])
    await make_label(session, "one", tenant=tenant, on=hosts[:1])
    await session.execute(delete(Inventory).where(Inventory.id == inventory.id))
    assert await left(session, tenant) == []


async def test_a_changed_label_moves_its_generation(session: AsyncSession) -> None:
    label = await make_label(session)
    label.name = "renamed"
    await save(session, label)
    assert label.generation == 2


async def test_links_leave_the_generation_of_the_inventory_alone(session: AsyncSession) -> None:
    # What Ansible reads does not change with them: who holds a script keeps it.
    tenant = await make_tenant(session)
    inventory = await make_inventory(session, tenant=tenant)
    host = await make_host(session, inventory=inventory)
    await session.refresh(inventory)
    before = inventory.generation
    await make_label(session, tenant=tenant, on=[inventory, host])
    await session.refresh(inventory)
    assert inventory.generation == before

"""What a source delivers is of one inventory throughout: keys of several columns refuse anything else."""

from typing import Any

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Disk, Flavor, Host, Hypervisor, Image, Inventory, Network, NetworkPort, Resource
from tests.factories import make_host, make_inventory, make_object, make_source, make_tenant


@pytest.mark.parametrize(
    ("model", "column"), [(Hypervisor, "parent_host_id"), (Flavor, "flavor_id"), (Image, "image_id")]
)
async def test_a_host_is_linked_within_its_inventory_alone(session: AsyncSession, model: Any, column: str) -> None:
    foreign = await make_object(session, model)
    host = await make_host(session)
    with pytest.raises(IntegrityError, match=f"fk_hosts_{column}_inventory_id"):
        await session.execute(update(Host).where(Host.id == host.id).values({column: foreign.id}))


@pytest.mark.parametrize("model", [Disk, NetworkPort])
async def test_a_disk_or_port_is_of_a_host_of_its_inventory(session: AsyncSession, model: Any) -> None:
    source, host = await make_source(session), await make_host(session)
    with pytest.raises(IntegrityError, match="host_id_inventory_id"):
        await make_object(session, model, source=source, host_id=host.id)


async def test_a_row_is_of_the_inventory_and_tenant_of_its_source(session: AsyncSession) -> None:
    flavor, other = await make_object(session, Flavor), await make_inventory(session)
    with pytest.raises(IntegrityError, match="fk_flavors_inventory_source_id"):
        await session.execute(update(Flavor).where(Flavor.id == flavor.id).values(inventory_id=other.id))


async def test_a_ref_is_unique_in_its_source_and_of_resources_in_their_collection(session: AsyncSession) -> None:
    source = await make_source(session)
    same = {"ref": "same", "source": source}
    for collection in ("one", "two"):
        await make_object(session, Resource, collection=collection, **same)
    await make_object(session, Flavor, **same)
    await make_object(session, Flavor, ref="same")
    with pytest.raises(IntegrityError, match="uq_flavors_inventory_source_id_ref"):
        await make_object(session, Flavor, **same)


async def test_what_goes_empties_the_links_to_it_and_nothing_else(session: AsyncSession) -> None:
    inventory = await make_inventory(session)
    source = await make_source(session, inventory=inventory)
    flavor, network = [await make_object(session, model, source=source) for model in (Flavor, Network)]
    host = await make_host(session, inventory=inventory, flavor_id=flavor.id)
    port = await make_object(session, NetworkPort, source=source, host_id=host.id, network_id=network.id)
    await session.execute(delete(Flavor).where(Flavor.id == flavor.id))
    await session.execute(delete(Network).where(Network.id == network.id))
    linked = select(Host.flavor_id, Host.inventory_id).where(Host.id == host.id)
    assert (await session.execute(linked)).one() == (None, inventory.id)
    linked = select(NetworkPort.network_id, NetworkPort.inventory_id).where(NetworkPort.id == port.id)
    assert (await session.execute(linked)).one() == (None, inventory.id)


async def test_all_of_it_moves_to_another_tenant_and_goes_with_the_inventory(session: AsyncSession) -> None:
    inventory = await make_inventory(session)
    source = await make_source(session, inventory=inventory)
    host = await make_host(session, inventory=inventory)
    models: tuple[Any, ...] = (Hypervisor, Flavor, Image, Network, Resource, Disk, NetworkPort)
    for model in models:
        of_host = {"host_id": host.id} if model in (Disk, NetworkPort) else {}
        await make_object(session, model, source=source, **of_host)
    tenant = await make_tenant(session)
    await session.execute(update(Inventory).where(Inventory.id == inventory.id).values(tenant_id=tenant.id))
    assert [await session.scalar(select(model.tenant_id)) for model in models] == [tenant.id] * len(models)
    await session.execute(delete(Inventory).where(Inventory.id == inventory.id))
    assert [await session.scalar(select(model.id)) for model in models] == [None] * len(models)

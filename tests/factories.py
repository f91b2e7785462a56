"""Factories: each makes one object with sensible values; associations are explicit."""

import itertools
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import (
    Credential,
    CredentialType,
    Disk,
    Flavor,
    Group,
    GroupEdge,
    Host,
    HostFacts,
    HostLabel,
    Hypervisor,
    Image,
    InputInventory,
    Inventory,
    InventoryLabel,
    InventorySource,
    Label,
    Membership,
    Network,
    NetworkPort,
    Project,
    Region,
    Resource,
    Schedule,
    Tenant,
    User,
)

_numbers = itertools.count(1)


async def save(session: AsyncSession, row: Any) -> Any:
    """Insert and fill in what the database makes."""
    session.add(row)
    await session.flush()
    return row


async def make_tenant(session: AsyncSession, name: str = "", **values: Any) -> Tenant:
    """A tenant."""
    tenant: Tenant = await save(session, Tenant(name=name or f"tenant-{next(_numbers)}", **values))
    return tenant


async def make_user(session: AsyncSession, username: str = "", **values: Any) -> User:
    """A user without a password."""
    user: User = await save(session, User(username=username or f"user-{next(_numbers)}", **values))
    return user


async def make_inventory(
    session: AsyncSession, name: str = "", *, tenant: Tenant | None = None, **values: Any
) -> Inventory:
    """An inventory, in a tenant of its own unless one is given."""
    tenant = tenant or await make_tenant(session)
    row = Inventory(tenant_id=tenant.id, name=name or f"inventory-{next(_numbers)}", **values)
    inventory: Inventory = await save(session, row)
    return inventory


async def make_constructed(
    session: AsyncSession,
    name: str = "",
    *,
    tenant: Tenant | None = None,
    inputs: Iterable[Inventory] = (),
    **values: Any,
) -> Inventory:
    """A constructed inventory with its source, in a tenant of its own unless one is given. `values`: the source's."""
    inventory = await make_inventory(session, name, tenant=tenant, kind="constructed")
    made = {"overwrite": True, "overwrite_vars": True, "update_on_launch": True, **values}
    await make_source(session, inventory=inventory, source="constructed", **made)
    for position, given in enumerate(inputs):
        link = {"input_inventory_id": given.id, "tenant_id": inventory.tenant_id, "position": position}
        await save(session, InputInventory(inventory_id=inventory.id, **link))
    return inventory


async def make_region(session: AsyncSession, name: str = "", *, tenant: Tenant | None = None, **values: Any) -> Region:
    """A region with the inventory it owns."""
    tenant = tenant or await make_tenant(session)
    name = name or f"region-{next(_numbers)}"
    inventory = await make_inventory(session, name, tenant=tenant)
    region: Region = await save(session, Region(tenant_id=tenant.id, inventory_id=inventory.id, name=name, **values))
    return region


async def make_host(
    session: AsyncSession, name: str = "", *, inventory: Inventory | None = None, **values: Any
) -> Host:
    """A host, in an inventory of its own unless one is given. `facts` makes its facts too; `groups` its memberships."""
    inventory = inventory or await make_inventory(session)
    facts = values.pop("facts", None)
    groups = values.pop("groups", ())
    row = Host(
        inventory_id=inventory.id, tenant_id=inventory.tenant_id, name=name or f"host-{next(_numbers)}", **values
    )
    host: Host = await save(session, row)
    if facts is not None:
        await save(session, HostFacts(host_id=host.id, facts=facts))
    for group in groups:
        await add_member(session, group, host)
    return host


async def make_group(
    session: AsyncSession, name: str = "", *, inventory: Inventory | None = None, **values: Any
) -> Group:
    """A group, in an inventory of its own unless one is given."""
    inventory = inventory or await make_inventory(session)
    row = Group(
        inventory_id=inventory.id, tenant_id=inventory.tenant_id, name=name or f"group-{next(_numbers)}", **values
    )
    group: Group = await save(session, row)
    return group


async def add_member(session: AsyncSession, group: Group, host: Host) -> None:
    """Put a host into a group."""
    await save(session, Membership(group_id=group.id, host_id=host.id, inventory_id=group.inventory_id))


async def add_child(session: AsyncSession, parent: Group, child: Group) -> None:
    """Put a group below a group."""
    await save(session, GroupEdge(parent_id=parent.id, child_id=child.id, inventory_id=parent.inventory_id))


async def make_source(
    session: AsyncSession, name: str = "", *, inventory: Inventory | None = None, **values: Any
) -> InventorySource:
    """An inventory source, of kind `file` unless told otherwise."""
    inventory = inventory or await make_inventory(session)
    values.setdefault("source", "file")
    row = InventorySource(
        inventory_id=inventory.id, tenant_id=inventory.tenant_id, name=name or f"source-{next(_numbers)}", **values
    )
    source: InventorySource = await save(session, row)
    return source


async def make_credential_type(
    session: AsyncSession, name: str = "", *, tenant: Tenant | None = None, **values: Any
) -> CredentialType:
    """A custom type with one plain input `user` and one secret `word`, of all tenants unless one is given."""
    fields = [{"id": "user", "label": "User", "type": "string"}]
    fields.append({"id": "word", "label": "Word", "type": "string", "secret": True})  # type: ignore[dict-item]
    values = {"kind": "cloud", "inputs": {"fields": fields}, **values}
    tenant_id = None if tenant is None else tenant.id
    row = CredentialType(name=name or f"type-{next(_numbers)}", tenant_id=tenant_id, **values)
    made: CredentialType = await save(session, row)
    return made


async def make_credential(
    session: AsyncSession,
    name: str = "",
    *,
    tenant: Tenant | None = None,
    credential_type: CredentialType | None = None,
    **values: Any,
) -> Credential:
    """A credential without secrets, in a tenant and of a type of its own unless they are given."""
    tenant = tenant or await make_tenant(session)
    kind = credential_type or await make_credential_type(session, tenant=tenant)
    row = Credential(
        tenant_id=tenant.id, credential_type_id=kind.id, name=name or f"credential-{next(_numbers)}", **values
    )
    credential: Credential = await save(session, row)
    return credential


async def make_project(
    session: AsyncSession, name: str = "", *, tenant: Tenant | None = None, **values: Any
) -> Project:
    """A project with a repository, in a tenant of its own unless one is given."""
    tenant = tenant or await make_tenant(session)
    values = {"scm_type": "git", "scm_url": "https://git.example.org/shop.git", **values}
    row = Project(tenant_id=tenant.id, name=name or f"project-{next(_numbers)}", **values)
    project: Project = await save(session, row)
    return project


async def make_label(
    session: AsyncSession,
    name: str = "",
    *,
    tenant: Tenant | None = None,
    on: Iterable[Inventory | Host] = (),
) -> Label:
    """A label, in a tenant of its own unless one is given. `on`: what bears it."""
    tenant = tenant or await make_tenant(session)
    label: Label = await save(session, Label(tenant_id=tenant.id, name=name or f"label-{next(_numbers)}"))
    for bearer in on:
        await wear(session, bearer, label)
    return label


async def make_schedule(session: AsyncSession, name: str = "", *, source: InventorySource, **values: Any) -> Schedule:
    """A daily schedule of a source; `values`: further columns."""
    given = {
        "rrule": "DTSTART:20260101T000000Z RRULE:FREQ=DAILY;INTERVAL=1",
        "dtstart": datetime(2026, 1, 1, tzinfo=UTC),
        "inventory_id": source.inventory_id,
        "tenant_id": source.tenant_id,
        **values,
    }
    row = Schedule(inventory_source_id=source.id, name=name or f"schedule-{next(_numbers)}", **given)
    schedule: Schedule = await save(session, row)
    return schedule


async def wear(session: AsyncSession, bearer: Inventory | Host, label: Label) -> None:
    """Attach a label to an inventory or a host."""
    link = {"label_id": label.id, "tenant_id": label.tenant_id}
    if isinstance(bearer, Host):
        await save(session, HostLabel(host_id=bearer.id, inventory_id=bearer.inventory_id, **link))
    else:
        await save(session, InventoryLabel(inventory_id=bearer.id, **link))


S = TypeVar("S", Disk, Flavor, Hypervisor, Image, Network, NetworkPort, Resource)


async def make_object(
    session: AsyncSession, model: type[S], name: str = "", *, source: InventorySource | None = None, **values: Any
) -> S:
    """A hypervisor, flavor, disk ... of a source of its own unless one is given. Disks and ports need a `host_id`."""
    source = source or await make_source(session)
    name = name or f"{model.__name__.lower()}-{next(_numbers)}"
    values = {"ref": f"ref-of-{name}", **({"collection": "things"} if model is Resource else {}), **values}
    row = model(
        name=name,
        inventory_source_id=source.id,
        inventory_id=source.inventory_id,
        tenant_id=source.tenant_id,
        **values,
    )
    made: S = await save(session, row)
    return made

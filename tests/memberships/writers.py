"""Random writes of every kind through the services, as many requests at once would make them."""

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.api.database_errors import translate_database_error
from craton_inv.db.session import SessionFactory, unit_of_work
from craton_inv.errors import CratonInvError
from craton_inv.models import Group, Host, HostSource, Inventory, InventorySource, Label, Region, Tenant, User
from craton_inv.repositories.groups import GroupRepository
from craton_inv.repositories.hosts import HostRepository
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.repositories.regions import RegionRepository
from craton_inv.repositories.scope import SYSTEM
from craton_inv.services import associations
from craton_inv.services.groups import change_group, create_group, delete_group, dissolve_group, group_to_delete
from craton_inv.services.host_facts import clear_facts, write_facts
from craton_inv.services.hosts import change_host, create_host, delete_host
from craton_inv.services.inventories import change_inventory
from craton_inv.services.labels import attach_named_label, detach_label

HOSTS = [f"host{number:02}" for number in range(40)]  # few enough for twins in several inventories
GROUPS = [f"group{number:02}" for number in range(12)]
LABELS = ["gold", "silver", "lead"]
ROLES = ["web", "db", "cache"]
SYSTEMS = ["Debian", "Fedora", "Rocky"]
WORDS = ["alpha", "beta", "gamma"]

# Fifty stored searches: every kind of field, relation and operator, for changed hosts alone or for all.
SEARCHES = (
    "name=host01",
    'name ~ "1$"',
    'not name ~ "^host0"',
    "name__icontains=HOST2",
    "name in (host03, host04, host05)",
    "id > 0",
    "search=alpha",
    "description=beta",
    "not description=beta",
    "enabled=false",
    "enabled=true and name__endswith=7",
    "os_family=Debian",
    "os_family=null",
    "state != up",
    "ip_address in (10.0.0.0/9)",
    "variables__role=web",
    "not variables__role=web",
    "variables__rank > 4",
    'variables__role ~ "^(web|db)$"',
    "variables__role in (db, cache)",
    'variables__icontains="rank"',
    "ansible_facts__os=Debian",
    "not ansible_facts__os=Debian",
    "ansible_facts__cpus >= 4",
    "ansible_facts__os__isnull=true",
    "ansible_facts__nics[]__mac__startswith=aa",
    "ansible_facts_modified__isnull=true",
    "groups__name=group01",
    "not groups__name=group01",
    'groups__name ~ "^new"',
    "groups__name=group02 and groups__name=group03",
    "groups__isnull=true",
    "groups__description=gamma",
    "groups__variables__zone=z1",
    "groups__parents__name=group04",
    "all_groups__name=group04",
    "not all_groups__name=group05",
    'all_groups__name ~ "0[67]$" and enabled=true',
    "inventory__name__startswith=first",
    "not inventory__description=alpha",
    "region__name=north",
    "region=null",
    "labels__name=gold",
    "not labels__name=silver",
    "inventory__labels__name=gold",
    "inventory_sources__name=feed",
    "inventory__inventory_sources__description=beta",
    "modified_by=null and created_by__username=nobody or tenant__description=alpha",
    "groups__hosts__name=host01",
    "inventory__hosts__name=host02 or groups__children__name=group06",
)


class Writer:
    """One of several that write at once. `refused` and `faults` count what the service and the database said."""

    def __init__(self, factory: SessionFactory, tenants: list[int], seed: int) -> None:
        self.factory = factory
        self.tenants = tenants
        self.random = random.Random(seed)
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()

    async def write(self, count: int) -> None:
        """Make `count` writes, each in a unit of work of its own; refused ones come on top."""
        kinds, weights = zip(*self.KINDS.items(), strict=True)
        while self.done.total() < count and self.faults.total() < 10:
            kind = self.random.choices(kinds, weights)[0]
            try:
                async with unit_of_work(self.factory) as session:
                    await kind(self, session)
                self.done[kind.__name__] += 1
            except CratonInvError as error:
                self.refused[f"{kind.__name__}: {type(error).__name__}"] += 1
            except DBAPIError as error:
                # A request would be told to try again; a deadlock over the lock of memberships is a fault of ours.
                said = translate_database_error(error)
                detail = getattr(getattr(error.orig, "__cause__", None), "detail", None) or ""
                if said is None or "advisory lock" in detail or "smart_" in str(error.statement):
                    self.faults[f"{kind.__name__}: {error.statement} {error.orig} {detail}"] += 1
                else:
                    self.refused[f"{kind.__name__}: {said.message}"] += 1

    async def _one(self, session: AsyncSession, model: Any, *where: Any) -> Any:
        """The id of some row of our tenants, 0 when there is none: the repositories refuse that one."""
        own = model.id if model is Tenant else model.tenant_id
        found = [*await session.scalars(select(model.id).where(own.in_(self.tenants), *where))]
        return self.random.choice(found) if found else 0

    async def _plain(self, session: AsyncSession) -> Inventory:
        return await InventoryRepository(session, SYSTEM).get(await self._one(session, Inventory, Inventory.kind == ""))

    async def _host(self, session: AsyncSession) -> Host:
        return await HostRepository(session, SYSTEM).get(await self._one(session, Host), lock=True)

    async def _group(self, session: AsyncSession, *where: Any, lock: bool = False) -> Group:
        return await GroupRepository(session, SYSTEM).get(await self._one(session, Group, *where), lock=lock)

    def _variables(self) -> dict[str, Any]:
        return {"role": self.random.choice(ROLES), "rank": self.random.randrange(10)}

    async def add_host(self, session: AsyncSession) -> None:
        values = {"name": self.random.choice(HOSTS), "variables": self._variables()}
        values["os_family"] = self.random.choice([*SYSTEMS, None])
        await create_host(session, SYSTEM, await self._plain(session), values)

    async def rename_host(self, session: AsyncSession) -> None:
        await change_host(session, SYSTEM, await self._host(session), {"name": self.random.choice(HOSTS)})

    async def drop_host(self, session: AsyncSession) -> None:
        await delete_host(session, SYSTEM, await self._host(session))

    async def set_variables(self, session: AsyncSession) -> None:
        await change_host(session, SYSTEM, await self._host(session), {"variables": self._variables()})

    async def set_columns(self, session: AsyncSession) -> None:
        values = {
            "description": self.random.choice(WORDS),
            "enabled": self.random.random() < 0.7,
            "os_family": self.random.choice([*SYSTEMS, None]),
            "state": self.random.choice(["up", "down", None]),
        }
        some = self.random.sample(sorted(values), 2)
        await change_host(session, SYSTEM, await self._host(session), {name: values[name] for name in some})

    async def set_region(self, session: AsyncSession) -> None:
        host = await self._host(session)
        region = await self._one(session, Region, Region.tenant_id == host.tenant_id)
        await change_host(session, SYSTEM, host, {"region_id": self.random.choice([region or None, None])})

    async def set_facts(self, session: AsyncSession) -> None:
        facts = {"os": self.random.choice(SYSTEMS), "cpus": self.random.randrange(1, 9)}
        if self.random.random() < 0.3:
            facts["nics"] = [{"mac": self.random.choice(["aa:01", "bb:02"])}]
        merge = self.random.random() < 0.5
        await write_facts(session, SYSTEM, await self._host(session), facts, merge=merge, limit=10_000)

    async def drop_facts(self, session: AsyncSession) -> None:
        await clear_facts(session, SYSTEM, await self._host(session))

    async def join(self, session: AsyncSession) -> None:
        host = await self._host(session)
        group = await self._group(session, Group.inventory_id == host.inventory_id)
        await associations.attach_host(session, SYSTEM, group, host)

    async def leave(self, session: AsyncSession) -> None:
        host = await self._host(session)
        group = await self._group(session, Group.inventory_id == host.inventory_id)
        await associations.detach_host(session, SYSTEM, group, host)

    async def add_group(self, session: AsyncSession) -> None:
        await create_group(session, SYSTEM, await self._plain(session), {"name": self.random.choice(GROUPS)})

    async def change_some_group(self, session: AsyncSession) -> None:
        values: dict[str, Any] = {"name": self.random.choice([*GROUPS, "new", "newer"])}
        if self.random.random() < 0.5:
            values = {"description": self.random.choice(WORDS), "variables": {"zone": self.random.choice(["z1", "z2"])}}
        await change_group(session, SYSTEM, await self._group(session, lock=True), values)

    async def drop_group(self, session: AsyncSession) -> None:
        drop = delete_group if self.random.random() < 0.3 else dissolve_group
        group_id = await self._one(session, Group)
        await drop(session, SYSTEM, await group_to_delete(session, SYSTEM, group_id))

    async def nest(self, session: AsyncSession) -> None:
        parent = await self._group(session)
        child = await self._group(session, Group.inventory_id == parent.inventory_id)
        change = associations.attach_child if self.random.random() < 0.6 else associations.detach_child
        await change(session, SYSTEM, parent, child)

    async def change_some_inventory(self, session: AsyncSession) -> None:
        inventory_id = await self._one(session, Inventory, Inventory.kind == "")
        inventory = await InventoryRepository(session, SYSTEM).get(inventory_id, lock=True)
        values: dict[str, Any] = {"description": self.random.choice(WORDS)}
        if self.random.random() < 0.4:
            values = {"name": f"{self.random.choice(['first', 'second'])} {self.random.randrange(9)}"}
        elif self.random.random() < 0.3:
            values = {"tenant_id": self.random.choice(self.tenants)}
        await change_inventory(session, SYSTEM, inventory, values)

    async def change_some_search(self, session: AsyncSession) -> None:
        inventory_id = await self._one(session, Inventory, Inventory.kind == "smart")
        inventory = await InventoryRepository(session, SYSTEM).get(inventory_id, lock=True)
        values: dict[str, Any] = {"host_filter": self.random.choice(SEARCHES)}
        if self.random.random() < 0.3:
            values = {"tenant_id": self.random.choice(self.tenants)}
        await change_inventory(session, SYSTEM, inventory, values)

    async def label(self, session: AsyncSession) -> None:
        if self.random.random() < 0.2:
            inventory_id = await self._one(session, Inventory, Inventory.kind == "")
            bearer: Any = await InventoryRepository(session, SYSTEM).get(inventory_id, lock=True)
        else:
            bearer = await self._host(session)
        if self.random.random() < 0.6:
            await attach_named_label(session, SYSTEM, bearer, self.random.choice(LABELS))
            return
        label = await session.get(Label, await self._one(session, Label, Label.tenant_id == bearer.tenant_id))
        if label is not None:
            await detach_label(session, SYSTEM, bearer, label)

    async def change_some_region(self, session: AsyncSession) -> None:
        regions = RegionRepository(session, SYSTEM)
        region = await regions.get(await self._one(session, Region), lock=True)
        await regions.change(region, {"name": self.random.choice(["north", "south", "west"])})

    async def deliver(self, session: AsyncSession) -> None:
        host = await self._host(session)
        source = await self._one(session, InventorySource, InventorySource.inventory_id == host.inventory_id)
        if source and self.random.random() < 0.7:
            values = {"inventory_source_id": source, "host_id": host.id, "ref": host.name, "digest": b""}
            await session.execute(insert(HostSource).values(values).on_conflict_do_nothing())
        else:
            await session.execute(delete(HostSource).where(HostSource.host_id == host.id))

    async def change_what_all_share(self, session: AsyncSession) -> None:
        word = self.random.choice(WORDS)
        if self.random.random() < 0.4:
            await session.execute(
                update(Tenant).where(Tenant.id == self.random.choice(self.tenants)).values(description=word)
            )
        elif self.random.random() < 0.5:
            source = await self._one(session, InventorySource)
            await session.execute(update(InventorySource).where(InventorySource.id == source).values(description=word))
        else:
            name = self.random.choice(["nobody", "somebody"])
            await session.execute(update(User).where(User.email == f"{self.tenants[0]}@x").values(username=name))

    async def change_many(self, session: AsyncSession) -> None:
        inventory = await self._plain(session)
        locked = select(Host.id).where(Host.inventory_id == inventory.id).order_by(Host.id).with_for_update()
        await session.execute(locked)
        change = update(Host).where(Host.inventory_id == inventory.id)
        await session.execute(change.values(description=self.random.choice(WORDS)))

    KINDS: ClassVar[dict[Callable[["Writer", AsyncSession], Awaitable[None]], int]] = {
        add_host: 14,
        rename_host: 8,
        drop_host: 6,
        set_variables: 12,
        set_columns: 12,
        set_region: 4,
        set_facts: 12,
        drop_facts: 3,
        join: 10,
        leave: 5,
        add_group: 3,
        change_some_group: 4,
        drop_group: 1,
        nest: 4,
        change_some_inventory: 2,
        change_some_search: 2,
        label: 8,
        change_some_region: 1,
        deliver: 4,
        change_what_all_share: 1,
        change_many: 1,
    }

"""A tenant whose memberships are kept: writes as the service makes them, the worker's part, and the truth."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, async_sessionmaker

from craton_inv.db.session import SessionFactory, make_session_factory, unit_of_work
from craton_inv.models import Host, Inventory, SmartInventoryMembership, SmartMembershipChange, Tenant
from craton_inv.repositories import smart_changes
from craton_inv.services.membership_changes import keep_memberships, work_off
from craton_inv.services.smart_inventories import hosts_of
from tests.factories import make_inventory, make_tenant

SECONDS = 30.0


class Keeping:
    """A tenant with one regular inventory. `smart`: ids of its smart inventories by filter."""

    def __init__(self, factory: SessionFactory, tenant: Tenant, inventory: Inventory) -> None:
        self.tenant = tenant
        self.inventory = inventory
        self.smart: dict[str, int] = {}
        self.factory = factory

    @classmethod
    async def make(cls, engine: AsyncEngine) -> "Keeping":
        """In a tenant of its own."""
        factory = make_session_factory(engine, keep_memberships(SECONDS))
        async with unit_of_work(factory) as session:
            tenant = await make_tenant(session)
            return cls(factory, tenant, await make_inventory(session, "plain", tenant=tenant))

    def within(self, connection: AsyncConnection) -> "Keeping":
        """The same in the transaction of a connection: what is written there can be undone."""
        factory = async_sessionmaker(
            bind=connection,
            expire_on_commit=False,
            join_transaction_mode="create_savepoint",
            info={"before_commit": keep_memberships(SECONDS)},
        )
        copy = Keeping(factory, self.tenant, self.inventory)
        copy.smart.update(self.smart)
        return copy

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """A unit of work as a request has it."""
        async with unit_of_work(self.factory) as session:
            yield session

    async def search(self, *filters: str) -> None:
        """Make smart inventories."""
        async with self.writing() as session:
            for text in filters:
                made = await make_inventory(session, text, tenant=self.tenant, kind="smart", host_filter=text)
                self.smart[text] = made.id

    async def waiting(self) -> int:
        """How many noted changes nobody has seen to."""
        async with self.factory() as session:
            return await session.scalar(select(func.count()).select_from(SmartMembershipChange)) or 0

    async def drain(self) -> int:
        """What the worker would do until nothing waits; the number of its steps."""
        steps = 0
        while True:
            async with unit_of_work(self.factory) as session:
                await smart_changes.hand_to_tenants(session)
                tenants = await smart_changes.tenants_with_changes(session)
            if not tenants:
                return steps
            for tenant_id in filter(None, tenants):
                async with unit_of_work(self.factory) as session:
                    steps += await work_off(session, tenant_id, SECONDS)

    async def table(self) -> set[tuple[int, int]]:
        """All memberships of the tenant's smart inventories, and all that are nobody's."""
        member = SmartInventoryMembership
        async with self.factory() as session:
            mine = select(Inventory.id).where(Inventory.tenant_id == self.tenant.id)
            lost = ~member.inventory_id.in_(select(Inventory.id))
            rows = await session.execute(
                select(member.inventory_id, member.host_id).where(member.inventory_id.in_(mine) | lost)
            )
            return {(inventory_id, host_id) for inventory_id, host_id in rows}

    async def truth(self) -> set[tuple[int, int]]:
        """What the searches find now, each asked by itself."""
        found: set[tuple[int, int]] = set()
        async with self.factory() as session:
            smart = select(Inventory).where(Inventory.tenant_id == self.tenant.id, Inventory.kind == "smart")
            for inventory in await session.scalars(smart.where(~Inventory.pending_deletion)):
                hosts = await session.scalars(select(Host.id).where(hosts_of(inventory)))
                found |= {(inventory.id, host_id) for host_id in hosts}
        return found

    async def members(self, text: str) -> set[int]:
        """Ids of the members of a smart inventory, as the table says."""
        return {host_id for inventory_id, host_id in await self.table() if inventory_id == self.smart[text]}

    async def difference(self) -> str:
        """What the table says too much and too little, in words; nothing when it is right."""
        table, truth = await self.table(), await self.truth()
        return "".join(
            f"{what}: {self._named(rows)}\n"
            for what, rows in (("missing", truth - table), ("surplus", table - truth))
            if rows
        )

    def _named(self, rows: Collection[tuple[int, int]]) -> list[Any]:
        names = {number: text for text, number in self.smart.items()}
        return sorted((names.get(inventory_id, str(inventory_id)), host_id) for inventory_id, host_id in rows)

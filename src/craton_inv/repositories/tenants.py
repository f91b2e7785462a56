"""Tenants in the database: /v1's tenants and /v2's organizations are these rows."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, String, cast, delete, exists, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.errors import Conflict
from craton_inv.models import Inventory, Job, Region, Tenant
from craton_inv.queue.jobs import ALIVE
from craton_inv.repositories.base import Repository
from craton_inv.repositories.scope import ADMIN


class TenantRepository(Repository[Tenant]):
    """Tenants the caller has a role in. Made and deleted by system administrators, changed by a tenant's admins."""

    model = Tenant
    label = "Tenant"
    unique_texts = {"uq_tenants_name": "Tenant with this Name already exists."}  # noqa: RUF012 - a constant

    def authorize(self, row: Tenant) -> None:
        """A new tenant needs a system administrator, a stored one its admin."""
        if row.id is None:
            self.scope.require_superuser()
        else:
            self.scope.require(row.id, ADMIN, "this tenant")

    async def find_named(self, name: str) -> Tenant | None:
        """The tenant of that name."""
        found: Tenant | None = await self.session.scalar(self.visible().where(Tenant.name == name))
        return found

    async def change(self, row: Tenant, values: Mapping[str, Any]) -> Tenant:
        """As every repository. Raises Conflict for one that waits for its deletion."""
        if row.pending_deletion:
            raise Conflict(f"The {self.label.lower()} is being deleted.", code="pending_deletion")
        return await super().change(row, values)

    async def is_empty(self, row: Tenant) -> bool:
        """Whether a tenant has neither regions nor inventories."""
        for model in (Region, Inventory):
            if await self.session.scalar(select(model.id).where(model.tenant_id == row.id).limit(1)) is not None:
                return False
        return True

    async def delete(self, row: Tenant) -> None:
        """Delete an empty tenant. Raises Conflict while it has regions or inventories."""
        self.scope.require_superuser()
        for model, what in ((Region, "regions"), (Inventory, "inventories")):
            if await self.session.scalar(select(model.id).where(model.tenant_id == row.id).limit(1)) is not None:
                raise Conflict(f"The tenant still has {what}; delete those first.", code="not_empty")
        await super().delete(row)


class OrganizationRepository(TenantRepository):
    """The same rows in AWX's words."""

    label = "Organization"
    unique_texts = {"uq_tenants_name": "Organization with this Name already exists."}  # noqa: RUF012 - a constant


async def mark_tenant(session: AsyncSession, tenant_id: int) -> list[int]:
    """Mark a tenant and all its inventories for deletion. Returns the inventories' ids."""
    await _mark(session, Tenant, Tenant.id == tenant_id, True)
    statement = update(Inventory).where(Inventory.tenant_id == tenant_id).values(pending_deletion=True)
    return sorted(await session.scalars(statement.returning(Inventory.id)))


async def unmark_tenant(session: AsyncSession, tenant_id: int) -> None:
    """The deletion was given up: the tenant is an ordinary one again, with what is left of it.

    Inventories whose deletion was asked for by itself, or with their region, stay marked: another job is at them.
    """
    own = literal("delete_inventory:") + cast(Inventory.id, String)
    region = select(literal("delete_region:") + cast(Region.id, String)).where(Region.inventory_id == Inventory.id)
    key = or_(Job.unique_key == own, Job.unique_key.in_(region.correlate(Inventory)))
    alive = exists().where(key, Job.status.in_(ALIVE)).correlate(Inventory)
    await _mark(session, Tenant, Tenant.id == tenant_id, False)
    await _mark(session, Inventory, (Inventory.tenant_id == tenant_id) & ~alive, False)


async def _mark(session: AsyncSession, model: Any, where: ColumnElement[bool], pending: bool) -> None:
    other = model.pending_deletion.is_not(pending)
    statement = update(model).where(where, other).values(pending_deletion=pending)
    await session.execute(statement.execution_options(synchronize_session=False))


async def drop_tenant(session: AsyncSession, tenant_id: int) -> bool:
    """Delete a marked tenant with the little that is left; False, and nothing done, while it has an inventory.

    Its lock keeps new ones out until that is done.
    """
    await session.execute(select(Tenant.id).where(Tenant.id == tenant_id).with_for_update())
    if await session.scalar(select(Inventory.id).where(Inventory.tenant_id == tenant_id).limit(1)) is not None:
        return False
    await session.execute(delete(Tenant).where(Tenant.id == tenant_id, Tenant.pending_deletion))
    return True

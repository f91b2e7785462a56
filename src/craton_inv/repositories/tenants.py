"""Tenants in the database: /v1's tenants and /v2's organizations are these rows."""

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.errors import Conflict
from craton_inv.models import Host, Inventory, Region, Tenant
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


async def mark_inventories(session: AsyncSession, tenant_id: int, *, pending: bool = True) -> list[int]:
    """Mark all inventories of a tenant for deletion, or take the marks off. Returns their ids."""
    statement = update(Inventory).where(Inventory.tenant_id == tenant_id).values(pending_deletion=pending)
    return sorted(await session.scalars(statement.returning(Inventory.id)))


async def drop_tenant(session: AsyncSession, tenant_id: int) -> None:
    """Delete a tenant with all that is left in it. Its lock keeps new inventories out until that is done."""
    await session.execute(select(Tenant.id).where(Tenant.id == tenant_id).with_for_update())
    for model in (Host, Region, Inventory):
        await session.execute(delete(model).where(model.tenant_id == tenant_id))
    await session.execute(delete(Tenant).where(Tenant.id == tenant_id))

"""What all presenters share: links, authors, capabilities, and the summary of an inventory."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.api.deps import ContextDep, ScopeDep, SessionDep
from craton_inv.api.v2.links import Links, links_of
from craton_inv.repositories import summaries
from craton_inv.repositories.inventories import InventoryRepository, Totals
from craton_inv.repositories.scope import WRITE, Scope
from craton_inv.repositories.summaries import InventorySummary


class Viewer:
    """Who looks, through which mount: what every presenter is made of."""

    def __init__(self, session: AsyncSession, scope: Scope, links: Links, *, filter_timeout: float) -> None:
        self.session = session
        self.scope = scope
        self.links = links
        self.filter_timeout = filter_timeout

    def may_write(self, tenant_id: int) -> bool:
        """Whether the caller may change rows of a tenant."""
        return bool(self.scope.roles_in(tenant_id) & WRITE) and not self.scope.read_only

    def may_manage(self, tenant_id: int | None) -> bool:
        """Whether the caller is an admin of a tenant; of none, the system's."""
        if tenant_id is None:
            return self.scope.is_superuser and self.scope.tenant_id is None and not self.scope.read_only
        return "admin" in self.scope.roles_in(tenant_id) and not self.scope.read_only

    def author_links(self, row: Any) -> dict[str, str]:
        """`created_by` and `modified_by`, where known."""
        pairs = (("created_by", row.created_by_id), ("modified_by", row.modified_by_id))
        return {name: self.links.to("user", user_id) for name, user_id in pairs if user_id is not None}


async def get_viewer(request: Request, context: ContextDep, session: SessionDep, scope: ScopeDep) -> Viewer:
    """The viewer of this request."""
    return Viewer(session, scope, links_of(request), filter_timeout=context.settings.filter_statement_timeout)


ViewerDep = Annotated[Viewer, Depends(get_viewer)]


async def load_authors(session: AsyncSession, rows: Sequence[Any]) -> dict[int, dict[str, Any]]:
    """Authors of rows as `summary_fields` shows them, by user id."""
    ids = [user_id for row in rows for user_id in (row.created_by_id, row.modified_by_id)]
    users = await summaries.users(session, ids)
    return {user_id: summary_of(user, "id", "username", "first_name", "last_name") for user_id, user in users.items()}


def author_fields(row: Any, authors: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """`created_by` and `modified_by` of one row, where known."""
    pairs = (("created_by", row.created_by_id), ("modified_by", row.modified_by_id))
    return {name: authors[user_id] for name, user_id in pairs if user_id in authors}


def summary_of(row: Any, *names: str) -> dict[str, Any]:
    """The named columns of a row."""
    return {name: getattr(row, name) for name in names}


class Inventories:
    """The inventories that a page of rows refers to, with their totals: two statements."""

    def __init__(self, found: dict[int, InventorySummary], totals: dict[int, Totals]) -> None:
        self._found = found
        self._totals = totals

    @classmethod
    async def load(cls, viewer: Viewer, ids: Iterable[int]) -> "Inventories":
        """Those with these ids."""
        wanted = set(ids)
        found = await summaries.inventories(viewer.session, wanted)
        return cls(found, await InventoryRepository(viewer.session, viewer.scope).totals(wanted))

    def kind(self, inventory_id: int) -> str:
        """The kind of an inventory, "smart" for instance; a regular one has none."""
        return self._found[inventory_id].kind

    def names(self, inventory_id: int) -> tuple[str, str]:
        """Inventory and organization: the tail of a named URL."""
        inventory = self._found[inventory_id]
        return inventory.name, inventory.tenant_name

    def fields(self, inventory_id: int) -> dict[str, Any]:
        """`summary_fields.inventory`, and the organization beside it."""
        inventory, totals = self._found[inventory_id], self._totals[inventory_id]
        return {
            "organization": {"id": inventory.tenant_id, "name": inventory.tenant_name},
            "inventory": {
                "id": inventory.id,
                "name": inventory.name,
                "description": inventory.description,
                "has_active_failures": False,
                "total_hosts": totals.hosts,
                "hosts_with_active_failures": 0,
                "total_groups": totals.groups,
                "has_inventory_sources": totals.sources > 0,
                "total_inventory_sources": totals.sources,
                "inventory_sources_with_failures": totals.failed_sources,
                "organization_id": inventory.tenant_id,
                "kind": inventory.kind,
            },
        }

"""Changes of a run as /v2 shows them."""

from collections.abc import Sequence

from craton_inv.api.v2.present.base import Viewer
from craton_inv.models import Group, Host
from craton_inv.models import InventoryChange as Change
from craton_inv.repositories.change_sets import names_of
from craton_inv.schemas.v2.change_sets import InventoryChange

ABOVE_HOSTS, ABOVE_GROUPS = "memberships", "group_edges"


class InventoryChangePresenter:
    """Shows changes; links that were made are named after the rows they join, in two statements a page."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer

    async def many(self, rows: Sequence[Change]) -> list[InventoryChange]:
        """These changes, in their order."""
        unnamed = [row for row in rows if row.ref is None]
        hosts = await names_of(
            self.viewer.session, Host, [row.row_id for row in unnamed if row.collection == ABOVE_HOSTS]
        )
        groups = await names_of(
            self.viewer.session,
            Group,
            [
                group_id
                for row in unnamed
                for group_id in (row.parent_id, row.row_id if row.collection == ABOVE_GROUPS else None)
                if group_id is not None
            ],
        )
        return [self._shown(row, hosts, groups) for row in rows]

    @staticmethod
    def _shown(row: Change, hosts: dict[int, str], groups: dict[int, str]) -> InventoryChange:
        ref = row.ref
        if ref is None:
            below = hosts if row.collection == ABOVE_HOSTS else groups
            above = groups.get(row.parent_id or 0, f"#{row.parent_id}")
            ref = f"{above} > {below.get(row.row_id, f'#{row.row_id}')}"
        return InventoryChange.model_validate(
            {
                "id": row.id,
                "type": "inventory_change",
                "inventory_update": row.update_id,
                "collection": row.collection,
                "action": row.action,
                "object_id": row.row_id,
                "parent_id": row.parent_id,
                "ref": ref,
                "changes": row.changes or {},
            }
        )

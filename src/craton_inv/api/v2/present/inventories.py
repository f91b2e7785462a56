"""Inventories as /v2 shows them."""

from collections.abc import Sequence

from craton_inv import models
from craton_inv.api.v2.present.base import Viewer, author_fields, load_authors, summary_of
from craton_inv.repositories import summaries
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.schemas.v2.inventories import Inventory
from craton_inv.services.smart_inventories import count_smart_hosts

SUB_RESOURCES = ("hosts", "variable_data", "script", "labels")
OWN_CONTENT = (
    "groups", "root_groups", "inventory_sources", "update_inventory_sources", "tree",
    "hypervisors", "flavors", "images", "networks", "disks", "network_ports", "resources",
)  # fmt: skip


class InventoryPresenter:
    """Five statements for a page: totals, hosts of smart ones, organizations, labels, authors."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer

    async def one(self, row: models.Inventory) -> Inventory:
        """An inventory."""
        return (await self.many([row]))[0]

    async def many(self, rows: Sequence[models.Inventory]) -> list[Inventory]:
        """Inventories, in the order given."""
        if not rows:
            return []
        viewer, links, session = self.viewer, self.viewer.links, self.viewer.session
        all_totals = await InventoryRepository(session, viewer.scope).totals(row.id for row in rows)
        smart_hosts = await count_smart_hosts(session, rows, viewer.filter_timeout)
        tenants = await summaries.tenants(session, (row.tenant_id for row in rows))
        labels = await summaries.labels_of_inventories(session, (row.id for row in rows))
        authors = await load_authors(session, rows)
        made = []
        for row in rows:
            writable = viewer.may_write(row.tenant_id)
            smart, totals = row.kind == "smart", all_totals[row.id]
            organization = tenants[row.tenant_id]
            below: tuple[str, ...] = SUB_RESOURCES if smart else SUB_RESOURCES + OWN_CONTENT
            constructed = {}
            if row.kind == "constructed":
                below = (*below, "input_inventories")
                constructed["constructed_url"] = links.to("constructed_inventory", row.id)
            made.append(
                Inventory(
                    id=row.id,
                    type="inventory",
                    url=links.to("inventory", row.id),
                    related={
                        "named_url": links.named("inventory", row.name, organization.name),
                        **viewer.author_links(row),
                        **links.below("inventory", row.id, below),
                        **constructed,
                        "organization": links.to("organization", row.tenant_id),
                    },
                    summary_fields={
                        "organization": summary_of(organization, "id", "name", "description"),
                        **author_fields(row, authors),
                        "user_capabilities": {"edit": writable, "delete": writable, "copy": False, "adhoc": False},
                        "labels": labels[row.id].fields(),
                    },
                    created=row.created,
                    modified=row.modified,
                    name=row.name,
                    description=row.description,
                    organization=row.tenant_id,
                    kind=row.kind,
                    host_filter=row.host_filter,
                    include_groups=row.include_groups,
                    variables=row.variables_text,
                    has_active_failures=False,
                    total_hosts=smart_hosts.get(row.id) if smart else totals.hosts,
                    hosts_with_active_failures=0,
                    total_groups=totals.groups,
                    has_inventory_sources=totals.sources > 0,
                    total_inventory_sources=totals.sources,
                    inventory_sources_with_failures=totals.failed_sources,
                    pending_deletion=row.pending_deletion,
                    prevent_instance_group_fallback=row.prevent_instance_group_fallback,
                )
            )
        return made

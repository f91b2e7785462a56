"""Hosts as /v2 shows them."""

from collections.abc import Sequence

from craton_inv import models
from craton_inv.api.v2.links import Links
from craton_inv.api.v2.present.base import Inventories, Viewer, author_fields, load_authors, summary_of
from craton_inv.repositories import summaries
from craton_inv.schemas.v2.hosts import Host

SUB_RESOURCES = (
    "variable_data",
    "groups",
    "all_groups",
    "inventory_sources",
    "smart_inventories",
    "labels",
    "ansible_facts",
    "disks",
    "network_ports",
    "refresh",
)
# Fields that name what a source has linked a host to, with the kind of row they name.
LINKED = {
    "parent_host": ("hypervisor", models.Hypervisor),
    "flavor": ("flavor", models.Flavor),
    "image": ("image", models.Image),
}


class HostPresenter:
    """Six statements for a page: inventories, their totals, groups, labels, sources, authors.

    One more for each kind of row that a source has linked some of the hosts to.
    """

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer

    async def one(self, row: models.Host) -> Host:
        """A host."""
        return (await self.many([row]))[0]

    async def many(self, rows: Sequence[models.Host]) -> list[Host]:
        """Hosts, in the order given."""
        if not rows:
            return []
        viewer, session = self.viewer, self.viewer.session
        ids = [row.id for row in rows]
        inventories = await Inventories.load(viewer, (row.inventory_id for row in rows))
        groups = await summaries.groups_of_hosts(session, ids)
        labels = await summaries.labels_of_hosts(session, ids)
        delivered = await summaries.delivered_hosts(session, ids)
        authors = await load_authors(session, rows)
        linked = {
            name: await summaries.named(session, model, (getattr(row, f"{name}_id") for row in rows))
            for name, (_, model) in LINKED.items()
        }
        made = []
        for row in rows:
            links = viewer.links
            writable = viewer.may_write(row.tenant_id)
            refers = {name: getattr(row, f"{name}_id") for name in LINKED}
            known = {name: linked[name][row_id] for name, row_id in refers.items() if row_id in linked[name]}
            made.append(
                Host(
                    id=row.id,
                    type="host",
                    url=links.to("host", row.id),
                    related={
                        "named_url": links.named("host", row.name, *inventories.names(row.inventory_id)),
                        **viewer.author_links(row),
                        **links.below("host", row.id, SUB_RESOURCES),
                        "inventory": links.to("inventory", row.inventory_id),
                        **_original(links, row, inventories.kind(row.inventory_id)),
                        **{name: links.to(LINKED[name][0], other.id) for name, other in known.items()},
                    },
                    summary_fields={
                        **inventories.fields(row.inventory_id),
                        **author_fields(row, authors),
                        "user_capabilities": {"edit": writable, "delete": writable},
                        "groups": groups[row.id].fields(),
                        "labels": labels[row.id].fields(),
                        "recent_jobs": [],
                        **{name: summary_of(other, "id", "name") for name, other in known.items()},
                    },
                    created=row.created,
                    modified=row.modified,
                    name=row.name,
                    description=row.description,
                    inventory=row.inventory_id,
                    enabled=row.enabled,
                    instance_id=row.instance_id,
                    variables=row.variables_text,
                    has_active_failures=False,
                    has_inventory_sources=row.id in delivered,
                    last_job=None,
                    last_job_host_summary=None,
                    ansible_facts_modified=row.ansible_facts_modified,
                    **refers,
                )
            )
        return made


def _original(links: Links, row: models.Host, kind: str) -> dict[str, str]:
    """The host that one of a constructed inventory comes from; its instance id names it."""
    found = kind == "constructed" and row.instance_id.isdecimal()
    return {"original_host": links.to("host", int(row.instance_id))} if found else {}

"""Groups as /v2 shows them."""

from collections.abc import Sequence

from craton_inv import models
from craton_inv.api.v2.present.base import Inventories, Viewer, author_fields, load_authors
from craton_inv.errors import BadRequest
from craton_inv.schemas.v2.groups import Group, GroupTree

SUB_RESOURCES = ("variable_data", "hosts", "potential_children", "children", "all_hosts", "inventory_sources")
MAX_TREE = 20_000
MAX_DEPTH = 100


class GroupPresenter:
    """Three statements for a page: inventories, their totals, authors."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer

    async def one(self, row: models.Group) -> Group:
        """A group."""
        return (await self.many([row]))[0]

    async def many(self, rows: Sequence[models.Group]) -> list[Group]:
        """Groups, in the order given."""
        if not rows:
            return []
        viewer, links = self.viewer, self.viewer.links
        inventories = await Inventories.load(viewer, (row.inventory_id for row in rows))
        authors = await load_authors(viewer.session, rows)
        made = []
        for row in rows:
            writable = viewer.may_write(row.tenant_id)
            made.append(
                Group(
                    id=row.id,
                    type="group",
                    url=links.to("group", row.id),
                    related={
                        "named_url": links.named("group", row.name, *inventories.names(row.inventory_id)),
                        **viewer.author_links(row),
                        **links.below("group", row.id, SUB_RESOURCES),
                        "inventory": links.to("inventory", row.inventory_id),
                    },
                    summary_fields={
                        **inventories.fields(row.inventory_id),
                        **author_fields(row, authors),
                        "user_capabilities": {"edit": writable, "delete": writable, "copy": writable},
                    },
                    created=row.created,
                    modified=row.modified,
                    name=row.name,
                    description=row.description,
                    inventory=row.inventory_id,
                    variables=row.variables_text,
                )
            )
        return made

    async def tree(self, rows: Sequence[models.Group], edges: Sequence[tuple[int, int]]) -> list[GroupTree]:
        """Root groups by name, each with its children nested. `rows`: all groups of an inventory, by name.

        A group below several parents stands below each; an edge that closes a cycle is left out. Raises BadRequest when
        that makes more than `MAX_TREE` entries or more than `MAX_DEPTH` levels.
        """
        groups = {group.id: group for group in await self.many(rows)}
        place = {row.id: number for number, row in enumerate(rows)}
        children: dict[int, list[int]] = {group_id: [] for group_id in groups}
        for parent, child in sorted(edges, key=lambda edge: place[edge[1]]):
            children[parent].append(child)
        below = {child for _, child in edges}
        count = 0

        def nested(group_id: int, above: tuple[int, ...]) -> GroupTree:
            nonlocal count
            count += 1
            if count > MAX_TREE or len(above) >= MAX_DEPTH:
                raise BadRequest(
                    f"The tree has more than {MAX_TREE} entries or {MAX_DEPTH} levels; walk groups/N/children/.",
                    key="error",
                )
            path = (*above, group_id)
            inner = [nested(child, path) for child in children[group_id] if child not in path]
            return GroupTree(**dict(groups[group_id]), children=inner)

        return [nested(row.id, ()) for row in rows if row.id not in below]

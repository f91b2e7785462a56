"""Inventories as flat row sets for Ansible: four statements whatever the size, no objects, variables as JSON text."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Text, and_, cast, collate, func, literal, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.ansible.group_merge import merge_groups
from craton_inv.ansible.spread import Owner
from craton_inv.ansible.variables import NAME_PATTERN, RESERVED, merge
from craton_inv.ansible.view import GroupRow, HostRow, InventoryView
from craton_inv.errors import NotFound
from craton_inv.models import Group, GroupEdge, Host, Inventory, Membership, Region, Tenant
from craton_inv.repositories import nesting
from craton_inv.repositories.hosts import in_inventory
from craton_inv.repositories.scope import Scope
from craton_inv.repositories.sets import any_of

# How often the rows are read again when a writer commits between the statements.
ATTEMPTS = 3


class Layer(NamedTuple):
    """Variables of what an inventory stands in, and the generation they were read at."""

    variables: Mapping[str, Any]
    generation: int


class InventoryViewRepository:
    """Reads inventories of the caller's tenants."""

    def __init__(self, session: AsyncSession, scope: Scope) -> None:
        self.session = session
        self.scope = scope

    async def load(
        self,
        inventory: Inventory,
        *,
        variables: Mapping[str, Any],
        host_variables: bool = True,
        disabled: bool = False,
    ) -> InventoryView:
        """The inventory with its groups at one generation. `variables`: what `all` gets.

        Without `host_variables` they are `{}`; `disabled` brings disabled hosts too. Rows that a commit changed between
        the statements are read again, up to three times; then they are taken as they are. Raises NotFound when the
        inventory is deleted meanwhile.
        """
        where = and_(in_inventory(inventory.id), true() if disabled else Host.enabled)
        after = inventory.generation
        for _ in range(ATTEMPTS):
            before = after
            # The first generation names the whole: what was read later can only be newer than it says.
            view = InventoryView(
                variables,
                await self._hosts(where, host_variables),
                await self._group_rows(Group.inventory_id == inventory.id),
                await self._gathered(Membership.group_id, Membership.host_id, Membership.inventory_id == inventory.id),
                await self._gathered(GroupEdge.parent_id, GroupEdge.child_id, GroupEdge.inventory_id == inventory.id),
                generation=inventory.generation,
            )
            after = await self._generation(inventory.id)
            if after == before:
                break
        return view

    async def search(
        self,
        condition: ColumnElement[bool],
        *,
        variables: Mapping[str, Any],
        host_variables: bool = True,
        disabled: bool = False,
    ) -> InventoryView:
        """The hosts that a condition finds, without groups, which `with_groups` adds: a smart inventory."""
        where = condition if disabled else and_(condition, Host.enabled)
        return InventoryView(variables, await self._hosts(where, host_variables))

    async def stream_hosts(self, condition: ColumnElement[bool], *, rows: int) -> AsyncIterator[HostRow]:
        """The enabled hosts that a condition finds, with their variables, in no order; `rows` of them in memory."""
        query = self._host_query(and_(condition, Host.enabled), variables=True)
        connection = await self.session.connection()
        async for row in await connection.stream(query, execution_options={"yield_per": rows}):
            yield HostRow._make(row)

    async def with_groups(self, view: InventoryView) -> InventoryView:
        """The same hosts with the groups they are in, directly or through groups below: three statements.

        Nothing but the hosts of `view` stands in them, and no group without one of them below it. The hosts may come
        from several inventories: groups of one name become one group, in the order of inventory and group ids, as
        `group_merge` has it. Rows that a writer takes away meanwhile are left out.
        """
        if not view.hosts:
            return view
        members = await self._gathered(
            Membership.group_id, Membership.host_id, any_of(Membership.host_id, (host.id for host in view.hosts))
        )
        groups = await self._group_rows(Group.id.in_(nesting.with_ancestors(members)))
        shown = [group.id for group in groups]
        children = await self._gathered(
            GroupEdge.parent_id,
            GroupEdge.child_id,
            and_(any_of(GroupEdge.parent_id, shown), any_of(GroupEdge.child_id, shown)),
        )
        return replace(view, **merge_groups(groups, members, children)._asdict())

    async def owners(self, view: InventoryView) -> list[Owner]:
        """The inventories that the hosts of a view belong to, lowest id first: two statements."""
        hosts = await self._gathered(Host.inventory_id, Host.id, any_of(Host.id, (host.id for host in view.hosts)))
        query = (
            select(Inventory.id, Tenant.variables, Region.variables, Inventory.variables)
            .join(Tenant, Tenant.id == Inventory.tenant_id)
            .outerjoin(Region, Region.inventory_id == Inventory.id)
            .where(self.scope.where(Inventory), any_of(Inventory.id, hosts))
            .order_by(Inventory.id, Region.id)
        )
        layers: dict[int, list[Mapping[str, Any]]] = {}
        for inventory_id, tenant, region, own in await self._rows(query):
            layers[inventory_id] = [tenant, region or {}, own]
        return [Owner(merge(*found), hosts[inventory_id]) for inventory_id, found in layers.items()]

    async def hosts_named(self, name: str, condition: ColumnElement[bool], *, disabled: bool = False) -> list[HostRow]:
        """Hosts of that name among those that `condition` finds; at most two, which is enough to refuse."""
        where = and_(condition, Host.name == name, true() if disabled else Host.enabled)
        query = self._host_query(where, variables=True).order_by(Host.id).limit(2)
        return [HostRow._make(row) for row in await self._rows(query)]

    async def layers_below(self, inventory: Inventory) -> list[Layer]:
        """What the inventory's own variables win over, lowest first: its tenant, its region if it has one."""
        query = (
            select(Tenant.variables, Tenant.generation, Region.variables, Region.generation)
            .outerjoin(Region, Region.inventory_id == inventory.id)
            .where(Tenant.id == inventory.tenant_id)
        )
        layers = []
        for tenant_variables, tenant_generation, region_variables, region_generation in await self._rows(query):
            layers.append(Layer(tenant_variables, tenant_generation))
            if region_generation is not None:
                layers.append(Layer(region_variables, region_generation))
        return layers

    async def _rows(self, query: Select[*tuple[Any, ...]]) -> Sequence[Sequence[Any]]:
        """Tuples, past the object layer of the session, which costs as much again for ten thousand of them."""
        connection = await self.session.connection()
        return (await connection.execute(query)).all()

    async def _generation(self, inventory_id: int) -> int:
        found = await self.session.scalar(select(Inventory.generation).where(Inventory.id == inventory_id))
        if found is None:
            raise NotFound("Not found.")
        return found

    def _host_query(self, where: ColumnElement[bool], *, variables: bool) -> Select[*tuple[Any, ...]]:
        stored = (cast(Host.variables, Text), _plain()) if variables else (literal("{}"), true())
        return select(Host.id, Host.name, Host.enabled, *stored, func.host(Host.ip_address, type_=Text)).where(
            self.scope.where(Host), where
        )

    async def _hosts(self, where: ColumnElement[bool], variables: bool) -> list[HostRow]:
        return [HostRow._make(row) for row in await self._rows(self._host_query(where, variables=variables))]

    async def _group_rows(self, where: ColumnElement[bool]) -> list[GroupRow]:
        columns = (Group.id, Group.name, cast(Group.variables, Text))
        query = select(*columns).where(self.scope.where(Group), where).order_by(Group.inventory_id, Group.id)
        return [GroupRow._make(row) for row in await self._rows(query)]

    async def _gathered(self, parent: Any, child: Any, where: ColumnElement[bool]) -> dict[int, list[int]]:
        """Parent id → child ids; PostgreSQL gathers them, so that a row arrives per parent and not per link."""
        query = select(parent, func.array_agg(child)).where(where).group_by(parent)
        return {row[0]: row[1] for row in await self._rows(query)}


def _plain() -> ColumnElement[bool]:
    """Whether Ansible takes every key of a host's variables as a name. `ansible.variables` has the last word."""
    keys = func.jsonb_object_keys(Host.variables).table_valued("key").render_derived()
    key = collate(keys.c.key, "C")  # the pattern is plain ASCII: half the time of the database's collation
    odd = select(literal(1)).select_from(keys).where(or_(key.op("!~")(NAME_PATTERN), key.in_(RESERVED)))
    return ~odd.correlate(Host).exists()

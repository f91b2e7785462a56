"""One inventory and its sources, refreshed from documents as ansible-inventory writes them."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from craton_inv.db.session import make_session_factory, unit_of_work
from craton_inv.models import Group, GroupEdge, Host, Inventory, Membership
from craton_inv.providers.ansible_json import AnsibleJsonParser, HostRules
from craton_inv.providers.inventory_persister import InventoryPersister
from craton_inv.refresh.collector import Collector
from craton_inv.refresh.counts import Counts
from craton_inv.refresh.refresher import Refresher
from craton_inv.refresh.saving import SaveOptions
from craton_inv.refresh.target import Targets
from tests.factories import make_inventory, make_source

_numbers = itertools.count(1)
OBJECTS = ("hypervisors", "flavors", "images", "networks", "disks", "network_ports", "resources")


def document(
    hosts: Mapping[str, Mapping[str, Any]] | Sequence[str] = (),
    groups: Mapping[str, Any] | None = None,
    inventory: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The document for `hosts` (with their variables) and `groups` (a list of hosts, or the group's own mapping)."""
    hostvars = dict(hosts) if isinstance(hosts, Mapping) else {name: {} for name in hosts}
    whole: dict[str, Any] = {"_meta": {"hostvars": hostvars}, "all": {"vars": dict(inventory or {}), "children": []}}
    for name, group in (groups or {}).items():
        whole[name] = group if isinstance(group, dict) else {"hosts": list(group)}
        whole["all"]["children"].append(name)
    return whole


class World:
    """An inventory; `sources` by the name the test gives them."""

    def __init__(self, engine: AsyncEngine, inventory_id: int, tenant_id: int) -> None:
        self.engine = engine
        self.factory = make_session_factory(engine)
        self.inventory_id = inventory_id
        self.tenant_id = tenant_id
        self.sources: dict[str, int] = {}
        self.said: list[str] = []

    @classmethod
    async def make(cls, engine: AsyncEngine) -> "World":
        """A fresh inventory in a fresh tenant."""
        async with unit_of_work(make_session_factory(engine)) as session:
            number = next(_numbers)
            inventory = await make_inventory(session, f"world-{number}")
            return cls(engine, inventory.id, inventory.tenant_id)

    async def source(self, name: str = "source", **values: Any) -> int:
        """The id of a source, made at its first use."""
        if name not in self.sources:
            async with unit_of_work(self.factory) as session:
                inventory = await session.get_one(Inventory, self.inventory_id)
                self.sources[name] = (await make_source(session, name, inventory=inventory, **values)).id
        return self.sources[name]

    async def refresh(
        self,
        delivered: Mapping[str, Any],
        *,
        source: str = "source",
        rules: HostRules | None = None,
        host_filter: str = "",
        statement_timeout: float = 0,
        **options: Any,
    ) -> dict[str, Counts]:
        """One committed refresh; `options` are those of SaveOptions, `delete` being on."""
        source_id = await self.source(source)
        persister = InventoryPersister(self.inventory_id, host_filter)
        parser = AnsibleJsonParser(lambda: delivered, persister, rules or HostRules(), self.said.append)
        refresher = Refresher(Collector(Targets(source_id)), parser, persister)
        scope = {"inventory_id": self.inventory_id, "tenant_id": self.tenant_id}
        save = SaveOptions(source_id, scope, **{"delete": True, **options})
        try:
            await refresher.gather()
            async with self.engine.begin() as connection:
                limit = str(int(statement_timeout * 1000))
                await connection.execute(select(func.set_config("statement_timeout", limit, True)))
                return await refresher.save(connection, save)
        finally:
            await refresher.close()

    async def hosts(self) -> dict[str, dict[str, Any]]:
        """Variables by host."""
        return await self._variables(Host)

    async def groups(self) -> dict[str, dict[str, Any]]:
        """Variables by group."""
        return await self._variables(Group)

    async def _variables(self, model: type[Host] | type[Group]) -> dict[str, dict[str, Any]]:
        async with self.factory() as session:
            rows = await session.execute(
                select(model.name, model.variables).where(model.inventory_id == self.inventory_id).order_by(model.name)
            )
            return {row.name: row.variables for row in rows}

    async def host(self, name: str) -> Host:
        """One host."""
        async with self.factory() as session:
            query = select(Host).where(Host.inventory_id == self.inventory_id, Host.name == name)
            return (await session.scalars(query)).one()

    async def memberships(self) -> set[tuple[str, str]]:
        """Pairs of group and host."""
        async with self.factory() as session:
            query = (
                select(Group.name, Host.name)
                .join(Membership, Membership.group_id == Group.id)
                .join(Host, Host.id == Membership.host_id)
                .where(Group.inventory_id == self.inventory_id)
            )
            return {(group, host) for group, host in await session.execute(query)}

    async def edges(self) -> set[tuple[str, str]]:
        """Pairs of parent and child."""
        async with self.factory() as session:
            named = select(Group.id, Group.name).where(Group.inventory_id == self.inventory_id)
            names = {row.id: row.name for row in await session.execute(named)}
            query = select(GroupEdge.parent_id, GroupEdge.child_id).where(GroupEdge.inventory_id == self.inventory_id)
            return {(names[parent], names[child]) for parent, child in await session.execute(query)}

    async def inventory(self) -> Inventory:
        """The inventory itself."""
        async with self.factory() as session:
            return await session.get_one(Inventory, self.inventory_id)

    async def set_variables(self, host: str, variables: dict[str, Any]) -> None:
        """What a person writes by hand."""
        async with unit_of_work(self.factory) as session:
            await session.execute(
                update(Host)
                .where(Host.inventory_id == self.inventory_id, Host.name == host)
                .values(variables=variables, variables_text="by hand")
            )

    async def row_versions(self) -> dict[str, list[tuple[Any, ...]]]:
        """The transaction that wrote each row (xmin): a row that is written, even with equal values, changes it."""
        queries = {
            "hosts": f"SELECT id, xmin::text FROM hosts WHERE inventory_id = {self.inventory_id}",
            "groups": f"SELECT id, xmin::text FROM groups WHERE inventory_id = {self.inventory_id}",
            "memberships": f"SELECT ctid::text, xmin::text FROM memberships WHERE inventory_id = {self.inventory_id}",
            "group_edges": f"SELECT ctid::text, xmin::text FROM group_edges WHERE inventory_id = {self.inventory_id}",
            "inventory": f"SELECT id, xmin::text FROM inventories WHERE id = {self.inventory_id}",
            "sources": f"SELECT id, xmin::text FROM inventory_sources WHERE inventory_id = {self.inventory_id}",
            "layers": "SELECT host_id, l.xmin::text FROM host_sources l JOIN hosts h ON h.id = host_id "
            f"WHERE inventory_id = {self.inventory_id}",
        }
        for name in OBJECTS:
            queries[name] = f"SELECT id, xmin::text FROM {name} WHERE inventory_id = {self.inventory_id}"
        async with self.engine.connect() as connection:
            return {
                name: sorted(tuple(row) for row in await connection.execute(text(sql))) for name, sql in queries.items()
            }


def written(counts: Mapping[str, Counts]) -> int:
    """Rows that a refresh wrote."""
    return sum(count.written for count in counts.values())

"""What the statements of one collection need: connection, stage, options of this refresh, and SQL for its scope."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection

from craton_inv.refresh.inventory_collection import InventoryCollection
from craton_inv.refresh.sql import compose, join, quote
from craton_inv.refresh.staging import Stage, link_column
from craton_inv.refresh.target import Targets


@dataclass(frozen=True)
class SaveOptions:
    """How one refresh saves.

    source_id       the source whose refresh this is; the value of a scope column `inventory_source_id`
    scope           values of the other scope columns, but for those that a collection gives itself
    delete          delete what the source owns and did not deliver (AWX's overwrite)
    replace         variables that no source sends are dropped from what was delivered (AWX's overwrite_vars)
    force_delete    go past the deletion guard
    filter_timeout  seconds a name filter may take
    targets         what was asked for; None for a full refresh
    incomplete      collections that were read only partly, with the reasons: nothing of them is deleted
    version         when the collection of this refresh began, by the database's clock; None: rows have no versions
    newest_full     `version` of the newest complete full refresh that was saved before; None when there is none
    """

    source_id: int
    scope: Mapping[str, Any]
    delete: bool = False
    replace: bool = False
    force_delete: bool = False
    filter_timeout: float = 2.0
    targets: Targets | None = None
    incomplete: Mapping[str, str] = field(default_factory=dict)
    version: datetime | None = None
    newest_full: datetime | None = None

    def scope_of(self, collection: InventoryCollection) -> dict[str, Any]:
        """The values of a collection's scope columns."""
        known = {"inventory_source_id": self.source_id, **self.scope, **collection.fixed_scope}
        return {name: known[name] for name in collection.scope}


@dataclass(frozen=True)
class Saving:
    """One collection on its way into its table. In its SQL `s` is the staged row, `t` the saved one."""

    connection: AsyncConnection
    stage: Stage
    collections: Mapping[str, InventoryCollection]
    options: SaveOptions
    deferred: tuple[str, ...] = ()

    @property
    def collection(self) -> InventoryCollection:
        """The collection being saved."""
        return self.stage.collection

    @property
    def table(self) -> str:
        """The table, quoted."""
        return quote(self.collection.table.name)

    async def run(self, template: str, **parts: str) -> CursorResult[*tuple[Any, ...]]:
        """Execute a template with the scope's values and `:source` bound, <stage> and <table> filled in."""
        columns = self.collection.table.c
        binds = {f"scope_{name}": (value, columns[name].type) for name, value in self.scope_values().items()}
        for target in self.collections.values():
            for name, value in self.options.scope_of(target).items():
                binds.setdefault(f"scope_{name}", (value, target.column(name).type))
        binds["source"] = (self.options.source_id, BigInteger())
        statement = compose(template, binds, stage=self.stage.table, table=self.table, **parts)
        return await self.connection.execute(statement)

    def scope_values(self) -> dict[str, Any]:
        """The values of this collection's scope columns."""
        return self.options.scope_of(self.collection)

    def in_scope(self, alias: str = "t", collection: InventoryCollection | None = None) -> str:
        """SQL: a row is in the scope."""
        names = (collection or self.collection).scope
        return " AND ".join(f"{alias}.{quote(name)} = :scope_{name}" for name in names) or "true"

    def scope_columns(self) -> str:
        """The scope columns, for INSERT."""
        return join(self.collection.scope)

    def scope_binds(self) -> str:
        """The values of the scope columns, for SELECT."""
        return ", ".join(f":scope_{name}" for name in self.collection.scope)

    def same_ref(self, staged: str = "s", saved: str = "t") -> str:
        """SQL: a staged and a saved row have the same identity; null equals null where the identity allows null."""
        parts = []
        for name in self.collection.manager_ref:
            operator = "IS NOT DISTINCT FROM" if self.collection.column(name).nullable else "="
            parts.append(f"{saved}.{quote(name)} {operator} {staged}.{quote(name)}")
        return " AND ".join(parts)

    def link_joins(self, columns: tuple[str, ...], kind: str = "JOIN") -> str:
        """SQL: one join per link column, `l0`, `l1` ... being the rows the links lead to."""
        joins = []
        for index, column in enumerate(columns):
            target = self.collections[self.collection.links[column]]
            same = " AND ".join(
                f"l{index}.{quote(ref)} = s.{quote(link_column(column, ref))}" for ref in target.manager_ref
            )
            scope = self.in_scope(f"l{index}", target)
            joins.append(f"{kind} {quote(target.table.name)} l{index} ON {same} AND {scope}")
        return " ".join(joins)

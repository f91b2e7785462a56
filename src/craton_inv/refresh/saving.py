"""What the statements of one collection need: connection, stage, options of this refresh, and SQL for its scope."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CursorResult, DateTime
from sqlalchemy.ext.asyncio import AsyncConnection

from craton_inv.refresh.inventory_collection import InventoryCollection
from craton_inv.refresh.linking import resolve
from craton_inv.refresh.sql import compose, fill, join, null_safe, quote
from craton_inv.refresh.staging import Stage
from craton_inv.refresh.target import Target, Targets

_DELIVERED = "SELECT d.id FROM (<resolved>) r JOIN <table> d ON <scope> AND <same>"
_RESOLVED = "SELECT s.ctid AS place, s.sent, <values> FROM <stage> s <joins> WHERE <found>"


@dataclass(frozen=True)
class SaveOptions:
    """How one refresh saves.

    source_id       the source whose refresh this is; the value of a scope column `inventory_source_id`
    scope           values of the other scope columns, but for those that a collection gives itself
    update_id       the run that this is; None outside of one
    delete          delete what the source owns and did not deliver (AWX's overwrite)
    replace         variables that no source sends are dropped from what was delivered (AWX's overwrite_vars)
    force_delete    go past the deletion guard
    verdicts        where a list is given, the guard writes there what it would stop, and stops nothing (a dry run)
    filter_timeout  seconds a name filter may take
    targets         what was asked for; None for a full refresh
    incomplete      collections that were read only partly, with the reasons: nothing of them is deleted
    version         when the collection of this refresh began, by the database's clock; None: rows have no versions
    newest          the newest version that was saved before; None when that is not known
    newest_full     that of the newest complete full refresh that was saved before; None when there is none
    later_targets   what refreshes were asked for that began later than this one and were saved before
    """

    source_id: int
    scope: Mapping[str, Any]
    update_id: int | None = None
    delete: bool = False
    replace: bool = False
    force_delete: bool = False
    verdicts: list[str] | None = None
    filter_timeout: float = 2.0
    targets: Targets | None = None
    incomplete: Mapping[str, str] = field(default_factory=dict)
    version: datetime | None = None
    newest: datetime | None = None
    newest_full: datetime | None = None
    later_targets: frozenset[Target] = frozenset()

    def scope_of(self, collection: InventoryCollection) -> dict[str, Any]:
        """The values of a collection's scope columns."""
        known = {"inventory_source_id": self.source_id, **self.scope, **collection.fixed_scope}
        return {name: known[name] for name in collection.scope}


@dataclass(frozen=True)
class Saving:
    """One collection on its way into its table. In its SQL `s` is the staged row, `t` the saved one.

    `binds`: further values that statements may bind, with their types; shared by the collections of a refresh.
    """

    connection: AsyncConnection
    stage: Stage
    collections: Mapping[str, InventoryCollection]
    options: SaveOptions
    deferred: tuple[str, ...] = ()
    binds: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    @property
    def loaded(self) -> bool:
        """Whether something was delivered, or its lack has a meaning: the refresh is a full one."""
        return self.options.targets is None or self.stage.rows > 0

    @property
    def archives(self) -> bool:
        """Whether rows that are no longer delivered are kept, out of the scope."""
        return self.collection.retention == "archive"

    @property
    def stamps(self) -> bool:
        """Whether rows keep the version of this refresh."""
        return bool(self.collection.version_column) and self.options.version is not None

    @property
    def marks(self) -> bool:
        """Whether unchanged rows keep it, too: those of a refresh whose time does not stand for the whole source."""
        whole = self.options.targets is None and self.collection.name not in self.options.incomplete
        return self.stamps and not whole

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
        binds["version"] = (self.options.version, DateTime(timezone=True))
        binds |= self.binds
        statement = compose(template, binds, stage=self.stage.table, table=self.table, **parts)
        return await self.connection.execute(statement)

    def fill(self, template: str, **parts: str) -> str:
        """A template with <stage>, <table> and the parts filled in, for a statement of several."""
        return fill(template, stage=self.stage.table, table=self.table, **parts)

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
        return self.same({name: f"{staged}.{quote(name)}" for name in self.collection.manager_ref}, saved)

    def same(self, values: Mapping[str, str], saved: str = "t") -> str:
        """SQL: a saved row has the identity that `values` gives, SQL by column."""
        nil = self.collection.manager_ref_allowed_nil
        return " AND ".join(
            null_safe(f"{saved}.{quote(name)}", values[name])
            if name in nil
            else f"{saved}.{quote(name)} = {values[name]}"
            for name in self.collection.manager_ref
        )

    def resolved(self, columns: tuple[str, ...], *, placeholders: bool = True) -> str:
        """SQL: per staged row these columns, links as ids, and its `place` in the stage; for use after the links' rows.

        Rows are left out whose identity leads nowhere, and those that were only linked to unless `placeholders` are
        wanted. <stage> in it is this collection's.
        """
        links = resolve(self, columns)
        values = ", ".join(f"{links.values[name]} AS {quote(name)}" for name in columns)
        lost = [links.missing[name] for name in self.collection.manager_ref if name in links.missing]
        wanted = [f"NOT coalesce({condition}, false)" for condition in lost]
        if self.collection.skeletal and not placeholders:
            wanted.append("NOT s.placeholder")
        found = " AND ".join(wanted) or "true"
        return fill(_RESOLVED, values=values, stage=self.stage.table, joins=links.joins, found=found)

    def delivered_ids(self) -> str:
        """SQL: the ids of the saved rows that were delivered; one that was only linked to was not."""
        return fill(
            _DELIVERED,
            resolved=self.resolved(self.collection.manager_ref, placeholders=False),
            table=self.table,
            scope=self.in_scope("d"),
            same=self.same_ref("r", "d"),
        )

"""What may be saved, where, and by which identity: one frozen declaration per collection, checked when it is made."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import Column, DateTime, PrimaryKeyConstraint, Table, UniqueConstraint

from craton_inv.errors import CratonInvError
from craton_inv.refresh.guard import DeletionGuard
from craton_inv.refresh.inventory_object import InventoryObject
from craton_inv.refresh.ownership import Exclusive, Layered, Ownership, Shared
from craton_inv.refresh.reference import Reference

CustomSave = Callable[[Any, Any], Awaitable[None]]  # Saving, Counts: named in `saver`, which imports this module


class InvalidCollection(CratonInvError):
    """A declaration that cannot work; raised when it is made, never while saving."""

    code = "refresh.declaration"


@dataclass(frozen=True)
class InventoryCollection:
    """A collection of inventory objects that are rows of one table.

    name         unique in its persister; parsers and links use it
    table        where the rows are saved
    manager_ref  columns that identify a row within the scope; a column may be a link
    attributes   columns that a parser may send and that later refreshes update; one not sent stays as it is
    on_create    columns that a parser may send and that count only for a new row
    links        column -> name of the collection whose `id` it holds; a parser sends `lazy_find(...)` for it
    scope        columns with one value a refresh: they bound what is compared, updated and deleted
    ownership    who else may own the rows (see `ownership`)
    parent_inventory_collections
                 whose parts the rows are (see `parents`): names of collections, or collection.column where several
                 links lead to one; None reads it from the foreign keys, () is none on purpose
    retention    what becomes of rows that are no longer delivered: "destroy" deletes them, "archive" sets their
                 `archived_at`; archived rows are no part of the scope until they are delivered again
    version_column
                 where a row keeps when the source was asked for it (see `versions`); of layered ones a column of the
                 layers' table; "" for none
    complete     the delivery is whole, so what is missing may be deleted
    update_only  neither create nor delete
    reconnect_by an attribute that outlives a change of the identity (a cloud's instance id): a row of the source with
                 the same value is renamed in place instead of deleted and made anew; "" for none; layered ones only
    guard        how much one refresh may delete
    name_filter  a PostgreSQL regular expression; delivered rows whose first reference column does not match from its
                 start count as not delivered; "" keeps all
    custom_save  replaces the saver: called with the Saving and the Counts to fill, in graph order; deletes nothing else
    """

    name: str
    table: Table
    manager_ref: tuple[str, ...]
    attributes: tuple[str, ...] = ()
    on_create: tuple[str, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    scope: tuple[str, ...] = ()
    ownership: Ownership = field(default_factory=Exclusive)
    parent_inventory_collections: tuple[str, ...] | None = None
    retention: str = "destroy"
    version_column: str = ""
    complete: bool = True
    update_only: bool = False
    reconnect_by: str = ""
    guard: DeletionGuard = field(default_factory=DeletionGuard)
    name_filter: str = ""
    custom_save: CustomSave | None = None

    def __post_init__(self) -> None:
        self._check_columns()
        if self.custom_save is None:
            self._check_identity()
            self._check_ownership()
            self._check_lifetime()

    def build(self, **values: Any) -> InventoryObject:
        """An inventory object. Raises InvalidCollection for an unknown column or a missing identity."""
        if not self._required <= values.keys() or not values.keys() <= self._known:
            missing = ", ".join(sorted(self._required - values.keys()))
            unknown = ", ".join(sorted(values.keys() - self._known))
            problem = f"needs {missing}" if missing else f"has no {unknown}"
            raise InvalidCollection(f"An object of {self.name} {problem}.")
        return InventoryObject(self, values)

    def lazy_find(self, *ref: Any) -> Reference:
        """A link to the object of this collection with that identity, resolved while saving."""
        if len(ref) != len(self.manager_ref):
            raise InvalidCollection(
                f"A link to {self.name} needs {', '.join(self.manager_ref)}; got {len(ref)} values."
            )
        return Reference(self.name, ref)

    @cached_property
    def _required(self) -> frozenset[str]:
        return frozenset(self.manager_ref)

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset((*self.manager_ref, *self.attributes, *self.on_create))

    @cached_property
    def conflict_columns(self) -> tuple[str, ...]:
        """The columns of the unique constraint that an upsert names."""
        reachable = {*self.scope, *self.manager_ref}
        fitting = [
            names
            for constraint in self.table.constraints
            if isinstance(constraint, UniqueConstraint | PrimaryKeyConstraint)
            and set(self.manager_ref) <= set(names := tuple(column.name for column in constraint.columns)) <= reachable
        ]
        if not fitting:
            raise InvalidCollection(
                f"Collection {self.name}: table {self.table.name} has no unique constraint over {self.manager_ref} "
                f"and at most the scope {self.scope}; without one two refreshes could save an object twice."
            )
        return min(fitting, key=len)

    def column(self, name: str) -> Column[Any]:
        """A column of the table."""
        return self.table.c[name]

    def _check_columns(self) -> None:
        for name in (*self.manager_ref, *self.attributes, *self.on_create, *self.scope, *self.links):
            if name not in self.table.c:
                raise InvalidCollection(f"Collection {self.name}: table {self.table.name} has no column {name}.")
        if not self.manager_ref:
            raise InvalidCollection(f"Collection {self.name} has no manager_ref: its objects have no identity.")
        twice = {name for name in self._known if (*self.manager_ref, *self.attributes, *self.on_create).count(name) > 1}
        if twice:
            raise InvalidCollection(f"Collection {self.name} names {', '.join(sorted(twice))} twice.")
        stray = set(self.links) - self._known
        if stray:
            raise InvalidCollection(f"Collection {self.name}: the links {sorted(stray)} are no columns of it.")

    def _check_identity(self) -> None:
        names = self.conflict_columns
        nullable = [name for name in self.manager_ref if self.table.c[name].nullable]
        if nullable and not self._nulls_equal(names):
            raise InvalidCollection(
                f"Collection {self.name}: {', '.join(nullable)} may be null, and its unique constraint takes nulls for "
                "different; declare it NULLS NOT DISTINCT or the column NOT NULL."
            )

    def _nulls_equal(self, names: tuple[str, ...]) -> bool:
        return any(
            constraint.dialect_options["postgresql"].get("nulls_not_distinct")
            for constraint in self.table.constraints
            if isinstance(constraint, UniqueConstraint) and tuple(column.name for column in constraint.columns) == names
        )

    def _check_ownership(self) -> None:
        needed: tuple[str, ...] = ()
        if isinstance(self.ownership, Layered):
            needed = ("id", "manual", "variables", "variables_text")
            if any(name in self.links for name in self.manager_ref):
                raise InvalidCollection(f"Collection {self.name} is layered: its identity cannot be a link.")
        elif isinstance(self.ownership, Shared):
            needed = ("manual", self.ownership.column)
            if self.attributes or set(self.links) != set(self.manager_ref):
                raise InvalidCollection(f"Collection {self.name} is shared: it holds links and nothing else.")
        if self.reconnect_by and (needed[:1] != ("id",) or self.reconnect_by not in self.attributes):
            raise InvalidCollection(
                f"Collection {self.name}: reconnect_by needs a layered collection and one of its attributes."
            )
        absent = [name for name in needed if name not in self.table.c]
        if absent:
            raise InvalidCollection(
                f"Collection {self.name}: table {self.table.name} lacks {', '.join(absent)}, which its ownership needs."
            )

    def _check_lifetime(self) -> None:
        if self.retention not in ("destroy", "archive"):
            raise InvalidCollection(f"Collection {self.name}: retention is destroy or archive, not {self.retention!r}.")
        if self.retention == "archive":
            if not isinstance(self.ownership, Exclusive):
                raise InvalidCollection(f"Collection {self.name}: rows with several owners cannot be archived by one.")
            self._check_time(self.table, "archived_at", "retention archive")
        if self.version_column:
            if isinstance(self.ownership, Shared):
                raise InvalidCollection(f"Collection {self.name}: links have the version of the row they are part of.")
            table = self.ownership.table if isinstance(self.ownership, Layered) else self.table
            self._check_time(table, self.version_column, "a version_column")

    def _check_time(self, table: Table, name: str, what: str) -> None:
        column = table.c.get(name)
        if column is None or not isinstance(column.type, DateTime) or not column.nullable:
            raise InvalidCollection(
                f"Collection {self.name}: {what} needs {name}, a time that may be null, in table {table.name}."
            )
        if name in self._known or name in self.scope:
            raise InvalidCollection(f"Collection {self.name}: {name} is set by the refresh, no parser sends it.")

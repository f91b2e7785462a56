"""What may be saved, where, and by which identity: one frozen declaration per collection, checked when it is made."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import Column, Integer, Table

from craton_inv.refresh import declaration
from craton_inv.refresh.declaration import InvalidCollection
from craton_inv.refresh.guard import DeletionGuard
from craton_inv.refresh.inventory_object import InventoryObject
from craton_inv.refresh.lazy_find import lazy_find
from craton_inv.refresh.ownership import Exclusive, Ownership
from craton_inv.refresh.reference import MANAGER_REF, Reference

__all__ = ["CustomReconnectBlock", "CustomSaveBlock", "InvalidCollection", "InventoryCollection"]

CustomSaveBlock = Callable[[Any, Any], Awaitable[None]]  # Saving, Counts: named in `saver`, which imports this module
CustomReconnectBlock = Callable[[Any], Awaitable[None]]  # Reconnect: named in `reconnect`, which imports this module


@dataclass(frozen=True)
class InventoryCollection:
    """A collection of inventory objects that are rows of one table.

    name         unique in its persister; parsers and links use it
    table        where the rows are saved
    manager_ref  columns that identify a row within the scope; a column may be a link
    attributes   columns that a parser may send and that later refreshes update; one not sent stays as it is
    on_create    columns that a parser may send and that count only for a new row
    links        column -> name of the collection whose `id` (or, by `key`, another column) it holds; a parser sends
                 `lazy_find(...)` for it
    scope        columns with one value a refresh: they bound what is compared, updated and deleted
    fixed_scope  scope columns whose value the declaration gives, so that several collections share one table; nothing
                 links to such a collection
    ownership    who else may own the rows (see `ownership`)
    secondary_refs           name -> columns that links may find an object by besides its manager_ref
    manager_ref_allowed_nil  columns of the identity that may be null; a null in another one is refused
    default_values           column -> value under every object built; a function gets the persister once
    attributes_blacklist     attributes that this refresh does not write
    attributes_whitelist     the only attributes that this refresh writes; None for all. The identity and what the table
                             declares NOT NULL are always written
    dependency_attributes    label -> names of collections that must be saved before this one, whatever its links
    parent_inventory_collections  whose parts the rows are (see `parents`): names of linked collections, or
                             collection.column where several links lead to one; None to tell by the foreign keys, () for
                             none
    retention    what becomes of rows that are no longer delivered: "destroy" deletes them, "archive" sets their
                 `archived_at`; archived rows are no part of the scope until they are delivered again
    version_column           where a row keeps when the source was asked for it (see `versions`), for layered ones in
                             the layers' table; "" for none
    complete     the delivery is whole, so what is missing may be deleted
    update_only  neither create nor delete
    create_only  insert what is new; nothing else is compared, updated or deleted
    skeletal     a link to an object that is not delivered makes a placeholder: its identity and defaults
    reconnect_by an attribute that outlives a change of the identity (a cloud's instance id): a row of the source with
                 the same value is renamed in place instead of deleted and made anew; "" for none; layered ones only
    guard        how much one refresh may delete
    name_filter  a PostgreSQL regular expression; delivered rows whose first reference column does not match from its
                 start count as not delivered; "" keeps all
    custom_save_block       replaces the saver: called with the Saving and the Counts to fill, in graph order
    custom_reconnect_block  called with a Reconnect before new rows are inserted: what it gives the identity of a
                            delivered object is updated instead (see `reconnect`)
    """

    name: str
    table: Table
    manager_ref: tuple[str, ...]
    attributes: tuple[str, ...] = ()
    on_create: tuple[str, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    scope: tuple[str, ...] = ()
    fixed_scope: Mapping[str, Any] = field(default_factory=dict)
    ownership: Ownership = field(default_factory=Exclusive)
    secondary_refs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    manager_ref_allowed_nil: tuple[str, ...] = ()
    default_values: Mapping[str, Any] = field(default_factory=dict)
    attributes_blacklist: tuple[str, ...] = ()
    attributes_whitelist: tuple[str, ...] | None = None
    dependency_attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parent_inventory_collections: tuple[str, ...] | None = None
    retention: str = "destroy"
    version_column: str = ""
    complete: bool = True
    update_only: bool = False
    create_only: bool = False
    skeletal: bool = False
    reconnect_by: str = ""
    guard: DeletionGuard = field(default_factory=DeletionGuard)
    name_filter: str = ""
    custom_save_block: CustomSaveBlock | None = None
    custom_reconnect_block: CustomReconnectBlock | None = None

    def __post_init__(self) -> None:
        declaration.check(self)

    def build(self, **values: Any) -> InventoryObject:
        """An inventory object. Raises InvalidCollection for an unknown column or a missing identity."""
        if self.default_values:
            values = {**self.default_values, **values}
        shape = tuple(values)
        if shape not in self._shapes:
            self._check_shape(shape)
        return InventoryObject(self, values)

    def lazy_find(
        self, *values: Any, ref: str = MANAGER_REF, key: str | None = None, default: Any = None
    ) -> Reference | None:
        """A link to the object of this collection with that identity, resolved while saving; see `lazy_find`."""
        return lazy_find(self, values, ref, key or "", default)

    @cached_property
    def refs(self) -> dict[str, tuple[str, ...]]:
        """What an object is found by: its identity first, then the secondary refs."""
        return {MANAGER_REF: self.manager_ref, **{name: tuple(names) for name, names in self.secondary_refs.items()}}

    @cached_property
    def written(self) -> tuple[str, ...]:
        """Attributes that this refresh writes, after the black and the white list."""
        white = self.attributes if self.attributes_whitelist is None else self.attributes_whitelist
        return tuple(
            name
            for name in self.attributes
            if not self.column(name).nullable or (name in white and name not in self.attributes_blacklist)
        )

    @cached_property
    def relations(self) -> frozenset[str]:
        """Link columns that hold the id of what they lead to; other link columns take one of its values by `key`."""
        return frozenset(name for name in self.links if isinstance(self.column(name).type, Integer))

    @cached_property
    def required(self) -> tuple[str, ...]:
        """Link columns without which a row cannot be inserted: the identity's, and what the table declares NOT NULL."""
        nil = self.manager_ref_allowed_nil
        return tuple(
            name
            for name in self.links
            if name not in nil and (name in self.manager_ref or not self.column(name).nullable)
        )

    @cached_property
    def deletes(self) -> bool:
        """Whether what is missing may be deleted at all."""
        return self.complete and not self.update_only and not self.create_only

    @cached_property
    def conflict_columns(self) -> tuple[str, ...]:
        """The columns of the unique constraint that an upsert names."""
        fitting = declaration.unique_columns(self, self.manager_ref)
        if fitting is None:
            raise InvalidCollection(
                f"Collection {self.name}: table {self.table.name} has no unique constraint over {self.manager_ref} "
                f"and at most the scope {self.scope}; without one two refreshes could save an object twice."
            )
        return fitting

    def column(self, name: str) -> Column[Any]:
        """A column of the table."""
        return self.table.c[name]

    @cached_property
    def _shapes(self) -> set[tuple[str, ...]]:
        return set()

    def _check_shape(self, shape: tuple[str, ...]) -> None:
        """Remember the columns of an object, or refuse them; parsers send few shapes and many objects."""
        missing = set(self.manager_ref).difference(shape)
        unknown = set(shape).difference(self.manager_ref, self.attributes, self.on_create)
        if missing or unknown:
            problem = f"needs {declaration.listed(missing)}" if missing else f"has no {declaration.listed(unknown)}"
            raise InvalidCollection(f"An object of {self.name} {problem}.")
        if len(self._shapes) < 1000:
            self._shapes.add(shape)

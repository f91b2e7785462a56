"""Checks of declared collections: each refusal names the collection, the option and what is allowed."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from sqlalchemy import DateTime, PrimaryKeyConstraint, String, Table, UniqueConstraint

from craton_inv.errors import CratonInvError
from craton_inv.refresh.ownership import Exclusive, Layered, Shared
from craton_inv.refresh.reference import MANAGER_REF

if TYPE_CHECKING:
    from craton_inv.refresh.inventory_collection import InventoryCollection

RESERVED = frozenset({"sent", "digest", "placeholder", "link_defaults"})  # columns that staging tables add


class InvalidCollection(CratonInvError):
    """A declaration that cannot work; raised when it is made, never while saving."""

    code = "refresh.declaration"


def refuse(collection: "InventoryCollection", problem: str) -> None:
    """Raise InvalidCollection naming the collection."""
    raise InvalidCollection(f"Collection {collection.name}: {problem}")


def listed(names: Iterable[str]) -> str:
    """Names for a message."""
    return ", ".join(sorted(names)) or "none"


def check(collection: "InventoryCollection") -> None:
    """Everything about a declaration that can be told without the others. Raises InvalidCollection."""
    _columns(collection)
    _refs(collection)
    _options(collection)
    if collection.custom_save_block is None:
        _identity(collection)
        _ownership(collection)
        _skeletal(collection)
        _lifetime(collection)


def _columns(item: "InventoryCollection") -> None:
    table, sendable = item.table, (*item.manager_ref, *item.attributes, *item.on_create)
    secondary = (name for names in item.secondary_refs.values() for name in names)
    for name in (*sendable, *item.scope, *item.links, *secondary):
        if name not in table.c:
            refuse(item, f"table {table.name} has no column {name}.")
    if not item.manager_ref:
        raise InvalidCollection(f"Collection {item.name} has no manager_ref: its objects have no identity.")
    twice = {name for name in sendable if sendable.count(name) > 1}
    if twice:
        raise InvalidCollection(f"Collection {item.name} names {listed(twice)} twice.")
    unscoped = set(item.fixed_scope) - set(item.scope)
    if unscoped:
        refuse(item, f"fixed_scope names {listed(unscoped)}, no columns of its scope.")
    taken = RESERVED.intersection(sendable)
    if taken:
        refuse(item, f"a staging table has a column {listed(taken)} of its own.")
    stray = set(item.links) - set(sendable)
    if stray:
        refuse(item, f"the links {sorted(stray)} are no columns of it.")


def _refs(item: "InventoryCollection") -> None:
    """Secondary refs, and the identity's columns that may be null."""
    for name, columns in item.secondary_refs.items():
        if name == MANAGER_REF or not columns:
            refuse(item, f"secondary ref {name!r} needs a name other than {MANAGER_REF} and at least one column.")
        if list(item.refs.values()).count(tuple(columns)) > 1:
            refuse(item, f"secondary ref {name!r} has the same columns as another ref: {', '.join(columns)}.")
    stray = set(item.manager_ref_allowed_nil) - set(item.manager_ref)
    if stray:
        refuse(item, f"manager_ref_allowed_nil names {listed(stray)}; its manager_ref is {listed(item.manager_ref)}.")
    never = [name for name in item.manager_ref_allowed_nil if not item.column(name).nullable]
    if never:
        refuse(item, f"manager_ref_allowed_nil names {listed(never)}, which the table declares NOT NULL.")


def _options(item: "InventoryCollection") -> None:
    known = {*item.attributes, *item.on_create}
    for option, names in (
        ("attributes_blacklist", item.attributes_blacklist),
        ("attributes_whitelist", item.attributes_whitelist or ()),
        ("default_values", item.default_values),
    ):
        stray = set(names) - known - set(item.manager_ref)
        if stray:
            refuse(item, f"{option} names {listed(stray)}; its columns are {listed(known | set(item.manager_ref))}.")
    if item.update_only and item.create_only:
        refuse(item, "update_only and create_only exclude one another.")
    if item.name_filter and not isinstance(item.column(item.manager_ref[0]).type, String):
        refuse(item, f"name_filter goes by {item.manager_ref[0]}, which is no text.")
    if item.parent_inventory_collections is not None:
        stray = {name.partition(".")[0] for name in item.parent_inventory_collections} - set(item.links.values())
        if stray:
            refuse(
                item,
                f"parent_inventory_collections names {listed(stray)}; its links lead to {listed(item.links.values())}.",
            )


def _identity(item: "InventoryCollection") -> None:
    names = item.conflict_columns
    nullable = [name for name in item.manager_ref if item.column(name).nullable]
    if nullable and not _nulls_equal(item, names):
        refuse(
            item,
            f"{', '.join(nullable)} may be null, and its unique constraint takes nulls for different; declare it "
            "NULLS NOT DISTINCT or the column NOT NULL.",
        )


def _nulls_equal(item: "InventoryCollection", names: tuple[str, ...]) -> bool:
    return any(
        constraint.dialect_options["postgresql"].get("nulls_not_distinct")
        for constraint in item.table.constraints
        if isinstance(constraint, UniqueConstraint) and tuple(column.name for column in constraint.columns) == names
    )


def unique_columns(item: "InventoryCollection", columns: tuple[str, ...]) -> tuple[str, ...] | None:
    """The shortest unique constraint over `columns` and at most the scope; None when nothing makes them unique."""
    reachable = {*item.scope, *columns}
    fitting = [
        names
        for constraint in item.table.constraints
        if isinstance(constraint, UniqueConstraint | PrimaryKeyConstraint)
        and set(columns) <= set(names := tuple(column.name for column in constraint.columns)) <= reachable
    ]
    return min(fitting, key=len, default=None)


def _ownership(item: "InventoryCollection") -> None:
    needed: tuple[str, ...] = ("id",) if isinstance(item.ownership, Exclusive) else ()
    if isinstance(item.ownership, Layered):
        needed = ("id", "manual", "variables", "variables_text")
        if any(name in item.links for name in item.manager_ref):
            raise InvalidCollection(f"Collection {item.name} is layered: its identity cannot be a link.")
    elif isinstance(item.ownership, Shared):
        needed = ("manual", item.ownership.column)
        if item.attributes or set(item.links) != set(item.manager_ref):
            raise InvalidCollection(f"Collection {item.name} is shared: it holds links and nothing else.")
    if item.reconnect_by and (needed[:2] != ("id", "manual") or item.reconnect_by not in item.written):
        refuse(item, "reconnect_by needs a layered collection and one of the attributes that it writes.")
    if item.custom_reconnect_block is not None and isinstance(item.ownership, Shared):
        refuse(item, "custom_reconnect_block needs rows of its own to reconnect; shared links have none.")
    absent = [name for name in needed if name not in item.table.c]
    if absent:
        refuse(item, f"table {item.table.name} lacks {', '.join(absent)}, which its ownership needs.")


def _skeletal(item: "InventoryCollection") -> None:
    """A placeholder has its identity and defaults: nothing else may be needed."""
    if not item.skeletal:
        return
    if not isinstance(item.ownership, Exclusive) or item.update_only:
        refuse(item, "skeletal needs rows that one source owns alone and may create.")
    given = {"id", *item.scope, *item.manager_ref, *item.default_values}
    lacking = [
        column.name
        for column in item.table.columns
        if not (column.nullable or column.server_default is not None or column.name in given)
    ]
    if lacking:
        refuse(item, f"skeletal needs default_values for {listed(lacking)}: a placeholder has no value of its own.")


def _lifetime(item: "InventoryCollection") -> None:
    """Archives and versions."""
    if item.retention not in ("destroy", "archive"):
        refuse(item, f"retention is destroy or archive, not {item.retention!r}.")
    if item.retention == "archive":
        if not isinstance(item.ownership, Exclusive):
            refuse(item, "rows with several owners cannot be archived by one.")
        _time(item, item.table, "archived_at", "retention archive")
    if item.version_column:
        if isinstance(item.ownership, Shared):
            refuse(item, "links have no version_column; they have the version of the row they are part of.")
        table = item.ownership.table if isinstance(item.ownership, Layered) else item.table
        _time(item, table, item.version_column, "version_column")


def _time(item: "InventoryCollection", table: Table, name: str, what: str) -> None:
    column = table.c.get(name)
    if column is None or not isinstance(column.type, DateTime) or not column.nullable:
        refuse(item, f"{what} needs {name}, a time that may be null, in table {table.name}.")
    if name in (*item.manager_ref, *item.attributes, *item.on_create, *item.scope):
        refuse(item, f"{name} is set by the refresh itself, no parser sends it.")


def check_links(item: "InventoryCollection", collections: "Mapping[str, InventoryCollection]") -> None:
    """What a declaration says of the other collections, held against their tables. Raises InvalidCollection."""
    for column, name in item.links.items():
        target = collections.get(name)
        if target is None:
            raise InvalidCollection(f"Collection {item.name} links {column} to {name}, which is not declared.")
        if target.fixed_scope:
            raise InvalidCollection(f"{item.name}.{column} links to {name}, whose table holds other collections too.")
        led = _led_to(item, column)
        if led is not None and led != target.table.name:
            fitting = listed(other.name for other in collections.values() if other.table.name == led)
            refuse(
                item,
                f"it links {column} to {name}, but its foreign key leads to table {led}; collections of that table: "
                f"{fitting}.",
            )
    for label, names in item.dependency_attributes.items():
        stray = set(names) - collections.keys()
        if stray:
            refuse(item, f"dependency_attributes.{label} names {listed(stray)}, not declared.")


def _led_to(item: "InventoryCollection", column: str) -> str | None:
    """The table whose `id` a column refers to; None when no foreign key says."""
    for constraint in item.table.foreign_key_constraints:
        for element in constraint.elements:
            if element.parent.name == column and element.target_fullname.rsplit(".", 1)[-1] == "id":
                return element.target_fullname.rsplit(".", 1)[0]
    return None

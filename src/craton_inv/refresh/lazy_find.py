"""Making lazy links: what a parser says of the object it means, checked against how that collection can be found."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from craton_inv.refresh.declaration import InvalidCollection
from craton_inv.refresh.reference import Reference, form_label

if TYPE_CHECKING:
    from craton_inv.refresh.inventory_collection import InventoryCollection


def lazy_find(
    target: "InventoryCollection", values: tuple[Any, ...], ref: str, key: str, default: Any
) -> Reference | None:
    """A link to the object of `target` with these values of `ref`'s columns, or None for the single value None.

    values   in the order of the columns, or one mapping by column; further keys of it are ignored. A relation's value
             is itself a link
    ref      "manager_ref", or the name of a secondary ref
    key      the column of the object to take instead of its id
    default  what to take when the link leads nowhere or that column is null; a stored false stays false
    Raises InvalidCollection for an unknown ref, key or a wrong number of values. Source: ManageIQ's lazy_find.
    """
    columns = target.refs.get(ref)
    if columns is None:
        raise InvalidCollection(f"{target.name} has no ref {ref!r}; it can be found by {', '.join(target.refs)}.")
    if len(values) == 1:
        first = values[0]
        if first is None:
            return None
        if type(first) is not str and isinstance(first, Mapping):
            values = _of_mapping(target, columns, first)
    if len(values) != len(columns):
        raise InvalidCollection(f"A link to {target.name} needs {', '.join(columns)}; got {len(values)} values.")
    if key and key not in target.table.c:
        raise InvalidCollection(f"A link to {target.name} cannot take {key!r}: table {target.table.name} has none.")
    form = ref
    if not target.relations.isdisjoint(columns):
        form = form_label(ref, _relations(target, columns, values))
    return Reference(target.name, values, form, key, default)


def _of_mapping(target: "InventoryCollection", columns: tuple[str, ...], given: Mapping[str, Any]) -> tuple[Any, ...]:
    missing = [name for name in columns if name not in given]
    if missing:
        raise InvalidCollection(f"A link to {target.name} needs {', '.join(columns)}; {', '.join(missing)} is missing.")
    return tuple(given[name] for name in columns)


def _relations(target: "InventoryCollection", columns: tuple[str, ...], values: tuple[Any, ...]) -> dict[str, str]:
    """What the relations among the values are found by."""
    forms: dict[str, str] = {}
    for name, value in zip(columns, values, strict=True):
        if name not in target.relations or value is None:
            continue
        if not isinstance(value, Reference) or value.collection != target.links[name] or value.key:
            raise InvalidCollection(
                f"A link to {target.name} needs a link to {target.links[name]}, without a key, for {name}; "
                f"got {type(value).__name__}."
            )
        forms[name] = value.form
    return forms

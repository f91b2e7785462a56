"""`order_by` of lists as ORDER BY clauses: columns and what relations lead to, each row once, always ending in id.

A relation to several rows counts with its lowest value when ascending and its highest when descending; rows without
any stand where PostgreSQL (and so Django) puts nulls: last when ascending, first when descending.
"""

from typing import Any

from sqlalchemy import ColumnElement, UnaryExpression, inspect, select
from sqlalchemy.orm import aliased

from craton_inv.errors import InvalidFilter
from craton_inv.filters import errors, values
from craton_inv.filters.errors import Place
from craton_inv.filters.nodes import Origin
from craton_inv.filters.paths import Hop, Model, catalogue

MAX_FIELDS = 20


def order_by_clauses(spec: str, model: Model) -> list[ColumnElement[Any] | UnaryExpression[Any]]:
    """`-name,inventory__name` as ORDER BY clauses, always ending in id. Raises InvalidFilter, Forbidden."""
    clauses: list[Any] = []
    names = [name.strip() for name in spec.split(",") if name.strip()]
    if len(names) > MAX_FIELDS:
        raise InvalidFilter(f"order_by={errors.shown(spec)}: {len(names)} fields; at most {MAX_FIELDS} are taken")
    unique = False
    for name in names:
        field, down = name.removeprefix("-"), name.startswith("-")
        place = Place(Origin(f"order_by={spec}", "list"), 0, field)
        column = _value(field, model, model, (), down, place)
        unique = unique or field in ("id", "pk")
        clauses.append(column.desc() if down else column.asc())
    if not unique:
        clauses.append(model.id.asc())
    return clauses


def _value(field: str, model: Model, entity: Any, crossed: tuple[Hop, ...], down: bool, place: Place) -> Any:
    """The expression of `field` on `entity`, which is `model` or an alias of it. `crossed`: the way there."""
    name, _, rest = field.partition("__")
    here = catalogue(model)
    if name in here.private:
        raise errors.private_field(place, name)
    if not rest and name in here.columns and values.kind_of(here.columns[name]) is not None:
        made = here.computed.get(name)
        return getattr(entity, here.columns[name].key) if made is None else made(entity)
    if name in here.roots:
        raise _no_order(place, field, f"{name} holds values of many types, which have no common order")
    if name not in here.known:
        raise errors.unknown_field(place, name, here.label, here.known, deeper=False)
    hop = here.relations.get(name)
    if hop is None:
        raise _no_order(place, field, f"nothing is below {name}" if rest else f"{name} has no order")
    if any(hop.identity == other.identity for other in crossed):
        raise errors.loop(place, name)
    if hop.local_key is not None and not rest:
        return getattr(entity, inspect(model).get_property_by_column(hop.local_key).key)
    if hop.joins is None:
        raise _no_order(place, field, f"{name} is worked out anew by every search and has no order")
    far = aliased(hop.target)
    value = _value(rest or "id", hop.target, far, (*crossed, hop), down, place)
    found = select(value.label("value")).where(hop.joins(entity, far))
    if hop.local_key is None:
        found = found.order_by((value.desc() if down else value.asc()).nulls_last()).limit(1)
    return found.scalar_subquery()


def _no_order(place: Place, field: str, why: str) -> InvalidFilter:
    return place.refuse(f"Cannot order by {errors.shown(field)}: {why}", code="filter.unknown_order")

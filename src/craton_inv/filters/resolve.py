"""Follows a path over a model: relations first, then a column, a JSON document, a relation's id or a search."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Text, cast

from craton_inv.filters import errors, values
from craton_inv.filters.columns import ColumnField, RelationField, RowsField
from craton_inv.filters.errors import Place
from craton_inv.filters.facts import JsonField
from craton_inv.filters.lookups import LOOKUPS
from craton_inv.filters.nodes import Part, Path, Value
from craton_inv.filters.operands import Operand
from craton_inv.filters.paths import Catalogue, Hop, Model, catalogue


@dataclass(frozen=True)
class Target:
    """Where a path leads: the relations to cross, the field there, and the lookup written after it, if any."""

    hops: tuple[Hop, ...]
    field: Operand
    lookup: str | None


def resolve(path: Path, model: Model, place: Place, now: datetime) -> Target:
    """What `path` means on `model`. Raises InvalidFilter, or Forbidden for secrets in list parameters."""
    here = catalogue(model)
    hops: list[Hop] = []
    for index, part in enumerate(path):
        name, rest = part.name, path[index + 1 :]
        if name in here.roots:
            return _json(here, part, rest, tuple(hops), place, now)
        if part.array and name in here.known:
            raise errors.misuse(place, f'"[]" goes with arrays in JSON; {errors.shown(name)} is none')
        if name in here.private:
            raise errors.private_field(place, name)
        if name in here.columns:
            return _column(here, name, rest, tuple(hops), place, now)
        if name in here.relations:
            hop = here.relations[name]
            if any(hop.identity == other.identity for other in hops):
                raise errors.loop(place, name)
            if not rest or _ends_in_lookup(rest, catalogue(hop.target)):
                field = RelationField(hop=hop, place=place, now=now)
                return Target(tuple(hops), field, rest[0].name if rest else None)
            hops.append(hop)
            here = catalogue(hop.target)
        elif name == "search" and not (rest or part.array or part.literal) and here.search_columns:
            return Target(tuple(hops), RowsField(columns=here.search_columns, place=place, now=now), "search")
        else:
            raise errors.unknown_field(place, name, here.label, here.known, deeper=bool(hops))
    raise errors.misuse(place, "the path ends before a field")


def _is_lookup(part: Part) -> bool:
    return part.name in LOOKUPS and not part.literal and not part.array


def _ends_in_lookup(rest: Path, there: Catalogue) -> bool:
    return len(rest) == 1 and _is_lookup(rest[0]) and rest[0].name not in there.known


def _column(here: Catalogue, name: str, rest: Path, hops: tuple[Hop, ...], place: Place, now: datetime) -> Target:
    column = here.columns[name]
    kind = values.kind_of(column)
    if kind is None:
        raise errors.misuse(place, f"{name} cannot be searched")
    if len(rest) > 1 or (rest and not _is_lookup(rest[0])):
        raise errors.unknown_field(place, rest[0].name, name, LOOKUPS, deeper=True)
    field = ColumnField(expression=column, type=kind, place=place, now=now)
    return Target(hops, field, rest[0].name if rest else None)


def _json(here: Catalogue, part: Part, rest: Path, hops: tuple[Hop, ...], place: Place, now: datetime) -> Target:
    root = here.roots[part.name]
    if part.array and not root.array:
        raise errors.misuse(place, f'{part.name} is an object, not an array: no "[]" right after it')
    if root.array and not part.array:
        raise errors.misuse(place, f"{part.name} is an array: say {part.name}[] for any element of it")
    for step in rest:
        values.clean(Value(step.name, at=place.at), place)
    lookup = rest[-1].name if rest and _is_lookup(rest[-1]) and rest[-1].name != "search" else None
    if root.text_column is not None and (not rest or (len(rest) == 1 and lookup)):
        raw = ColumnField(expression=root.text_column, type=values.TEXT, place=place, now=now)
        return Target(hops, raw, lookup)
    if place.origin.kind == "list" and lookup and len(rest) == 1 and root.table_key is not None:
        text = ColumnField(expression=cast(root.column, Text), type=values.TEXT, place=place, now=now)
        return Target((*hops, root.hop(here.model)), text, lookup)
    if not rest and not root.array:
        raise errors.misuse(place, f"{part.name} needs a path into it, as in {part.name}__key=value")
    if len(rest) == 1 and not root.array:
        lookup = None
    path = rest[:-1] if lookup else rest
    if root.array:
        path = (Part(part.name, top=True), *path)
    return Target(hops, JsonField(root=root, model=here.model, path=path, place=place, now=now), lookup)

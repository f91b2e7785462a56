"""What a path may reach: the columns, relations and JSON documents of a mapped class, read from its metadata.

Conventions a model follows (all optional):
  column.info["private"]      a secret; filters and ordering refuse it
  column.info["filter"]       False: not a field at all
  relationship.info["filter"] reachable, by its name, its singular and info["aliases"]
  __filter_names__            API name → attribute
  __filter_columns__          name → a function of the model (or an alias of it) giving an expression: what no column
                              spells, such as whether a run failed
  __filter_label__            what messages call the model, when that is not its class name
  __search_fields__           the columns that search looks at
  __filter_relations__        name → FilterRelation, or a function of the model giving one: what no relationship spells
  __filter_json__             name → JsonRoot, or a function of the model giving one
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from inspect import isfunction
from typing import Any, Protocol

from sqlalchemy import ColumnElement, FromClause, Select, and_, inspect, select, tuple_
from sqlalchemy.orm import RelationshipProperty

Model = type[Any]


@dataclass(frozen=True, slots=True)
class JsonRoot:
    """A JSONB document that paths lead into.

    `table_key`: set when `column` lives in another table; the column there that holds the id of the owner.
    `text_column`: the same document as raw text, for a lone lookup (`variables__icontains=…`).
    `array`: the document is an array, and paths say so (`ip_addresses[]=…`); else it is an object.
    """

    column: Any
    table_key: Any = None
    text_column: Any = None
    array: bool = False

    def hop(self, model: Model) -> "Hop":
        """The way from `model` to the table that the document lives in."""

        def condition(where: ColumnElement[bool]) -> ColumnElement[bool]:
            return model.id.in_(select(self.table_key).where(where).correlate(None))  # type: ignore[no-any-return]

        return Hop("", model, self, condition)


class FilterRelation(Protocol):
    """A relation of a model's own making, such as all ancestors of a host's groups."""

    @property
    def name(self) -> str:
        """The name in messages."""
        ...

    @property
    def target(self) -> Model:
        """The mapped class on the far side."""
        ...

    def subquery(self, where: ColumnElement[bool]) -> Select[Any]:
        """Local ids whose related rows match `where`; uncorrelated."""
        ...


@dataclass(frozen=True)
class Hop:
    """One relation on a path: turns a condition on the far rows into one on the near rows, as its own sub-query."""

    name: str
    target: Model
    identity: object
    condition: Callable[[ColumnElement[bool]], ColumnElement[bool]]
    local_key: Any = None
    """The column that holds the far id, when there is one (many to one)."""
    joins: Callable[[Any, Any], ColumnElement[bool]] | None = None
    """That a far row belongs to a near row, both given as entities; None for relations of a model's own making."""


@dataclass(frozen=True)
class Catalogue:
    """All that a path can name on one model."""

    model: Model
    label: str
    columns: Mapping[str, Any]
    computed: Mapping[str, Callable[[Any], Any]]
    private: frozenset[str]
    relations: Mapping[str, Hop]
    roots: Mapping[str, JsonRoot]
    search_columns: tuple[Any, ...]
    known: frozenset[str] = field(default=frozenset())


_READ: dict[Model, Catalogue] = {}


def catalogue(model: Model) -> Catalogue:
    """The fields of `model`, read once."""
    found = _READ.get(model)
    if found is None:
        found = _READ[model] = _read(model)
    return found


def _read(model: Model) -> Catalogue:
    mapper = inspect(model)
    columns: dict[str, Any] = {}
    private: set[str] = set()
    for attr in mapper.column_attrs:
        info = {**getattr(attr.columns[0], "info", {}), **attr.info}  # columns of a subquery have none
        if info.get("private"):
            private.add(attr.key)
        elif info.get("filter", True):
            columns[attr.key] = getattr(model, attr.key)
    if "id" in columns:
        columns.setdefault("pk", columns["id"])
    computed = dict(getattr(model, "__filter_columns__", {}))
    columns.update((name, made(model)) for name, made in computed.items())
    relations: dict[str, Hop] = {}
    for relation in mapper.relationships:
        if relation.info.get("filter"):
            hop = _hop(model, relation)
            for name in (relation.key, *relation.info.get("aliases", ())):
                relations[name] = hop
    for name, given in getattr(model, "__filter_relations__", {}).items():
        relations[name] = _own_hop(model, _made(given, model))
    roots = {name: _made(given, model) for name, given in getattr(model, "__filter_json__", {}).items()}
    for name, attribute in getattr(model, "__filter_names__", {}).items():
        if attribute in relations:
            relations[name] = relations[attribute]
        elif attribute in private:
            private.add(name)
        elif attribute in columns:
            columns[name] = columns[attribute]
    for name in tuple(relations):
        short = singular(name)
        if short not in columns and short not in private:
            relations.setdefault(short, relations[name])
    search = tuple(getattr(model, name) for name in getattr(model, "__search_fields__", ()))
    known = frozenset({*columns, *relations, *roots, *({"search"} if search else ())})
    label = getattr(model, "__filter_label__", model.__name__)
    return Catalogue(model, label, columns, computed, frozenset(private), relations, roots, search, known)


def singular(name: str) -> str:
    """`groups` → `group`, `smart_inventories` → `smart_inventory`."""
    if name.endswith("ies"):
        return name[:-3] + "y"
    return name[:-1] if name.endswith("s") and not name.endswith("ss") else name


def _made(given: Any, model: Model) -> Any:
    """Functions are asked late: the classes they speak of may be defined after the model."""
    return given(model) if isfunction(given) else given


def _own_hop(model: Model, relation: FilterRelation) -> Hop:
    def condition(where: ColumnElement[bool]) -> ColumnElement[bool]:
        return model.id.in_(relation.subquery(where).correlate(None))  # type: ignore[no-any-return]

    return Hop(relation.name, relation.target, relation, condition)


def _hop(model: Model, relation: RelationshipProperty[Any]) -> Hop:
    target = relation.mapper.class_
    if relation.secondary is None:
        near, far = _split(relation.local_remote_pairs)

        def condition(where: ColumnElement[bool]) -> ColumnElement[bool]:
            return _inside(near, select(*far).where(where))

        def met(here: Any, there: Any) -> ColumnElement[bool]:
            return and_(*_equal(here, near, there, far))

        alone = len(near) == 1 and relation.direction.name == "MANYTOONE"
        local = near[0] if alone else None
        return Hop(relation.key, target, (model, relation.key), condition, local_key=local, joins=met)

    secondary = relation.secondary
    near, near_link = _split(relation.synchronize_pairs)
    far, far_link = _split(relation.secondary_synchronize_pairs)

    def through(where: ColumnElement[bool]) -> ColumnElement[bool]:
        rows = _inside(far_link, select(*far).where(where))
        return _inside(near, select(*near_link).where(rows))

    def linked(here: Any, there: Any) -> ColumnElement[bool]:
        link = secondary.alias()
        return and_(*_equal(here, near, link, near_link), *_equal(there, far, link, far_link))

    return Hop(relation.key, target, (model, relation.key), through, joins=linked)


def _equal(here: Any, near: list[Any], there: Any, far: list[Any]) -> list[ColumnElement[bool]]:
    return [_on(here, one) == _on(there, other) for one, other in zip(near, far, strict=True)]


def _on(entity: Any, column: Any) -> Any:
    """The column of an entity, which is a mapped class or an alias of one, or of an alias of a table."""
    if isinstance(entity, FromClause):
        return entity.c[column.key]
    return getattr(entity, inspect(entity).mapper.get_property_by_column(column).key)


def _split(pairs: Any) -> tuple[list[Any], list[Any]]:
    return [one for one, _ in pairs], [other for _, other in pairs]


def _inside(columns: list[Any], rows: Select[Any]) -> ColumnElement[bool]:
    # correlate(None): each level names only its own tables, so a self-relation needs no aliases.
    left: Any = columns[0] if len(columns) == 1 else tuple_(*columns)
    return left.in_(rows.correlate(None))  # type: ignore[no-any-return]

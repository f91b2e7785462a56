"""What a term looks at on one row: the values there as JSON, and the names of the related rows that they stand in."""

import json
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from sqlalchemy import BigInteger, ColumnElement, Select, Text, cast, func, literal, null, select
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH
from sqlalchemy.orm import aliased

from craton_inv.filters.columns import ColumnField, RelationField, RowsField
from craton_inv.filters.explain import ExplainedTerm
from craton_inv.filters.facts import JsonField
from craton_inv.filters.nodes import Path
from craton_inv.filters.operands import Operand
from craton_inv.filters.paths import Hop, Model

# Values that are told of one term, and characters of each as JSON.
MAX_VALUES = 10
MAX_LENGTH = 1000


@runtime_checkable
class Related(Protocol):
    """A relation of a model's own making (`paths.FilterRelation`) that can also be walked from its near side."""

    def related(self, ids: Any) -> Select[Any]:
        """Ids of the rows related to the local rows whose ids are in `ids`, a select or a list; uncorrelated."""
        ...


class Look:
    """A row of `model` to look at. `visible`: a function of a model, the condition on its rows that the caller may see.

    The way over relations is built once for all terms that go it: aliases cost milliseconds.
    """

    def __init__(self, model: Model, row_id: int, visible: Callable[[Model], ColumnElement[bool]]) -> None:
        self.model = model
        self.row_id = row_id
        self.visible = visible
        self._ways: dict[tuple[object, ...], Select[Any] | None] = {}

    def values(self, term: ExplainedTerm, number: int) -> Select[Any] | None:
        """A select of (number, name of the related row, value as JSON text cut to one more than `MAX_LENGTH`).

        At most one row more than `MAX_VALUES`. None for a relation that cannot be walked from its near side.
        """
        hops, field = term.compiled.target.hops, term.field
        if isinstance(field, RelationField):
            hops = (*hops, field.hop)
        here = hops[-1].target if hops else self.model
        shown = func.left(cast(_value(field, here), Text), MAX_LENGTH + 1)
        name: Any = _name_of(here) if hops else null()
        columns: tuple[Any, ...] = (literal(number, BigInteger()), cast(name, Text), shown)
        rows = select(*columns).select_from(here)
        if isinstance(field, JsonField) and field.root.table_key is not None:
            rows = rows.join(field.root.column.class_, field.root.table_key == here.id)
        if hops:
            ids = self._ids(hops)
            if ids is None:
                return None
            rows = rows.where(here.id.in_(ids))
        else:
            rows = rows.where(here.id == self.row_id)
        return rows.where(self.visible(here)).limit(MAX_VALUES + 1)

    def _ids(self, hops: tuple[Hop, ...]) -> Select[Any] | None:
        """Ids of the rows behind all hops; None when one of these cannot be walked."""
        way = tuple(hop.identity for hop in hops)
        if way not in self._ways:
            self._ways[way] = self._walked(hops)
        return self._ways[way]

    def _walked(self, hops: tuple[Hop, ...]) -> Select[Any] | None:
        *before, hop = hops
        model = before[-1].target if before else self.model
        ids: Any = self._ids(tuple(before)) if before else [self.row_id]
        if ids is None:
            return None
        if hop.joins is not None:
            near, far = aliased(model), aliased(hop.target)
            return select(far.id).where(near.id.in_(ids), hop.joins(near, far)).correlate(None)
        return hop.identity.related(ids) if isinstance(hop.identity, Related) else None


def _value(field: Operand, here: Model) -> ColumnElement[Any]:
    """What the field holds, as JSONB; one row for each element where the path has []."""
    if isinstance(field, JsonField):
        path: Any = cast(literal(_jsonpath(field.path), Text), JSONPATH)
        return func.jsonb_path_query(field.root.column, path, cast(literal("{}", Text), JSONB), True)
    if isinstance(field, ColumnField):
        return func.to_jsonb(field.expression)
    if isinstance(field, RowsField):
        pairs = [part for column in field.columns for part in (literal(column.key, Text), column)]
        return func.jsonb_build_object(*pairs)
    return func.to_jsonb(here.id)


def _name_of(model: Model) -> Any:
    return next((getattr(model, key) for key in ("name", "username") if hasattr(model, key)), model.id)


def _jsonpath(path: Path) -> str:
    names = ["" if part.top else f".{json.dumps(part.name, ensure_ascii=False)}" for part in path]
    steps = [name + "[*]" * (part.top or part.array) for name, part in zip(names, path, strict=True)]
    return "strict $" + "".join(steps)

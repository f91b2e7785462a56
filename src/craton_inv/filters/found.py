"""What a term looks at on one row: the values there as JSON, and the names of the related rows that they stand in."""

import json
from collections.abc import Sequence
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
        """Ids of the rows related to the local rows of these ids, which are a select; uncorrelated."""
        ...


def values_on(term: ExplainedTerm, number: int, model: Model, row_id: int, visible: Any) -> Select[Any] | None:
    """A select of (number, name of the related row, value as JSON text cut to one more than `MAX_LENGTH`).

    At most one row more than `MAX_VALUES`. `visible`: a function of a model, the condition that keeps its rows that
    the caller may see. None for a relation that cannot be walked from its near side.
    """
    hops, field = [*term.compiled.target.hops], term.field
    if isinstance(field, RelationField):
        hops.append(field.hop)
    here = hops[-1].target if hops else model
    ids = _ids(hops, model, row_id)
    if ids is None:
        return None
    name: Any = _name_of(here) if hops else null()
    shown = func.left(cast(_value(field, here), Text), MAX_LENGTH + 1)
    rows = select(literal(number, BigInteger()), cast(name, Text), shown)
    if isinstance(field, JsonField) and field.root.table_key is not None:
        rows = rows.join_from(here, field.root.column.class_, field.root.table_key == here.id)
    return rows.where(here.id.in_(ids), visible(here)).limit(MAX_VALUES + 1)


def _ids(hops: Sequence[Hop], model: Model, row_id: int) -> Select[Any] | None:
    """Ids of the rows behind all hops, seen from one row."""
    start = aliased(model)
    ids: Select[Any] = select(start.id).where(start.id == row_id)
    for hop in hops:
        if hop.joins is not None:
            near, far = aliased(model), aliased(hop.target)
            ids = select(far.id).where(near.id.in_(ids), hop.joins(near, far)).correlate(None)
        elif isinstance(hop.identity, Related):
            ids = hop.identity.related(ids)
        else:
            return None
        model = hop.target
    return ids


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
    steps = [f".{json.dumps(part.name, ensure_ascii=False)}" + "[*]" * part.array for part in path]
    return "strict $" + "".join(steps)

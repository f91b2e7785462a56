"""What a filter looks at: columns and tables, the relations it crosses, and whether the clock decides too."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, Column, ColumnElement, Table, inspect
from sqlalchemy.sql import visitors

from craton_inv.filters.columns import RelationField
from craton_inv.filters.compiler import compile_term, compile_where
from craton_inv.filters.nodes import Node, leaves
from craton_inv.filters.paths import Model

_ONE_MOMENT = datetime(2020, 2, 2, 2, 2, 2, tzinfo=UTC)
_ANOTHER = _ONE_MOMENT + timedelta(days=3, hours=3)


@dataclass(frozen=True)
class Reads:
    """What decides about a row of the searched model.

    `columns`: as table.column, with the tables alone beside them. `steps`: (table, relation) for each relation crossed.
    `relative`: there is a time relative to now, so that rows match or not without any change.
    """

    columns: frozenset[str]
    steps: frozenset[tuple[str, str]]
    relative: bool

    def tables(self) -> frozenset[str]:
        """The tables among `columns`."""
        return frozenset(name for name in self.columns if "." not in name)


def reads_of(node: Node, model: Model) -> Reads:
    """What the condition of `node` on `model` looks at. Raises as `compile_where` does."""
    condition = compile_where(node, model, now=_ONE_MOMENT)
    later = compile_where(node, model, now=_ANOTHER)
    return Reads(
        columns=frozenset(_columns(condition)),
        steps=frozenset(_steps(node, model)),
        relative=list(_values(condition)) != list(_values(later)),
    )


def _columns(condition: ColumnElement[bool]) -> Iterator[str]:
    for element in visitors.iterate(condition):
        if isinstance(element, Column):
            table: Any = element.table
            while hasattr(table, "element"):  # an alias; what a sub-query selects is met inside it
                table = table.element
            if isinstance(table, Table):
                yield table.name
                yield f"{table.name}.{element.name}"


def _values(condition: ColumnElement[bool]) -> Iterator[Any]:
    for element in visitors.iterate(condition):
        if isinstance(element, BindParameter):
            yield element.effective_value


def _steps(node: Node, model: Model) -> Iterator[tuple[str, str]]:
    for leaf in leaves(node):
        target = compile_term(leaf, model, _ONE_MOMENT).target
        field = target.field
        near = model
        for hop in (*target.hops, *([field.hop] if isinstance(field, RelationField) else ())):
            if hop.name:  # the way into a document in a table of its own has none
                yield inspect(near).local_table.name, hop.name
                near = hop.target

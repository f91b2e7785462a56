"""What a targeted refresh compares: the rows that were asked for, and the parts of these and of what was delivered.

Of a collection without parents these are the rows that targets name. Rows that were delivered belong to the scope, too,
but stay for that very reason. Of a collection with parents they are, besides, all rows that are part of a parent in the
scope, found by their foreign keys. Everything else is neither read nor deleted. Source: ManageIQ's targeted scope.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Integer, Row, String
from sqlalchemy.dialects.postgresql import ARRAY

from craton_inv.errors import UpdateFailed
from craton_inv.refresh.parents import Parent
from craton_inv.refresh.saving import Saving
from craton_inv.refresh.sql import join, quote
from craton_inv.refresh.target import Target, Targets

_NAMED = """
SELECT t.id, <delivered> AS delivered FROM <table> t JOIN unnest(<arrays>) AS x(<columns>)
  ON <found> WHERE <scope>
"""


@dataclass(frozen=True)
class TargetScope:
    """`asked`: ids of the saved rows that targets name; `gone`: those of them that were not delivered.

    `built`: collections of which something was delivered.
    """

    savings: Mapping[str, Saving]
    parents: Mapping[str, tuple[Parent, ...]]
    asked: Mapping[str, list[int]]
    gone: Mapping[str, list[int]]
    built: frozenset[str]

    def reaches(self, name: str) -> bool:
        """Whether rows of a collection may have to go; if not, nothing is asked of the database."""
        return name in self.gone or any(self._holds(parent) for parent in self.parents[name])

    def condition(self, name: str) -> str:
        """SQL: a saved row `t` is in the scope and was not asked for and delivered at once."""
        ways = [f"t.id = ANY(:gone_{name})"] if name in self.gone else []
        for parent in self.parents[name]:
            if self._holds(parent):
                ways.append(f"t.{quote(parent.column)} = ANY(ARRAY({self._ids(parent)}))")
        return f"({' OR '.join(ways)})"

    def binds(self) -> dict[str, tuple[Any, Any]]:
        """What the conditions bind."""
        array = ARRAY(BigInteger)
        asked = {f"asked_{name}": (ids, array) for name, ids in self.asked.items()}
        return asked | {f"gone_{name}": (ids, array) for name, ids in self.gone.items()}

    def _holds(self, parent: Parent) -> bool:
        """Whether a parent has rows whose parts are in the scope."""
        name = parent.collection
        if name in self.asked or (parent.owns and name in self.built):
            return True
        return any(self._holds(above) for above in self.parents[name])

    def _ids(self, parent: Parent) -> str:
        """SQL: the ids of a parent's rows in the scope."""
        name = parent.collection
        table = self.savings[name].table
        ways = [f"SELECT unnest(:asked_{name})"] if name in self.asked else []
        if parent.owns and name in self.built:
            ways.append(self.savings[name].delivered_ids())
        for above in self.parents[name]:
            if self._holds(above):
                found = f"p.{quote(above.column)} = ANY(ARRAY({self._ids(above)}))"
                ways.append(f"SELECT p.id FROM {table} p WHERE {found}")  # noqa: S608 - quoted names
        return " UNION ALL ".join(ways)


async def find(
    savings: Mapping[str, Saving], parents: Mapping[str, tuple[Parent, ...]], targets: Targets
) -> TargetScope:
    """Look up the rows that targets name, a statement per collection and way of naming. Raises UpdateFailed."""
    built = frozenset(name for name, saving in savings.items() if saving.loaded)
    asked: dict[str, list[int]] = {}
    gone: dict[str, list[int]] = {}
    for (name, columns), group in grouped(targets.items).items():
        for row in await _look_up(savings, name, columns, group):
            asked.setdefault(name, []).append(row.id)
            if not row.delivered:
                gone.setdefault(name, []).append(row.id)
    scope = TargetScope(savings, parents, asked, gone, built)
    for saving in savings.values():
        saving.binds.update(scope.binds())
    return scope


def grouped(targets: Iterable[Target]) -> dict[tuple[str, tuple[str, ...]], list[Target]]:
    """Targets by association and columns, in one order."""
    groups: dict[tuple[str, tuple[str, ...]], list[Target]] = {}
    for target in sorted(targets):
        groups.setdefault((target.association, target.columns), []).append(target)
    return groups


async def _look_up(
    savings: Mapping[str, Saving], name: str, columns: tuple[str, ...], targets: list[Target]
) -> Sequence[Row[Any]]:
    """The saved rows of one collection that targets name by the same columns: (id, whether it was delivered)."""
    saving = savings.get(name)
    if saving is None:
        raise UpdateFailed(f"A target names {name}, which this source does not deliver.")
    collection = saving.collection
    ways = [way for way in collection.refs.values() if not set(way) & collection.links.keys()]
    if set(columns) not in map(set, ways):
        known = " or ".join(" and ".join(way) for way in ways)
        raise UpdateFailed(
            f"A target names one of {name} by {' and '.join(columns) or 'nothing'}; "
            + (f"they are known by {known}." if known else "they cannot be named by themselves.")
        )
    arrays = bind_targets(saving, columns, targets)
    same = " AND ".join(f"s.{quote(column)} = x.{quote(column)}" for column in columns)
    found = await saving.run(
        _NAMED,
        delivered=f"EXISTS (SELECT FROM <stage> s WHERE {same})" if saving.loaded else "false",
        arrays=arrays,
        columns=join(columns),
        found=" AND ".join(f"t.{quote(column)} = x.{quote(column)}" for column in columns),
        scope=saving.in_scope(),
    )
    return found.all()


def bind_targets(saving: Saving, columns: tuple[str, ...], targets: list[Target]) -> str:
    """SQL: arrays of the values that targets have for these columns; what it binds goes to `saving.binds`."""
    for position, column in enumerate(columns):
        kind = saving.collection.column(column).type
        saving.binds[f"part_{position}"] = ([_value(kind, target, column) for target in targets], ARRAY(kind))
    return ", ".join(f":part_{position}" for position in range(len(columns)))


def _value(kind: Any, target: Target, column: str) -> Any:
    value = target.ref[column]
    if isinstance(kind, String):
        return str(value)
    if isinstance(kind, Integer):
        try:
            return int(value)
        except ValueError:
            pass
    raise UpdateFailed(f"A target names one of {target.association} by {column} {value!r}, which is no such value.")

"""SQL that turns links as they were staged into ids: joins from plain values, relation by relation, to the row meant.

A link leads to rows of the target's scope, delivered in this refresh or saved before. By a secondary ref that nothing
makes unique several rows may fit: then the link is ambiguous and leads nowhere; it is never guessed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from craton_inv.refresh.declaration import unique_columns
from craton_inv.refresh.inventory_collection import InventoryCollection
from craton_inv.refresh.link_site import LinkSite, Used
from craton_inv.refresh.lookup import Form
from craton_inv.refresh.reference import MANAGER_REF
from craton_inv.refresh.sql import fill, null_safe, quote, type_name

if TYPE_CHECKING:
    from craton_inv.refresh.saving import Saving

_COUNTED = """
SELECT <columns>, min(u.id) AS id<taken>, count(*) AS copies FROM <table> u WHERE <scope><named><active>
GROUP BY <columns>
"""
# An archived row is found by what it has in common with others only where none of these is active.
_ACTIVE_FIRST = """
 AND (u.archived_at IS NULL OR NOT EXISTS (
  SELECT FROM <table> a WHERE <a_scope> AND a.archived_at IS NULL AND <common>))
"""
_NAMED = " AND u.<column> IN (SELECT <leaf> FROM <rows>)"
Scope = Callable[[str, InventoryCollection], str]  # alias, collection -> SQL: the row is in the scope


@dataclass(frozen=True)
class Chain:
    """Joins to the row that one form means. `id`: SQL of its id, null when there is none or several fit.

    `copies`: SQL of how many rows fit where that may be several, "" where one at most can.
    """

    alias: str
    joins: tuple[str, ...]
    id: str
    copies: tuple[str, ...]

    def value(self, key: str) -> str:
        """SQL of a column of that row; of its id without a key."""
        if not key:
            return self.id
        if not self.copies:
            return f"{self.alias}.{quote(key)}"
        return f"CASE WHEN {self.id} IS NOT NULL THEN {self.alias}.{quote(key)} END"

    @property
    def ambiguous(self) -> str:
        """SQL: several rows fit."""
        return " OR ".join(f"coalesce({copies} > 1, false)" for copies in self.copies) or "false"


def chain(
    form: Form,
    alias: str,
    leaves: tuple[str, ...],
    in_scope: Scope,
    rows: str,
    *,
    key: str = "",
    guard: str = "true",
) -> Chain:
    """The joins of a form whose plain values are the SQL expressions `leaves`, in terms of the row set `rows`.

    `rows`: FROM clause that gives the rows these expressions are about. `guard`: SQL: such a row has this form at all.
    """
    target = form.collection
    joins: list[str] = []
    copies: list[str] = []
    parts: list[tuple[str, str, str]] = []  # column, SQL of its value, SQL: it was given
    rest = list(leaves)
    for position, (name, part) in enumerate(zip(form.columns, form.parts, strict=True)):
        if part is None:
            value = rest.pop(0)
            parts.append((name, value, value))
            continue
        own = tuple(rest.pop(0) for _ in part.leaves)
        inner = chain(part, f"{alias}_{position}", own, in_scope, rows, guard=guard)
        joins += inner.joins
        copies += inner.copies
        parts.append((name, inner.id, own[0]))
    nil = [name for name in form.columns if name in target.manager_ref_allowed_nil] if form.ref == MANAGER_REF else []
    same = [_same(alias, name, value, given, name in nil) for name, value, given in parts]
    if nil:
        same.append(guard)
    if form.ref == MANAGER_REF or unique_columns(target, form.columns) is not None:
        condition = " AND ".join((*same, in_scope(alias, target)))
        joins.append(f"LEFT JOIN {quote(target.table.name)} {alias} ON {condition}")
        return Chain(alias, tuple(joins), f"{alias}.id", tuple(copies))
    joins.append(f"LEFT JOIN ({_counted(form, leaves, in_scope, rows, key)}) {alias} ON {' AND '.join(same)}")
    alone = f"CASE WHEN {alias}.copies = 1 THEN {alias}.id END"
    return Chain(alias, tuple(joins), alone, (*copies, f"{alias}.copies"))


def _same(alias: str, name: str, value: str, given: str, nil: bool) -> str:
    if not nil:
        return f"{alias}.{quote(name)} = {value}"
    if value == given:
        return null_safe(f"{alias}.{quote(name)}", value)
    return f"({alias}.{quote(name)} = {value} OR {alias}.{quote(name)} IS NULL AND {given} IS NULL)"


def _counted(form: Form, leaves: tuple[str, ...], in_scope: Scope, rows: str, key: str) -> str:
    """SQL: per value of a secondary ref one row that has it, and how many have; only for values that links name."""
    return fill(
        _COUNTED,
        columns=", ".join(f"u.{quote(name)}" for name in form.columns),
        taken=f", (array_agg(u.{quote(key)}))[1] AS {quote(key)}" if key and key not in form.columns else "",
        active=_ACTIVE_FIRST if form.collection.retention == "archive" else "",
        a_scope=in_scope("a", form.collection),
        common=" AND ".join(f"a.{quote(name)} = u.{quote(name)}" for name in form.columns),
        table=quote(form.collection.table.name),
        scope=in_scope("u", form.collection),
        named=_NAMED if form.parts[0] is None else "",
        column=quote(form.columns[0]),
        leaf=leaves[0],
        rows=rows,
    )


@dataclass(frozen=True)
class Links:
    """Link columns of a collection, resolved. Per column SQL over the staged row `s` and the joins.

    values     the column's value
    missing    a link was sent and leads nowhere
    ambiguous  because several rows fit
    """

    joins: str
    values: Mapping[str, str]
    missing: Mapping[str, str]
    ambiguous: Mapping[str, str]

    def count(self, which: Mapping[str, str]) -> str:
        """SQL: how many of a row's links are so."""
        return " + ".join(f"({condition})::int" for condition in which.values()) or "0"


def resolve(saving: "Saving", columns: tuple[str, ...], prefix: str = "l") -> Links:
    """Joins and values for the link columns among `columns`; the other columns give their staged value."""
    joins: list[str] = []
    values: dict[str, str] = {}
    missing: dict[str, str] = {}
    ambiguous: dict[str, str] = {}
    for position, name in enumerate(columns):
        site = saving.stage.sites.get(name)
        if site is None:
            values[name] = f"s.{quote(name)}"
            continue
        found = {
            used: _join(saving, site, used, f"{prefix}{position}_{number}")
            for number, used in enumerate(site.used.values())
        }
        for each in found.values():
            joins += each.joins
        values[name] = _value(saving, site, found)
        missing[name] = _missing(site, found)
        ambiguous[name] = " OR ".join(each.ambiguous for each in found.values() if each.copies) or "false"
    return Links(" ".join(joins), values, missing, {name: sql for name, sql in ambiguous.items() if sql != "false"})


def _join(saving: "Saving", site: LinkSite, used: Used, alias: str) -> Chain:
    number = f"s.{quote(site.form_column)}"
    leaves = tuple(f"s.{quote(column)}" for column in used.way.columns)
    guard = f"{number} = {used.number}"
    # Columns of a form are shared by its keys: only the number tells which key a link has.
    found = chain(used.way.form, alias, leaves, saving.in_scope, f"{saving.stage.table} s", key=used.key, guard=guard)
    return found


def _value(saving: "Saving", site: LinkSite, found: Mapping[Used, Chain]) -> str:
    """SQL: what the links give, the default where that is nothing."""
    kind = type_name(saving.collection.column(site.name))
    if not found:
        value = f"NULL::{kind}"
    elif len(found) == 1:
        value = next(each.value(used.key) for used, each in found.items())
    else:
        cases = " ".join(f"WHEN {used.number} THEN {each.value(used.key)}" for used, each in found.items())
        value = f"CASE s.{quote(site.form_column)} {cases} END"
    if not site.defaulted:
        return value
    default = f"s.link_defaults -> '{site.name}'" if kind == "JSONB" else f"(s.link_defaults ->> '{site.name}')::{kind}"
    return f"coalesce({value}, {default})"


def _missing(site: LinkSite, found: Mapping[Used, Chain]) -> str:
    """SQL: a link was sent, found nothing, and has no default."""
    if not found:
        return "false"
    number = f"s.{quote(site.form_column)}"
    nothing = " OR ".join(f"{number} = {used.number} AND {each.id} IS NULL" for used, each in found.items())
    default = f" AND NOT coalesce(s.link_defaults ? '{site.name}', false)" if site.defaulted else ""
    return f"(({nothing}){default})"

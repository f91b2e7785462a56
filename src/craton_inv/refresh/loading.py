"""From spools to staging tables: made by one script, filled by a COPY each, repeated identities and gaps settled."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from craton_inv.refresh.link_site import LinkSite, Used
from craton_inv.refresh.lookup import Form
from craton_inv.refresh.reference import MANAGER_REF
from craton_inv.refresh.sql import compose, fill, quote
from craton_inv.refresh.staging import Masked, Stage

SHOWN = 10  # objects that are told of those that another one of the same identity hides
_REPEATED = "EXISTS (SELECT FROM <table> GROUP BY <refs> HAVING count(*) > 1)"
# ctid grows with the position in the spool: the last of each identity stays.
_DROP_REPEATED = """
WITH dropped AS (
  DELETE FROM <table> s USING (
    SELECT ctid AS place, row_number() OVER same AS number, <kept> AS kept FROM <table>
    WINDOW same AS (PARTITION BY <refs> ORDER BY ctid DESC)) d
  WHERE s.ctid = d.place AND d.number > 1 RETURNING <ref> AS ref, <key> AS key, d.kept),
masked AS (SELECT DISTINCT ref, key FROM dropped WHERE key <> '' AND kept <> '' AND key <> kept)
SELECT (SELECT count(*) FROM dropped) AS dropped, (SELECT count(*) FROM masked) AS masked,
  ARRAY(SELECT ARRAY[ref, key] FROM masked ORDER BY ref COLLATE "C", key COLLATE "C" LIMIT <shown>) AS shown
"""
_PLACEHOLDERS = """
INSERT INTO <table> (<columns><defaults>, sent, placeholder)
SELECT DISTINCT <columns><values>, 0, true FROM (<links>) s
WHERE NOT EXISTS (SELECT FROM <table> d WHERE <same>)
"""
_NAMED = "SELECT <given> FROM <stage> s WHERE <number> AND <known>"


async def load_stages(connection: AsyncConnection, stages: Mapping[str, Stage], *, empty: bool) -> None:
    """Fill the staging tables, the last of a repeated identity winning, and ANALYZE them.

    `empty`: make tables also for collections of which nothing was delivered. The caller's transaction must have begun:
    the tables last as long as it does.
    """
    raw: Any = (await connection.get_raw_connection()).driver_connection
    for stage in stages.values():
        stage.loaded = bool(empty or stage.count or stage.collection.skeletal)
    tables = [
        f"CREATE TEMPORARY TABLE {stage.table} ({stage.definition()}) ON COMMIT DROP"
        for stage in stages.values()
        if stage.loaded
    ]
    if tables:
        await raw.execute("; ".join(tables))
    for stage in stages.values():
        if stage.count:
            await raw.copy_to_table(stage.name, columns=stage.copied_columns(), source=stage.spool(), format="text")
    await _drop_repeated(connection, [stage for stage in stages.values() if stage.count], known=not empty)
    for stage in stages.values():
        stage.placeholders = await _add_placeholders(connection, stage, stages) if stage.collection.skeletal else 0
    filled = [f"{stage.table} ({_joined(stage)})" for stage in stages.values() if stage.rows]
    if filled:
        await connection.execute(text(f"ANALYZE {', '.join(filled)}"))


async def _drop_repeated(connection: AsyncConnection, stages: Sequence[Stage], *, known: bool) -> None:
    """Delete all but the last row of each identity, where there are repeated ones at all.

    `known`: small stages need no search for them, which spares the statement when all are small.
    """
    searched = [stage for stage in stages if not (known and stage.few)]
    repeats = {stage.name: stage.repeats for stage in stages}
    if searched:
        looks = (fill(_REPEATED, table=stage.table, refs=_refs(stage)) for stage in searched)
        found = (await connection.execute(text(f"SELECT {', '.join(looks)}"))).one()
        repeats |= zip((stage.name for stage in searched), found, strict=True)
    for stage in stages:
        stage.duplicates, stage.masked = 0, Masked()
        if repeats[stage.name]:
            row = (await connection.execute(_drop(stage))).one()
            stage.duplicates = row.dropped
            stage.masked = Masked(row.masked, tuple((ref, key) for ref, key in row.shown))


def _drop(stage: Stage) -> TextClause:
    """The statement that drops repeated ones, and tells which of them have another key than the one that stays."""
    collection = stage.collection
    key, ref = collection.reconnect_by, collection.manager_ref[0]
    told = key in stage.columns and ref in stage.columns
    return compose(
        _DROP_REPEATED,
        table=stage.table,
        refs=_refs(stage),
        ref=f"s.{quote(ref)}::text" if told else "''",
        key=f"s.{quote(key)}::text" if told else "''",
        kept=f"(first_value({quote(key)}) OVER same)::text" if told else "''",
        shown=str(SHOWN),
    )


def _joined(stage: Stage) -> str:
    """The columns that joins go by: of the others nobody asks how often a value comes."""
    names = [*stage.identity, stage.collection.reconnect_by]
    for site in stage.sites.values():
        names += [site.form_column, *(column for used in site.used.values() for column in used.way.columns)]
    return ", ".join(quote(name) for name in dict.fromkeys(names) if name in stage.columns)


def _refs(stage: Stage) -> str:
    return ", ".join(quote(name) for name in stage.identity)


async def _add_placeholders(connection: AsyncConnection, stage: Stage, stages: Mapping[str, Stage]) -> int:
    """A row for every object of `stage` that a link names by its manager_ref and nobody delivered; how many.

    It has sent nothing, so a saved row of the identity stays as it is, and counts as delivered: it is not deleted.
    """
    links = [
        sql
        for other in stages.values()
        if other.count
        for site in other.sites.values()
        for used in site.used.values()
        if not used.key
        for sql in _named(stage, other, site, used)
    ]
    if not links:
        return 0
    collection = stage.collection
    columns = stage.identity
    given = {name: value for name, value in collection.default_values.items() if name in stage.columns}
    result = await connection.execute(
        compose(
            _PLACEHOLDERS,
            {f"default_{n}": (value, collection.column(name).type) for n, (name, value) in enumerate(given.items())},
            table=stage.table,
            columns=", ".join(quote(name) for name in columns),
            defaults="".join(f", {quote(name)}" for name in given),
            values="".join(f", :default_{n}" for n in range(len(given))),
            links=" UNION ALL ".join(links),
            same=" AND ".join(f"d.{quote(name)} IS NOT DISTINCT FROM s.{quote(name)}" for name in columns),
        )
    )
    return result.rowcount


def _named(stage: Stage, other: Stage, site: LinkSite, used: Used) -> Iterator[str]:
    """Per place in the form where an object of `stage` is named by its manager_ref: its identity as staged."""
    for form, offset in used.way.form.within():
        if form.collection.name != stage.collection.name or form.ref != MANAGER_REF:
            continue
        columns = used.way.columns[offset : offset + len(form.leaves)]
        given = ", ".join(
            f"{sql} AS {quote(name)}"
            for name, sql in zip(stage.identity, _as_identity(stage, form, columns), strict=True)
        )
        known = " AND ".join(
            f"s.{quote(name)} IS NOT NULL" + (f" AND s.{quote(name)} <> ''" if site.columns[name] == "TEXT" else "")
            for name in columns
        )
        number = f"s.{quote(site.form_column)} = {used.number}"
        yield fill(_NAMED, given=given, stage=other.table, number=number, known=known)


def _as_identity(stage: Stage, form: Form, columns: tuple[str, ...]) -> list[str]:
    """The values of a form in the staging columns of the collection's own identity."""
    values: list[str] = []
    rest = list(columns)
    for name, part in zip(form.columns, form.parts, strict=True):
        if part is None:
            values.append(f"s.{quote(rest.pop(0))}")
            continue
        site = stage.sites[name]
        way = site.ways[part.label]
        site.used.setdefault((part.label, ""), Used(way.number, way, ""))
        carried = dict(zip(way.columns, (rest.pop(0) for _ in way.columns), strict=True))
        for column, kind in site.columns.items():
            value = f"s.{quote(carried[column])}" if column in carried else f"NULL::{kind}"
            values.append(f"{way.number}::smallint" if column == site.form_column else value)
    return values

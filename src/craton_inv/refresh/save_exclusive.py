"""Save rows that one source owns alone: update what differs, insert what is new, delete the complement of the scope.

One statement resolves the links, finds what differs from the saved rows, and writes that and nothing else. Rows are
locked and inserted in one order, so that refreshes of the same rows wait for each other instead of blocking each other.
"""

from craton_inv.refresh.counts import Counts
from craton_inv.refresh.differing import assignments, differs
from craton_inv.refresh.linking import Links, resolve
from craton_inv.refresh.reconnect import Reconnect
from craton_inv.refresh.saving import Saving
from craton_inv.refresh.sql import in_one_order, join, or_default, quote

# Per staged row that needs anything: its values under their column names, links as ids, and the saved row's id.
_FOUND = """
found AS MATERIALIZED (SELECT * FROM (
  SELECT s.sent, <staged>, t.id AS saved, <whole> AS whole, t.id IS NOT NULL AND (<differs>) AS differs,
    <missing> AS missing, <ambiguous> AS ambiguous
  FROM <stage> s <joins> LEFT JOIN <table> t ON <scope> AND <same>) f
  WHERE f.saved IS NULL OR f.differs OR f.missing > 0)"""
_LOCKED = """
locked AS MATERIALIZED (
  SELECT t.id FROM <table> t JOIN found s ON s.saved = t.id AND s.differs ORDER BY t.id FOR NO KEY UPDATE OF t)"""
_UPDATED = """
updated AS (
  UPDATE <table> t SET <assignments> FROM found s JOIN locked k ON k.id = s.saved
  WHERE t.id = s.saved AND s.differs RETURNING 1)"""
# What another refresh inserts meanwhile is not overwritten here, where nobody could tell what was sent: see `save`.
_CREATED = """
created AS (
  INSERT INTO <table> AS t (<scope_columns><columns>) SELECT <scope_binds><chosen> FROM found s
  WHERE s.saved IS NULL AND s.whole ORDER BY <ref> ON CONFLICT (<conflict>) DO NOTHING RETURNING 1)"""
_COUNTED = """
SELECT (<updated>), (<created>), count(*) FILTER (WHERE saved IS NULL AND whole), coalesce(sum(missing), 0),
  coalesce(sum(ambiguous), 0) FROM found
"""
_LINKED = """
WITH found AS MATERIALIZED (SELECT * FROM (
  SELECT t.id AS saved, s.sent, <staged>, <differs> AS differs, <missing> AS missing, <ambiguous> AS ambiguous
  FROM <stage> s <joins> JOIN <table> t ON <scope> AND <same>) f WHERE f.differs OR f.missing > 0),
<locked>, <updated_rows>
SELECT (SELECT count(*) FROM updated), coalesce(sum(missing), 0), coalesce(sum(ambiguous), 0) FROM found
"""
_OWNED = """
SELECT count(*) FILTER (WHERE s.sent IS NULL), count(*) FROM <table> t LEFT JOIN (<staged>) s ON <same>
WHERE <scope> AND <active>
"""
_NOT_DELIVERED = "NOT EXISTS (SELECT FROM (<staged>) s WHERE <same>)"
_DELETE = "DELETE FROM <table> t WHERE <scope> AND <not_delivered> AND <limits>"
_ARCHIVE = """
UPDATE <table> t SET archived_at = now() <stamp> WHERE <scope> AND <active> AND <not_delivered> AND <limits>
"""


def _columns(saving: Saving) -> tuple[str, ...]:
    """The columns of the first pass."""
    collection = saving.collection
    optional = [name for name in (*collection.written, *collection.on_create) if name not in saving.deferred]
    return (*collection.manager_ref, *optional)


def _first_pass(saving: Saving) -> tuple[str, ...]:
    return tuple(name for name in saving.collection.written if name not in saving.deferred)


def _whole(saving: Saving, links: Links) -> str:
    """SQL: nothing is missing without which there can be no row."""
    collection = saving.collection
    parts = [f"{links.values[name]} IS NOT NULL" for name in collection.required if name in links.values]
    parts += [
        f"NOT coalesce({links.missing[name]}, false)"
        for name in collection.manager_ref_allowed_nil
        if name in links.missing
    ]
    return " AND ".join(parts) or "true"


async def _write(saving: Saving, counts: Counts, *, update: bool, insert: bool) -> int:
    """One pass over all staged rows; how many could not be inserted because somebody else just did."""
    collection = saving.collection
    columns, attributes = _columns(saving), _first_pass(saving)
    links = resolve(saving, columns)
    update = update and (bool(attributes) or saving.archives)
    stamp = [collection.version_column] if saving.stamps else []
    steps = [_FOUND, *([_LOCKED, _UPDATED] if update else []), *([_CREATED] if insert else [])]
    row = (
        await saving.run(
            "WITH " + ",".join(steps) + _COUNTED,
            staged=", ".join(f"{links.values[name]} AS {quote(name)}" for name in columns),
            whole=_whole(saving, links),
            differs=differs(saving, attributes, links.values) if update else "false",
            missing=links.count(links.missing),
            ambiguous=links.count(links.ambiguous),
            joins=links.joins,
            scope=saving.in_scope(),
            same=saving.same(links.values) + _identity_found(saving, links),
            assignments=assignments(saving, attributes),
            scope_columns=saving.scope_columns() + ", " if collection.scope else "",
            scope_binds=saving.scope_binds() + ", " if collection.scope else "",
            columns=join((*columns, *stamp)),
            chosen=", ".join([*(or_default(collection.column(name)) for name in columns), *[":version"] * len(stamp)]),
            ref=", ".join(in_one_order(collection.column(name), "s") for name in collection.manager_ref),
            conflict=join(collection.conflict_columns),
            updated="SELECT count(*) FROM updated" if update else "0",
            created="SELECT count(*) FROM created" if insert else "0",
        )
    ).one()
    updated, created, wanted, missing, ambiguous = (int(value) for value in row)
    counts.updated += updated
    counts.created += created
    counts.unconnected, counts.ambiguous = missing, ambiguous
    return wanted - created if insert else 0


def _identity_found(saving: Saving, links: Links) -> str:
    """SQL: `AND` no link of the identity that may be null leads nowhere: it would be taken for null."""
    nil = [name for name in saving.collection.manager_ref_allowed_nil if name in links.missing]
    return "".join(f" AND NOT coalesce({links.missing[name]}, false)" for name in nil)


async def save(saving: Saving, counts: Counts) -> None:
    """Update and insert. Links left to the second pass are skipped."""
    collection = saving.collection
    if not saving.stage.rows:
        return
    update, insert = not collection.create_only, not collection.update_only
    if collection.custom_reconnect_block is not None:
        if update:
            await _write(saving, counts, update=True, insert=False)
        await collection.custom_reconnect_block(Reconnect(saving, _columns(saving)))
    if await _write(saving, counts, update=update, insert=insert) and update:
        # Another refresh inserted rows of the same identity and has committed: now they are found and compared.
        await _write(saving, counts, update=True, insert=True)


async def save_deferred(saving: Saving, columns: tuple[str, ...], counts: Counts) -> None:
    """A second pass: links that close a cycle, once everything they lead to is saved."""
    if not saving.stage.rows:
        return
    collection = saving.collection
    links = resolve(saving, tuple(dict.fromkeys((*collection.manager_ref, *columns))))
    missing = {name: links.missing[name] for name in columns}
    # Rows that were there before are none of a collection that only creates.
    new = " AND t.xmin = pg_current_xact_id()::xid" if collection.create_only else ""
    ambiguous = {name: sql for name, sql in links.ambiguous.items() if name in columns}
    updated, lost, several = (
        await saving.run(
            _LINKED,
            staged=", ".join(f"{links.values[name]} AS {quote(name)}" for name in columns),
            differs=differs(saving, columns, links.values),
            missing=links.count(missing),
            ambiguous=links.count(ambiguous),
            joins=links.joins,
            scope=saving.in_scope(),
            same=saving.same(links.values) + _identity_found(saving, links) + new,
            locked=_LOCKED,
            updated_rows=_UPDATED,
            assignments=assignments(saving, columns),
        )
    ).one()
    counts.updated += updated
    counts.unconnected += lost
    counts.ambiguous += several


async def owned(saving: Saving, counts: Counts) -> tuple[int, int]:
    """Rows of the scope that were not delivered, and all that were there before the refresh."""
    row = (await saving.run(_OWNED, **_delivered(saving))).one()
    return int(row[0]), int(row[1]) - counts.created


def deletion(saving: Saving, limits: str) -> list[tuple[str, str]]:
    """SQL that deletes or archives the complement of the scope, as far as `limits` holds for the saved row."""
    stamp = f", {quote(saving.collection.version_column)} = :version" if saving.stamps else ""
    statement = _ARCHIVE if saving.archives else _DELETE
    return [("deleted", saving.fill(statement, limits=limits, stamp=stamp, **_delivered(saving)))]


def _delivered(saving: Saving) -> dict[str, str]:
    """The parts of _OWNED and _DELETE."""
    staged = saving.resolved(saving.collection.manager_ref)
    return {
        "staged": staged,
        "scope": saving.in_scope(),
        "same": saving.same_ref(),
        "active": "t.archived_at IS NULL" if saving.archives else "true",
        "not_delivered": _NOT_DELIVERED if saving.loaded else "true",
    }

"""Save links that several sources may deliver: each row lists its sources, and goes with the last of them."""

from craton_inv.refresh.counts import Counts
from craton_inv.refresh.linking import resolve
from craton_inv.refresh.ownership import Shared
from craton_inv.refresh.saving import Saving
from craton_inv.refresh.sql import join, quote

_RESOLVE = """
CREATE TEMPORARY TABLE <resolved> ON COMMIT DROP AS
SELECT DISTINCT <ids>, true AS delivered FROM <stage> s <joins> WHERE <whole>
"""
_INSERT = """
WITH written AS (
  INSERT INTO <table> AS t (<columns>, <scope_columns>, manual, <sources>)
  SELECT <columns>, <scope_binds>, false, ARRAY[:source] FROM <resolved> r
  WHERE <wanted>
  ORDER BY <columns>
  ON CONFLICT (<conflict>) DO UPDATE SET <sources> = t.<sources> || :source WHERE NOT t.<sources> @> ARRAY[:source]
  RETURNING xmax = 0 AS created)
SELECT count(*) FILTER (WHERE created), count(*) FILTER (WHERE NOT created) FROM written
"""
_LACKING = "NOT EXISTS (SELECT FROM <table> t WHERE <scope> AND <same> AND t.<sources> @> ARRAY[:source])"
_THERE = "EXISTS (SELECT FROM <table> t WHERE <scope> AND <same>)"
_GONE = "<scope> AND t.<sources> @> ARRAY[:source] AND <not_delivered> AND <limits>"
_NOT_DELIVERED = "NOT EXISTS (SELECT FROM <resolved> r WHERE <same>)"
_OWNED = """
SELECT count(*) FILTER (WHERE r.delivered IS NULL), count(*) FROM <table> t LEFT JOIN <resolved> r ON <same>
WHERE <scope> AND t.<sources> @> ARRAY[:source]
"""
_OWNED_ALONE = "SELECT count(*), count(*) FROM <table> t WHERE <scope> AND t.<sources> @> ARRAY[:source]"
_DELETE = "DELETE FROM <table> t WHERE <gone> AND NOT t.manual AND t.<sources> <@ ARRAY[:source]"
_LEAVE = """
UPDATE <table> t SET <sources> = array_remove(t.<sources>, :source)
WHERE <gone> AND (t.manual OR NOT t.<sources> <@ ARRAY[:source])
"""


def _parts(saving: Saving) -> dict[str, str]:
    collection = saving.collection
    assert isinstance(collection.ownership, Shared)  # noqa: S101 - what the strategy was chosen by
    return {
        "gone": _GONE,
        "not_delivered": _NOT_DELIVERED if saving.stage.rows else "true",
        "resolved": quote(f"resolved_{collection.name}"),
        "sources": quote(collection.ownership.column),
        "columns": join(collection.manager_ref),
        "scope": saving.in_scope(),
        "scope_columns": saving.scope_columns(),
        "scope_binds": saving.scope_binds(),
        "conflict": join(collection.conflict_columns),
        "same": saving.same_ref("r", "t"),
    }


async def save(saving: Saving, counts: Counts) -> None:
    """Resolve all links once into a table of ids, then insert the rows, or the source into the rows, that lack it.

    With update_only no row is made, with create_only the source joins no row that is there.
    """
    if not saving.stage.rows:
        return
    refs = saving.collection.manager_ref
    parts = _parts(saving)
    links = resolve(saving, refs)
    resolved = await saving.run(
        _RESOLVE,
        ids=", ".join(f"{links.values[name]} AS {quote(name)}" for name in refs),
        joins=links.joins,
        whole=" AND ".join(f"{links.values[name]} IS NOT NULL" for name in refs),
        **parts,
    )
    counts.unconnected = counts.delivered - counts.repeated - resolved.rowcount
    if saving.options.targets is None or not saving.stage.few:
        await saving.run("ANALYZE <resolved>", **parts)
    wanted = _LACKING
    if saving.collection.update_only:
        wanted = f"{_LACKING} AND {_THERE}"
    elif saving.collection.create_only:
        wanted = f"NOT {_THERE}"
    created, updated = (await saving.run(_INSERT, wanted=wanted, **parts)).one()
    counts.created += created
    counts.updated += updated


async def owned(saving: Saving, counts: Counts) -> tuple[int, int]:
    """Links of the source that were not delivered, and all it had before the refresh."""
    row = (await saving.run(_OWNED if saving.stage.rows else _OWNED_ALONE, **_parts(saving))).one()
    return int(row[0]), int(row[1]) - counts.created - counts.updated


def deletion(saving: Saving, limits: str) -> list[tuple[str, str]]:
    """SQL that takes the source off the links within `limits` it no longer delivers; those that nobody else has go."""
    parts = {**_parts(saving), "limits": limits}
    return [("deleted", saving.fill(_DELETE, **parts)), ("updated", saving.fill(_LEAVE, **parts))]

"""Save rows that several sources and people share: a layer of variables per source, the row shows the merge.

The merge, per key of the variables:
  * what the source sends wins over what is there (the last writer wins, as in AWX);
  * a key that the source sent before and sends no more goes, unless it was changed by hand since; when another source
    has the key its value returns (of several, the one with the highest id);
  * every other key stays: it is a person's or another source's;
  * with `replace` (overwrite_vars) only keys that some source has remain.
An unchanged row is known by the digest of its layer and by the row still showing it; it is not written at all.
"""

from craton_inv.refresh.counts import Counts
from craton_inv.refresh.ownership import Layered
from craton_inv.refresh.saving import Saving
from craton_inv.refresh.sql import join, or_default, quote

# What other sources say of the rows in scope, merged per row.
_OTHERS = """
others AS MATERIALIZED (
  SELECT o.<row> AS id, jsonb_object_agg(e.key, e.value ORDER BY o.inventory_source_id) AS variables
  FROM <layer> o JOIN <table> t ON t.id = o.<row> AND <scope> CROSS JOIN LATERAL jsonb_each(o.variables) e
  WHERE o.inventory_source_id <> :source GROUP BY o.<row>)"""
# Keys of the old layer that the source no longer sends and nobody changed since.
DROPPED = "c.said ? e.key AND NOT c.sends ? e.key AND c.shown -> e.key = c.said -> e.key"
KEEP_HAND_MADE = """
(c.shown - ARRAY(SELECT e.key FROM jsonb_each(c.said) e WHERE <dropped>))
  || coalesce((SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(c.others) e WHERE <dropped>), '{}') || c.sends"""
_REPLACE = "c.others || c.sends"
_MINE = "<layer> l JOIN <table> t ON t.id = l.<row> AND <scope>"
_NOT_DELIVERED = "NOT EXISTS (SELECT FROM <stage> s WHERE <same>)"

# A row of this source whose identity was not delivered takes that of the one staged row with the same key, unless
# it is taken. `gone` is nearly always empty, and then nothing else is looked at.
_RENAME = """
WITH gone AS MATERIALIZED (
  SELECT t.id, t.<key> AS key FROM <mine> LEFT JOIN <stage> s ON <same>
  WHERE l.inventory_source_id = :source AND s.sent IS NULL AND t.<key> <> ''),
pairs AS MATERIALIZED (
  SELECT g.id, s.*, count(*) OVER (PARTITION BY g.key) AS copies FROM gone g JOIN <stage> s ON s.<key> = g.key)
UPDATE <table> t SET <renamed> FROM pairs s
WHERE t.id = s.id AND s.copies = 1 AND NOT EXISTS (SELECT FROM <table> t WHERE <scope> AND <same>)
"""
# The rows that differ, locked in one order before any collection is written: a writer of the API holds its row and then
# waits for the inventory's, so a refresh that already held the inventory's would wait for it in turn.
_CHANGED = """
CREATE TEMPORARY TABLE <changed> ON COMMIT DROP AS WITH <others_said>
SELECT t.id, <ref> AS ref, s.digest, s.sent, <attributes> coalesce(l.variables, '{}') AS said, s.variables AS sends,
  t.variables AS shown, coalesce(o.variables, '{}') AS others, l.digest IS DISTINCT FROM s.digest AS moved
FROM <stage> s JOIN <table> t ON <scope> AND <same>
  LEFT JOIN <layer> l ON l.inventory_source_id = :source AND l.<row> = t.id LEFT JOIN others o ON o.id = t.id
WHERE l.digest IS DISTINCT FROM s.digest OR t.variables <> (<expected>) <differs>
ORDER BY t.id FOR NO KEY UPDATE OF t
"""
_UPDATE = """
WITH merged AS MATERIALIZED (SELECT c.*, <merge> AS variables FROM <changed> c),
layers AS (
  INSERT INTO <layer> AS l (inventory_source_id, <row>, ref, digest, variables)
  SELECT :source, id, ref, digest, sends FROM <changed> WHERE moved ORDER BY id
  ON CONFLICT (inventory_source_id, <row>) DO UPDATE
    SET ref = excluded.ref, digest = excluded.digest, variables = excluded.variables
  RETURNING 1),
rows AS (
  UPDATE <table> t SET <assignments> variables = s.variables,
    variables_text = CASE WHEN t.variables = s.variables THEN t.variables_text ELSE s.variables::text END
  FROM merged s WHERE t.id = s.id AND (t.variables <> s.variables <differs>)
  RETURNING 1)
SELECT (SELECT count(*) FROM rows), (SELECT count(*) FROM layers)
"""
_INSERT = """
WITH written AS (
  INSERT INTO <table> AS t (<scope_columns>, <columns>, manual, variables, variables_text)
  SELECT <scope_binds>, <values>, false, s.variables, s.variables::text FROM <stage> s
  WHERE NOT EXISTS (SELECT FROM <table> t WHERE <scope> AND <same>)
  ORDER BY <refs>
  ON CONFLICT (<conflict>) DO UPDATE SET variables = t.variables || excluded.variables,
    variables_text = (t.variables || excluded.variables)::text
  RETURNING t.id, <saved_refs>),
layers AS (
  INSERT INTO <layer> (inventory_source_id, <row>, ref, digest, variables)
  SELECT :source, t.id, <ref>, s.digest, s.variables FROM written t JOIN <stage> s ON <same> ORDER BY t.id
  RETURNING 1)
SELECT (SELECT count(*) FROM written), (SELECT count(*) FROM layers)
"""
_OWNED = """
SELECT count(*) FILTER (WHERE s.sent IS NULL), count(*) FROM <mine> LEFT JOIN <stage> s ON <same>
WHERE l.inventory_source_id = :source
"""
# Rows that stay lose the keys that only this source had.
_DELETE = """
WITH <others_said>, gone AS MATERIALIZED (
  SELECT t.id, l.variables AS said, t.variables AS shown, '{}'::jsonb AS sends, coalesce(o.variables, '{}') AS others,
    t.manual OR EXISTS (SELECT FROM <layer> x WHERE x.<row> = t.id AND x.inventory_source_id <> :source) AS stays
  FROM <mine> LEFT JOIN others o ON o.id = t.id WHERE l.inventory_source_id = :source AND <not_delivered>),
layers AS (
  DELETE FROM <layer> l USING gone
  WHERE l.inventory_source_id = :source AND l.<row> = gone.id AND gone.stays RETURNING 1),
kept AS (
  UPDATE <table> t SET variables = c.variables,
    variables_text = CASE WHEN t.variables = c.variables THEN t.variables_text ELSE c.variables::text END
  FROM (SELECT c.id, <merge> AS variables FROM gone c WHERE c.stays) c
  WHERE t.id = c.id AND t.variables <> c.variables RETURNING 1),
rows AS (DELETE FROM <table> t USING gone WHERE t.id = gone.id AND NOT gone.stays RETURNING 1)
SELECT (SELECT count(*) FROM rows), (SELECT count(*) FROM kept), (SELECT count(*) FROM layers)
"""


def _attributes(saving: Saving) -> list[str]:
    """Attributes beside the variables."""
    return [name for name in saving.collection.attributes if name != "variables"]


def _parts(saving: Saving) -> dict[str, str]:
    collection = saving.collection
    assert isinstance(collection.ownership, Layered)  # noqa: S101 - what the strategy was chosen by
    replace = saving.options.replace
    return {
        "others_said": _OTHERS,
        "dropped": DROPPED,
        "mine": _MINE,
        "not_delivered": _NOT_DELIVERED,
        "changed": quote(f"changed_{collection.name}"),
        "layer": quote(collection.ownership.table.name),
        "row": quote(collection.ownership.row),
        "scope": saving.in_scope(),
        "same": saving.same_ref(),
        "ref": f"t.{quote(collection.manager_ref[0])}",
        "merge": _REPLACE if replace else KEEP_HAND_MADE,
        # What the row shows if nothing changed: cheaper than the merge, and equal to it for an equal digest.
        "expected": "coalesce(o.variables, '{}') || s.variables" if replace else "t.variables || s.variables",
    }


async def prepare(saving: Saving, counts: Counts) -> None:
    """Rename rows that came back under another identity, then find and lock the rows that differ."""
    if saving.collection.reconnect_by:
        counts.updated += await _rename(saving)
    names = _attributes(saving)
    await saving.run(
        _CHANGED,
        attributes="".join(f"s.{quote(name)}, " for name in names),
        differs=_differs(saving),
        **_parts(saving),
    )


async def save(saving: Saving, counts: Counts) -> None:
    """Update the rows that differ, then insert the others, each with its layer."""
    await _update(saving, counts)
    if not saving.collection.update_only:
        await _insert(saving, counts)


def _differs(saving: Saving) -> str:
    """SQL: an attribute that was sent is another than the row's."""
    return "".join(
        f" OR {saving.stage.was_sent(name)} AND t.{quote(name)} IS DISTINCT FROM s.{quote(name)}"
        for name in _attributes(saving)
    )


async def _rename(saving: Saving) -> int:
    refs = saving.collection.manager_ref
    renamed = ", ".join(f"{quote(name)} = s.{quote(name)}" for name in refs)
    result = await saving.run(_RENAME, renamed=renamed, key=quote(saving.collection.reconnect_by), **_parts(saving))
    return result.rowcount


async def _update(saving: Saving, counts: Counts) -> None:
    names = _attributes(saving)
    sent = {name: saving.stage.was_sent(name) for name in names}
    row = await saving.run(
        _UPDATE,
        differs=_differs(saving),
        assignments="".join(
            f"{quote(name)} = CASE WHEN {sent[name]} THEN s.{quote(name)} ELSE t.{quote(name)} END, " for name in names
        ),
        **_parts(saving),
    )
    updated, layers = row.one()
    counts.updated += updated
    counts.layers += layers


async def _insert(saving: Saving, counts: Counts) -> None:
    collection = saving.collection
    optional = [*_attributes(saving), *collection.on_create]
    row = await saving.run(
        _INSERT,
        scope_columns=saving.scope_columns(),
        scope_binds=saving.scope_binds(),
        columns=join((*collection.manager_ref, *optional)),
        values=", ".join(
            [join(collection.manager_ref, "s."), *(or_default(collection.column(name)) for name in optional)]
        ),
        refs=join(collection.manager_ref, "s."),
        saved_refs=join(collection.manager_ref, "t."),
        conflict=join(collection.conflict_columns),
        **_parts(saving),
    )
    created, layers = row.one()
    counts.created += created
    counts.layers += layers


async def owned(saving: Saving, counts: Counts) -> tuple[int, int]:
    """Rows with a layer of this source that were not delivered, and all of them; asked for before rows are saved."""
    row = (await saving.run(_OWNED, **_parts(saving))).one()
    return int(row[0]), int(row[1])


async def delete(saving: Saving, counts: Counts) -> None:
    """Take the source off the rows it no longer delivers; those that nobody else has and no person made go."""
    deleted, kept, layers = (await saving.run(_DELETE, **_parts(saving))).one()
    counts.deleted += deleted
    counts.updated += kept
    counts.layers += layers

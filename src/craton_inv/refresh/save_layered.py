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
from craton_inv.refresh.differing import assignments, differs
from craton_inv.refresh.linking import resolve
from craton_inv.refresh.ownership import Layered
from craton_inv.refresh.reconnect import Reconnect
from craton_inv.refresh.saving import Saving
from craton_inv.refresh.sql import in_one_order, join, or_default, quote

# What other sources say of rows, merged per row: of all in scope, of the delivered ones, or of those that go.
_OTHERS = """
others AS MATERIALIZED (
  SELECT o.<row> AS id, jsonb_object_agg(e.key, e.value ORDER BY o.inventory_source_id) AS variables
  FROM <layer> o <only> CROSS JOIN LATERAL jsonb_each(o.variables) e
  WHERE o.inventory_source_id <> :source GROUP BY o.<row>)"""
_OF_SCOPE = "JOIN <table> t ON t.id = o.<row> AND <scope>"
_OF_DELIVERED = "JOIN <table> t ON t.id = o.<row> AND <scope> JOIN <stage> s ON <same>"
_OF_GONE = "JOIN mine t ON t.id = o.<row>"
# Keys of the old layer that the source no longer sends and nobody changed since.
DROPPED = "c.said ? e.key AND NOT c.sends ? e.key AND c.shown -> e.key = c.said -> e.key"
KEEP_HAND_MADE = """
(c.shown - ARRAY(SELECT e.key FROM jsonb_each(c.said) e WHERE <dropped>))
  || coalesce((SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(c.others) e WHERE <dropped>), '{}') || c.sends"""
_REPLACE = "c.others || c.sends"
_MINE = "<layer> l JOIN <table> t ON t.id = l.<row> AND <scope>"
_NOT_DELIVERED = "NOT EXISTS (SELECT FROM <stage> s WHERE <same>)"

# A row of this source whose identity was not delivered takes that of the one staged row with the same key, unless
# it is taken. `gone` is nearly always empty, and then nothing else is looked at. <known> bounds what is looked at.
_RENAME = """
WITH gone AS MATERIALIZED (
  SELECT t.id, t.<key> AS key FROM <mine> LEFT JOIN <stage> s ON <same>
  WHERE l.inventory_source_id = :source AND s.sent IS NULL AND t.<key> <> '' AND <known>),
pairs AS MATERIALIZED (
  SELECT g.id, s.*, count(*) OVER (PARTITION BY g.key) AS copies FROM gone g JOIN <stage> s ON s.<key> = g.key)
UPDATE <table> t SET <renamed> FROM pairs s
WHERE t.id = s.id AND s.copies = 1 AND NOT EXISTS (SELECT FROM <table> t WHERE <scope> AND <same>)
"""
# The rows that differ, locked in one order before any collection is written: a writer of the API holds its row and then
# waits for the inventory's, so a refresh that already held the inventory's would wait for it in turn.
_DIFFERING = """
WITH <others_said>
SELECT t.id, <ref> AS ref, s.digest, s.sent, <attributes> coalesce(l.variables, '{}') AS said, s.variables AS sends,
  t.variables AS shown, coalesce(o.variables, '{}') AS others, l.digest IS DISTINCT FROM s.digest AS moved
FROM <stage> s JOIN <table> t ON <scope> AND <same>
  LEFT JOIN <layer> l ON l.inventory_source_id = :source AND l.<row> = t.id LEFT JOIN others o ON o.id = t.id
WHERE <which> ORDER BY t.id FOR NO KEY UPDATE OF t
"""
_CHANGED = "CREATE TEMPORARY TABLE <changed> ON COMMIT DROP AS <differing>"
# What links lead to is known only once that is saved: rows that differ in nothing else join the changed ones then.
_RELINKED = """
WITH found AS MATERIALIZED (SELECT * FROM (
  SELECT t.id, <link_differs> AS differs, <missing> AS missing, <ambiguous> AS ambiguous
  FROM <stage> s <joins> LEFT JOIN <table> t ON <scope> AND <same>) f WHERE f.differs OR f.missing > 0),
more AS (INSERT INTO <changed> <differing> RETURNING 1)
SELECT coalesce(sum(missing), 0), coalesce(sum(ambiguous), 0) FROM found
"""
_RELINKED_ROWS = """
t.id IN (SELECT f.id FROM found f WHERE f.differs) AND NOT EXISTS (SELECT FROM <changed> c WHERE c.id = t.id)"""
_UPDATE = """
linked AS MATERIALIZED (SELECT s.*<links> FROM <changed> s <joins>),
merged AS MATERIALIZED (SELECT c.*, <merge> AS variables FROM linked c),
layers AS (
  INSERT INTO <layer> AS l (inventory_source_id, <row>, ref, digest, variables <version>)
  SELECT :source, id, ref, digest, sends <now> FROM <changed> WHERE moved <marked> ORDER BY id
  ON CONFLICT (inventory_source_id, <row>) DO UPDATE
    SET ref = excluded.ref, digest = excluded.digest, variables = excluded.variables <restamp>),
rows AS (
  UPDATE <table> t SET <assignments> variables = s.variables,
    variables_text = CASE WHEN t.variables = s.variables THEN t.variables_text ELSE s.variables::text END
  FROM merged s WHERE t.id = s.id AND (t.variables <> s.variables <differs>)
  RETURNING 1)"""
_COUNT_UPDATED = "(SELECT count(*) FROM rows) AS updated, (SELECT count(*) FROM <changed> WHERE moved) AS moved"
_INSERT = """
written AS (
  INSERT INTO <table> AS t (<scope_columns>, <columns>, manual, variables, variables_text)
  SELECT <scope_binds>, <values>, false, s.variables, s.variables::text FROM <stage> s <joins>
  WHERE NOT EXISTS (SELECT FROM <table> t WHERE <scope> AND <same>)
  ORDER BY <refs>
  ON CONFLICT (<conflict>) DO UPDATE SET variables = t.variables || excluded.variables,
    variables_text = (t.variables || excluded.variables)::text
  RETURNING t.id, <saved_refs>),
new_layers AS (
  INSERT INTO <layer> (inventory_source_id, <row>, ref, digest, variables <version>)
  SELECT :source, t.id, <ref>, s.digest, s.variables <now> FROM written t JOIN <stage> s ON <same> ORDER BY t.id
  RETURNING 1)"""
_COUNT_INSERTED = "(SELECT count(*) FROM written) AS created, (SELECT count(*) FROM new_layers) AS made"
_OWNED = """
SELECT count(*) FILTER (WHERE s.sent IS NULL), count(*) FROM <mine> LEFT JOIN <stage> s ON <same>
WHERE l.inventory_source_id = :source
"""
# Rows that stay lose the keys that only this source had.
_DELETE = """
WITH mine AS MATERIALIZED (
  SELECT t.id, l.variables AS said, t.variables AS shown, '{}'::jsonb AS sends,
    t.manual OR EXISTS (SELECT FROM <layer> x WHERE x.<row> = t.id AND x.inventory_source_id <> :source) AS stays
  FROM <mine> WHERE l.inventory_source_id = :source AND <not_delivered> AND <limits>),
<others_said>,
gone AS MATERIALIZED (
  SELECT t.*, coalesce(o.variables, '{}') AS others FROM mine t LEFT JOIN others o ON o.id = t.id),
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
    """Attributes beside the variables; links are apart."""
    return [name for name in saving.collection.written if name != "variables" and name not in saving.stage.sites]


def _linked(saving: Saving) -> tuple[str, ...]:
    """Attributes that are links, but for those of a second pass."""
    links = saving.stage.sites.keys() - set(saving.deferred)
    return tuple(name for name in saving.collection.written if name in links)


def _staged_columns(saving: Saving) -> str:
    """SQL: what a changed row keeps of the staged one beside the variables: attributes, and links as staged."""
    names = _attributes(saving)
    for name in _linked(saving):
        names += saving.stage.sites[name].columns
    if saving.stage.sites:
        names.append("link_defaults")
    return "".join(f"s.{quote(name)}, " for name in names)


def _changed(saving: Saving) -> str:
    return quote(f"changed_{saving.collection.name}")


def _parts(saving: Saving) -> dict[str, str]:
    collection = saving.collection
    assert isinstance(collection.ownership, Layered)  # noqa: S101 - what the strategy was chosen by
    replace = saving.options.replace
    version = quote(collection.version_column)
    return {
        "others_said": _OTHERS,
        "dropped": DROPPED,
        "mine": _MINE,
        "not_delivered": _NOT_DELIVERED if saving.loaded else "true",
        "only": _OF_SCOPE if saving.options.targets is None else _OF_DELIVERED,
        "changed": _changed(saving),
        "layer": quote(collection.ownership.table.name),
        "row": quote(collection.ownership.row),
        "scope": saving.in_scope(),
        "same": saving.same_ref(),
        "ref": f"t.{quote(collection.manager_ref[0])}",
        "merge": _REPLACE if replace else KEEP_HAND_MADE,
        # What the row shows if nothing changed: cheaper than the merge, and equal to it for an equal digest.
        "expected": "coalesce(o.variables, '{}') || s.variables" if replace else "t.variables || s.variables",
        "marked": "OR true" if saving.marks else "",
        "version": f", {version}" if saving.stamps else "",
        "now": ", CAST(:version AS timestamptz)" if saving.stamps else "",
        "restamp": f", {version} = excluded.{version}" if saving.stamps else "",
    }


async def prepare(saving: Saving, counts: Counts) -> tuple[int, int]:
    """Rename rows that came back under another identity, find and lock those that differ; what `owned` tells then."""
    full = saving.options.targets is None
    gone, known = await owned(saving, counts) if full else (0, 0)
    if not saving.stage.rows:
        return gone, known
    if saving.collection.reconnect_by and (gone or not full):  # only what was not delivered can have another identity
        renamed = await _rename(saving)
        counts.updated += renamed
        gone -= renamed
    if saving.collection.custom_reconnect_block is not None:
        columns = (*saving.collection.manager_ref, *_attributes(saving), "variables")
        await saving.collection.custom_reconnect_block(Reconnect(saving, columns))
        gone, known = await owned(saving, counts) if full else (0, 0)
    differ = differs(saving, _attributes(saving))
    await saving.run(
        _CHANGED,
        differing=_DIFFERING,
        attributes=_staged_columns(saving),
        which=f"l.digest IS DISTINCT FROM s.digest OR t.variables <> (<expected>) OR {differ} <marked>",
        **_parts(saving),
    )
    return gone, known


async def _relink(saving: Saving, counts: Counts, names: tuple[str, ...]) -> None:
    links = resolve(saving, names)
    row = await saving.run(
        _RELINKED,
        differing=_DIFFERING,
        attributes=_staged_columns(saving),
        which=_RELINKED_ROWS,
        link_differs=f"coalesce({differs(saving, names, links.values)}, false)",
        missing=links.count(links.missing),
        ambiguous=links.count(links.ambiguous),
        joins=links.joins,
        **_parts(saving),
    )
    missing, ambiguous = row.one()
    counts.unconnected += missing
    counts.ambiguous += ambiguous


async def save(saving: Saving, counts: Counts) -> None:
    """Update the rows that differ, then insert the others, each with its layer."""
    if not saving.stage.rows:
        return
    if linked := _linked(saving):
        await _relink(saving, counts, linked)
    steps: list[str] = []
    counted: list[str] = []
    if not saving.collection.create_only:
        steps.append(_update(saving))
        counted.append(_COUNT_UPDATED)
    if not saving.collection.update_only:
        steps.append(_insert(saving))
        counted.append(_COUNT_INSERTED)
    row = await saving.run(f"WITH {','.join(steps)} SELECT {', '.join(counted)}", changed=_changed(saving))
    done = row.one()._asdict()
    counts.updated += done.get("updated", 0)
    counts.created += done.get("created", 0)
    counts.layers += done.get("moved", 0) + done.get("made", 0)


async def _rename(saving: Saving) -> int:
    refs = saving.collection.manager_ref
    renamed = ", ".join(f"{quote(name)} = s.{quote(name)}" for name in refs)
    key = quote(saving.collection.reconnect_by)
    known = "true" if saving.options.targets is None else "t.<key> = ANY(ARRAY(SELECT k.<key> FROM <stage> k))"
    return (await saving.run(_RENAME, renamed=renamed, key=key, known=known, **_parts(saving))).rowcount


def _update(saving: Saving) -> str:
    names, linked = _attributes(saving), _linked(saving)
    links = resolve(saving, linked)
    written = [*names, *linked]
    differ = differs(saving, written, {name: f"s.{quote(name)}" for name in written})
    assigned = assignments(saving, written)
    return saving.fill(
        _UPDATE,
        links="".join(f", {links.values[name]} AS {quote(name)}" for name in linked),
        joins=links.joins,
        differs=f" OR {differ}",
        assignments=f"{assigned}, " if assigned else "",
        **_parts(saving),
    )


def _insert(saving: Saving) -> str:
    collection = saving.collection
    optional = [*_attributes(saving), *_linked(saving), *collection.on_create]
    links = resolve(saving, tuple(optional))
    return saving.fill(
        _INSERT,
        scope_columns=saving.scope_columns(),
        scope_binds=saving.scope_binds(),
        columns=join((*collection.manager_ref, *optional)),
        values=", ".join(
            [
                join(collection.manager_ref, "s."),
                *(or_default(collection.column(name), links.values[name]) for name in optional),
            ]
        ),
        joins=links.joins,
        refs=", ".join(in_one_order(collection.column(name), "s") for name in collection.manager_ref),
        saved_refs=join(collection.manager_ref, "t."),
        conflict=join(collection.conflict_columns),
        **_parts(saving),
    )


async def owned(saving: Saving, counts: Counts) -> tuple[int, int]:
    """Rows with a layer of this source that were not delivered, and all of them; asked for before rows are saved."""
    row = (await saving.run(_OWNED, **_parts(saving))).one()
    return int(row[0]), int(row[1])


async def delete(saving: Saving, counts: Counts, limits: str) -> None:
    """Take the source off rows within `limits` it no longer delivers; those that nobody else has or made go."""
    parts = {**_parts(saving), "only": _OF_GONE, "limits": limits}
    deleted, kept, layers = (await saving.run(_DELETE, **parts)).one()
    counts.deleted += deleted
    counts.updated += kept
    counts.layers += layers

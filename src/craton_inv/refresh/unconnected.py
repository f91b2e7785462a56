"""Links that lead nowhere: kept in a table, and tried again by every later refresh of the source.

Runs at the end of a save, when what goes has gone. A link that waits is connected as soon as its target is there, also
when its own object was not delivered again; it is forgotten when its object is gone or sends another link or none.
Links to a collection with a name filter are not kept: what the filter left out is left out on purpose.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from craton_inv.refresh import save_exclusive
from craton_inv.refresh.counts import Counts
from craton_inv.refresh.link_site import LinkSite
from craton_inv.refresh.linking import Links, chain, resolve
from craton_inv.refresh.lookup import Form
from craton_inv.refresh.ownership import Shared
from craton_inv.refresh.saving import Saving
from craton_inv.refresh.sql import fill, quote, type_name

_KINDS = """
SELECT DISTINCT collection, attribute, target_collection, target_by, target_key FROM <kept>
WHERE inventory_source_id = :source
"""
_MISSING = """
CREATE TEMPORARY TABLE <missing> ON COMMIT DROP AS
SELECT t.id AS object_id, <object_ref> AS object_ref, v.attribute, v.target_collection, v.target_ref, v.target_by,
  v.target_key, v.ambiguous
FROM <stage> s <joins> LEFT JOIN <table> t ON <scope> AND <same>
CROSS JOIN LATERAL (VALUES <links>)
  AS v (attribute, target_collection, target_ref, target_by, target_key, missing, ambiguous)
WHERE (<any_missing>) AND v.missing
"""
_NO_LINKS = "(''::text, ''::text, '{}'::jsonb, ''::text, ''::text, false, false)"
_SETTLED = """
DELETE FROM <kept> e USING (
  SELECT s.sent, t.id, <object_ref> AS ref FROM <stage> s <joins> JOIN <table> t ON <scope> AND <same>) s
WHERE e.inventory_source_id = :source AND e.collection = :collection AND <is_object> AND <was_sent>
  AND NOT EXISTS (SELECT FROM <missing> m WHERE m.object_id = s.id AND m.attribute = e.attribute
    AND m.target_ref = e.target_ref AND (m.target_collection, m.target_by, m.target_key)
      = (e.target_collection, e.target_by, e.target_key))
"""
_BY_ID = "e.object_id = s.id"
# An object that could not be saved before may have a row now; a full refresh sees to that with the orphans.
_BY_REF = "(<by_id> OR e.object_id IS NULL AND e.object_key = md5(s.ref::text)::uuid)"
_KEEP = """
INSERT INTO <kept> AS e (inventory_source_id, inventory_update_id, collection, object_id, object_ref, object_key,
  attribute, target_collection, target_ref, target_by, target_key, ambiguous)
SELECT :source, :update, :collection, m.object_id, m.object_ref, md5(m.object_ref::text)::uuid, m.attribute,
  m.target_collection, m.target_ref, m.target_by, m.target_key, m.ambiguous
FROM <missing> m ORDER BY m.attribute, md5(m.object_ref::text)
ON CONFLICT (inventory_source_id, collection, attribute, object_key) DO UPDATE
  SET object_id = excluded.object_id, target_collection = excluded.target_collection, target_ref = excluded.target_ref,
    target_by = excluded.target_by, target_key = excluded.target_key, ambiguous = excluded.ambiguous
  WHERE (e.object_id, e.target_collection, e.target_ref, e.target_by, e.target_key, e.ambiguous) IS DISTINCT FROM
    (excluded.object_id, excluded.target_collection, excluded.target_ref, excluded.target_by, excluded.target_key,
      excluded.ambiguous)
"""
_RETRY = """
WITH connected AS MATERIALIZED (
  SELECT e.id, e.object_id, <value> AS value FROM <waiting> <joins> WHERE e.collection = :collection
    AND e.attribute = :attribute AND e.target_by = :by AND e.target_key = :key AND <found> IS NOT NULL),
locked AS MATERIALIZED (
  SELECT t.id FROM <table> t JOIN connected c ON c.object_id = t.id ORDER BY t.id FOR NO KEY UPDATE OF t),
updated AS (
  UPDATE <table> t SET <attribute> = c.value FROM connected c JOIN locked k ON k.id = c.object_id
  WHERE t.id = c.object_id AND t.<attribute> IS DISTINCT FROM c.value RETURNING 1),
settled AS (DELETE FROM <kept> e USING connected c WHERE e.id = c.id)
SELECT count(*) FROM updated
"""
_WAITING = "(SELECT * FROM <kept> WHERE inventory_source_id = :source AND object_id IS NOT NULL) e"
_ORPHANED = """
DELETE FROM <kept> e WHERE e.inventory_source_id = :source AND e.collection = :collection AND (
  e.object_id IS NOT NULL AND NOT EXISTS (SELECT FROM <table> t WHERE t.id = e.object_id) <never_saved>)
"""
_NEVER_SAVED = """
OR e.object_id IS NULL AND NOT EXISTS (SELECT FROM <missing> m
  WHERE m.attribute = e.attribute AND md5(m.object_ref::text)::uuid = e.object_key)"""
_UNDECLARED = "DELETE FROM <kept> WHERE inventory_source_id = :source AND collection = ANY(:collections)"


class Kind(NamedTuple):
    """Links that wait and are tried again by one statement."""

    collection: str
    attribute: str
    target: str
    by: str
    key: str


async def keep_unconnected(savings: Mapping[str, Saving], counts: Mapping[str, Counts], kept: Table) -> None:
    """Write down what leads nowhere, try again what waited. One statement when there is neither."""
    for name, saving in savings.items():
        await _resolve_again(saving, counts, name)
    some = next(iter(savings.values()))
    kinds = [Kind(*row) for row in await some.run(_KINDS, kept=quote(kept.name))]
    waiting = {kind.collection for kind in kinds}
    for name, saving in savings.items():
        keeper = _Keeper(saving, kept)
        delivered = bool(saving.stage.count and keeper.sites) and (
            name in waiting or counts[name].unconnected > 0 or _lost_targets(keeper.sites, counts)
        )
        if delivered:
            await keeper.note(name in waiting)
        for kind in kinds:
            if kind.collection == name:
                counts[name].updated += await keeper.retry(kind)
        if name in waiting:
            await keeper.drop_orphans(delivered)
    undeclared = sorted(waiting - savings.keys())
    if undeclared and some.options.targets is None:
        some.binds["collections"] = (undeclared, ARRAY(Text()))
        await some.run(_UNDECLARED, kept=quote(kept.name))


def _lost_targets(sites: Sequence[LinkSite], counts: Mapping[str, Counts]) -> bool:
    """Whether rows went that links might have led to when they were resolved."""
    return any(counts[site.target.name].deleted for site in sites)


async def _resolve_again(saving: Saving, counts: Mapping[str, Counts], name: str) -> None:
    """What several rows fitted may be plain now that some of them are gone."""
    columns = tuple(column for column in saving.collection.written if column in saving.stage.sites)
    sites = [saving.stage.sites[column] for column in columns]
    if counts[name].ambiguous and columns and _lost_targets(sites, counts):
        counts[name].unconnected = counts[name].ambiguous = 0
        await save_exclusive.save_deferred(saving, columns, counts[name])


class _Keeper:
    """The statements for the links of one collection."""

    def __init__(self, saving: Saving, kept: Table) -> None:
        self.saving = saving
        self.parts = {"kept": quote(kept.name), "missing": quote(f"missing_{saving.collection.name}")}
        collection = saving.collection
        own = not isinstance(collection.ownership, Shared) and collection.custom_save_block is None
        self.sites = [site for site in saving.stage.sites.values() if own and not site.target.name_filter]

    def _run(self, template: str, **parts: str) -> Any:
        self._bind(collection=self.saving.collection.name)
        self.saving.binds["update"] = (self.saving.options.update_id, BigInteger())
        return self.saving.run(template, **self.parts, **parts)

    def _bind(self, **texts: str) -> None:
        for name, value in texts.items():
            self.saving.binds[name] = (value, Text())

    async def note(self, some_wait: bool) -> None:
        """Keep the links of delivered objects that lead nowhere, forget those that were settled."""
        saving = self.saving
        columns = tuple(dict.fromkeys((*saving.collection.manager_ref, *(site.name for site in self.sites))))
        links = resolve(saving, columns)
        missing = {site.name: links.missing[site.name] for site in self.sites}
        matched = {
            "object_ref": _object_ref(saving),
            "joins": links.joins,
            "scope": saving.in_scope(),
            "same": saving.same(links.values),
        }
        await self._run(
            _MISSING,
            links=", ".join(self._alternatives(links)) or _NO_LINKS,
            any_missing=" OR ".join(missing.values()),
            **matched,
        )
        if some_wait:
            sent = " ".join(
                f"WHEN '{site.name}' THEN {saving.stage.was_sent(site.name)}"
                for site in self.sites
                if site.name not in saving.collection.manager_ref
            )
            was_sent = f"CASE e.attribute {sent} ELSE true END" if sent else "true"
            is_object = _BY_ID if self._full else _BY_REF
            await self._run(_SETTLED, was_sent=was_sent, is_object=is_object, by_id=_BY_ID, **matched)
        await self._run(_KEEP)

    def _alternatives(self, links: Links) -> list[str]:
        """SQL: a VALUES row per link column and form; only the one of the row's own form can be missing."""
        rows = []
        for site in self.sites:
            for used in site.used.values():
                own = f"s.{quote(site.form_column)} = {used.number}"
                leaves = tuple(f"s.{quote(column)}" for column in used.way.columns)
                rows.append(
                    f"('{site.name}', '{site.target.name}', {_json(used.way.form, leaves)}, "
                    f"'{used.way.form.label}', '{used.key}', coalesce({own} AND {links.missing[site.name]}, false), "
                    f"{links.ambiguous.get(site.name, 'false')})"
                )
        return rows

    async def retry(self, kind: Kind) -> int:
        """Connect links that waited and whose target is there now; how many rows changed."""
        saving = self.saving
        site = saving.stage.sites.get(kind.attribute)
        way = site.ways.get(kind.by) if site is not None else None
        if site is None or way is None or site.target.name != kind.target:
            return 0
        if kind.attribute in saving.collection.manager_ref:
            return 0
        waiting = fill(_WAITING, **self.parts)
        leaves = tuple(
            f"(e.target_ref #>> '{{{','.join(leaf.path)}}}')::{type_name(leaf.column)}" for leaf in way.form.leaves
        )
        found = chain(way.form, "l", leaves, saving.in_scope, waiting, key=kind.key)
        self._bind(attribute=kind.attribute, by=kind.by, key=kind.key)
        result = await self._run(
            _RETRY,
            waiting=waiting,
            joins=" ".join(found.joins),
            value=found.value(kind.key),
            found=found.id,
            attribute=quote(kind.attribute),
        )
        return int(result.scalar_one())

    async def drop_orphans(self, noted: bool) -> None:
        """Forget links whose object is gone, or was not delivered again and never saved."""
        never_saved = ""
        if self._full:
            never_saved = _NEVER_SAVED if noted else "OR e.object_id IS NULL"
        await self._run(_ORPHANED, never_saved=never_saved)

    @property
    def _full(self) -> bool:
        return self.saving.options.targets is None


def _object_ref(saving: Saving) -> str:
    """SQL: the identity of a staged row as JSON."""
    parts = []
    for name in saving.collection.manager_ref:
        site = saving.stage.sites.get(name)
        if site is None:
            parts.append(f"'{name}', s.{quote(name)}")
            continue
        cases = " ".join(
            f"WHEN {used.number} THEN {_json(used.way.form, tuple(f's.{quote(c)}' for c in used.way.columns))}"
            for used in site.used.values()
        )
        parts.append(f"'{name}', CASE s.{quote(site.form_column)} {cases} END" if cases else f"'{name}', NULL")
    return f"jsonb_build_object({', '.join(parts)})"


def _json(form: Form, leaves: tuple[str, ...]) -> str:
    """SQL: what a link names, relations nested."""
    rest = list(leaves)
    parts = []
    for name, part in zip(form.columns, form.parts, strict=True):
        value = rest.pop(0) if part is None else _json(part, tuple(rest.pop(0) for _ in part.leaves))
        parts.append(f"'{name}', {value}")
    return f"jsonb_build_object({', '.join(parts)})"

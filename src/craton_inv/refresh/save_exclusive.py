"""Save rows that one source owns alone: update what differs, insert what is new, delete the complement of the scope."""

from craton_inv.refresh.counts import Counts
from craton_inv.refresh.saving import Saving
from craton_inv.refresh.sql import join, or_default, quote

# <values> gives, per staged row, its identity and attributes under their column names, links resolved to ids.
_STAGED = "SELECT s.sent, <values> FROM <stage> s <joins>"
_UPDATE = "UPDATE <table> t SET <assignments> FROM (<staged>) s WHERE <scope> AND <same> AND (<differs>)"
_INSERT = """
INSERT INTO <table> AS t (<scope_columns><columns>) SELECT <scope_binds><chosen> FROM (<staged>) s
WHERE <complete> AND NOT EXISTS (SELECT FROM <table> t WHERE <scope> AND <same>) ORDER BY <ref>
ON CONFLICT (<conflict>) DO UPDATE SET <overwrite>
"""
_OWNED = """
SELECT count(*) FILTER (WHERE s.sent IS NULL), count(*) FROM <table> t LEFT JOIN (<staged>) s ON <same> WHERE <scope>
"""
_DELETE = "DELETE FROM <table> t WHERE <scope> AND NOT EXISTS (SELECT FROM (<staged>) s WHERE <same>)"


def _links(saving: Saving) -> tuple[str, ...]:
    return tuple(saving.collection.links)


def _staged(saving: Saving) -> dict[str, str]:
    """The parts of _STAGED: links of the identity must resolve, others may stay null."""
    collection = saving.collection
    links = _links(saving)
    values = [
        f"l{links.index(name)}.id AS {quote(name)}" if name in links else f"s.{quote(name)}"
        for name in (*collection.manager_ref, *collection.attributes, *collection.on_create)
    ]
    return {
        "staged": _STAGED,
        "values": ", ".join(values),
        "joins": saving.link_joins(links, "LEFT JOIN"),
        "scope": saving.in_scope(),
        "same": saving.same_ref(),
    }


def _complete(saving: Saving) -> str:
    linked = [name for name in saving.collection.manager_ref if name in saving.collection.links]
    return " AND ".join(f"s.{quote(name)} IS NOT NULL" for name in linked) or "true"


async def _update(saving: Saving, names: tuple[str, ...]) -> int:
    if not names:
        return 0
    sent = {name: saving.stage.was_sent(name) for name in names}
    result = await saving.run(
        _UPDATE,
        assignments=", ".join(
            f"{quote(name)} = CASE WHEN {sent[name]} THEN s.{quote(name)} ELSE t.{quote(name)} END" for name in names
        ),
        differs=" OR ".join(f"{sent[name]} AND t.{quote(name)} IS DISTINCT FROM s.{quote(name)}" for name in names),
        **_staged(saving),
    )
    return result.rowcount


async def _insert(saving: Saving) -> int:
    collection = saving.collection
    optional = [name for name in (*collection.attributes, *collection.on_create) if name not in saving.deferred]
    columns = (*collection.manager_ref, *optional)
    # Never empty: with every attribute left to the second pass, the identity is written onto itself.
    written = [name for name in collection.attributes if name in columns] or collection.manager_ref
    result = await saving.run(
        _INSERT,
        scope_columns=saving.scope_columns() + ", " if collection.scope else "",
        scope_binds=saving.scope_binds() + ", " if collection.scope else "",
        columns=join(columns),
        chosen=", ".join(or_default(collection.column(name)) for name in columns),
        complete=_complete(saving),
        ref=join(collection.manager_ref, "s."),
        conflict=join(collection.conflict_columns),
        overwrite=", ".join(f"{quote(name)} = excluded.{quote(name)}" for name in written),
        **_staged(saving),
    )
    return result.rowcount


async def save(saving: Saving, counts: Counts) -> None:
    """Update, then insert. Links left to the second pass are skipped."""
    first_pass = tuple(name for name in saving.collection.attributes if name not in saving.deferred)
    counts.updated += await _update(saving, first_pass)
    if not saving.collection.update_only:
        counts.created += await _insert(saving)
    if saving.collection.links:
        counts.unconnected = await _unconnected(saving)


async def save_deferred(saving: Saving, counts: Counts) -> None:
    """The second pass: links that close a cycle, once everything they lead to is saved."""
    counts.updated += await _update(saving, saving.deferred)


async def _unconnected(saving: Saving) -> int:
    """Links that were sent and whose other end is not there."""
    links = _links(saving)
    missing = [
        f"(s.{quote(column.name)} IS NOT NULL AND l{links.index(column.source)}.id IS NULL)"
        for column in saving.stage.columns
        if column.position == 0 and column.source not in saving.deferred
    ]
    if not missing:
        return 0
    result = await saving.run(
        "SELECT count(*) FROM <stage> s <joins> WHERE <missing>",
        joins=saving.link_joins(links, "LEFT JOIN"),
        missing=" OR ".join(missing),
    )
    return int(result.scalar_one())


async def owned(saving: Saving, counts: Counts) -> tuple[int, int]:
    """Rows of the scope that were not delivered, and all that were there before the refresh."""
    row = (await saving.run(_OWNED, **_staged(saving))).one()
    return int(row[0]), int(row[1]) - counts.created


async def delete(saving: Saving, counts: Counts) -> None:
    """Delete the complement of the scope."""
    counts.deleted += (await saving.run(_DELETE, **_staged(saving))).rowcount

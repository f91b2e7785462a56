"""Listings: all references that a provider has, sent beside a delivery of parts, so that what is not among them goes.

A stream of changes brings single objects; now and then the provider tells which objects there are at all. What is
saved, within the listing's scope, and is neither listed nor delivered is deleted. Source: ManageIQ's all_manager_uuids
with its scope and timestamp.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import DateTime

from craton_inv.refresh.declaration import InvalidCollection
from craton_inv.refresh.inventory_collection import InventoryCollection
from craton_inv.refresh.ownership import Layered, Shared
from craton_inv.refresh.saving import Saving
from craton_inv.refresh.sql import quote
from craton_inv.refresh.staging import Stage
from craton_inv.refresh.versions import newer_than

Ref = Mapping[str, Any]
_OWNED = "SELECT count(*) FILTER (WHERE <limits>), count(*) FROM <table> t WHERE <scope> AND <mine>"
_MINE = "t.id IN (SELECT l.<row> FROM <layer> l WHERE l.inventory_source_id = :source)"
_AMONG = "EXISTS (SELECT FROM (<staged>) w WHERE <same>)"


async def _never(saving: Saving, counts: Any) -> None:
    """A list of references is no rows to save."""


@dataclass(frozen=True)
class Listing:
    """The references of one collection. `within`: what it is a list of; None for the whole source.

    `before`: rows that the source was asked for later than this stay, the list does not know of them.
    """

    collection: InventoryCollection
    refs: Stage
    within: Stage | None
    before: datetime | None

    @classmethod
    def make(
        cls,
        collection: InventoryCollection,
        collections: Mapping[str, InventoryCollection],
        refs: Iterable[Ref],
        within: Iterable[Ref] | None,
        before: datetime | None,
    ) -> "Listing":
        """Spool a list. `refs` and `within` map columns to values or lazy links; all of `within` have the same columns.

        Raises InvalidCollection for other columns, for one that has no times to compare with `before`, and for
        collections whose rows nobody owns alone or in layers.
        """
        if collection.custom_save_block is not None or isinstance(collection.ownership, Shared):
            raise InvalidCollection(f"Collection {collection.name}: its rows cannot be listed.")
        if before is not None and not collection.version_column:
            raise InvalidCollection(f"Collection {collection.name} has no version_column to compare with a time.")
        scopes = None if within is None else list(within)
        listed = _spool(collection, collections, "listed", collection.manager_ref, refs)
        try:
            columns = tuple(scopes[0]) if scopes else collection.manager_ref
            inside = None if scopes is None else _spool(collection, collections, "within", columns, scopes)
        except BaseException:
            listed.close()
            raise
        return cls(collection, listed, inside, before)

    @property
    def stages(self) -> dict[str, Stage]:
        """What has to be loaded."""
        return {stage.collection.name: stage for stage in (self.refs, self.within) if stage is not None}

    def condition(self, saving: Saving) -> str:
        """SQL: the saved row `t` is in the scope of the list and not on it; what it binds goes to `saving.binds`."""
        ways = [f"NOT {self._among(self.refs, saving)}"]
        if self.within is not None:
            ways.append(self._among(self.within, saving))
        if self.before is not None:
            saving.binds["listed_at"] = (self.before, DateTime(timezone=True))
            ways.append(f"NOT ({newer_than(self.collection, 't', 'listed_at')})")
        return " AND ".join(ways)

    async def figures(self, saving: Saving) -> tuple[int, int]:
        """What the list would delete, and what the source owns, for the guard."""
        ownership = self.collection.ownership
        mine = "t.archived_at IS NULL" if saving.archives else "true"
        if isinstance(ownership, Layered):
            mine = saving.fill(_MINE, row=quote(ownership.row), layer=quote(ownership.table.name))
        row = await saving.run(_OWNED, limits=self.condition(saving), scope=saving.in_scope(), mine=mine)
        gone, owned = row.one()
        return gone, owned

    def _among(self, stage: Stage, saving: Saving) -> str:
        columns = stage.collection.manager_ref
        staged = replace(saving, stage=stage).resolved(columns)
        same = " AND ".join(f"w.{quote(name)} IS NOT DISTINCT FROM t.{quote(name)}" for name in columns)
        return saving.fill(_AMONG, staged=staged, same=same)


def _spool(
    collection: InventoryCollection,
    collections: Mapping[str, InventoryCollection],
    kind: str,
    columns: tuple[str, ...],
    refs: Iterable[Ref],
) -> Stage:
    """A spool of references under columns of a collection."""
    unknown = set(columns) - set(collection.table.c.keys())
    if unknown or not columns:
        raise InvalidCollection(f"A list of {collection.name} names {', '.join(sorted(unknown)) or 'no columns'}.")
    listed = InventoryCollection(
        name=f"{collection.name}_{kind}",
        table=collection.table,
        manager_ref=columns,
        manager_ref_allowed_nil=tuple(name for name in columns if collection.column(name).nullable),
        links={name: target for name, target in collection.links.items() if name in columns},
        scope=collection.scope,
        fixed_scope=collection.fixed_scope,
        custom_save_block=_never,
    )
    stage = Stage(listed, collections)
    try:
        for ref in refs:
            if set(ref) != set(columns):
                raise InvalidCollection(
                    f"A list of {collection.name} names {', '.join(sorted(ref))} beside {', '.join(sorted(columns))}."
                )
            stage.add(listed.build(**ref))
    except BaseException:
        stage.close()
        raise
    return stage

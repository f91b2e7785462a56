"""Persisters: the set of collections of one refresh, their spools while parsing, and the save."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from craton_inv.refresh import saver
from craton_inv.refresh.counts import Counts
from craton_inv.refresh.graph import Plan, plan
from craton_inv.refresh.inventory_collection import InvalidCollection, InventoryCollection
from craton_inv.refresh.inventory_object import InventoryObject
from craton_inv.refresh.listing import Listing, Ref
from craton_inv.refresh.parents import all_parents
from craton_inv.refresh.saving import SaveOptions
from craton_inv.refresh.staging import Masked, Stage


class Persister:
    """Collections of one refresh. Declare with `add_collection`, fill with `add`, write with `save`, then `close`.

    `links_table`: where links that lead nowhere are kept until a later refresh connects them; None keeps none.
    """

    def __init__(self, links_table: Table | None = None) -> None:
        self.links_table = links_table
        self.collections: dict[str, InventoryCollection] = {}
        self._stages: dict[str, Stage] = {}
        self._listings: dict[str, Listing] = {}
        self._plan: Plan | None = None

    def add_collection(self, collection: InventoryCollection, **changes: Any) -> InventoryCollection:
        """Take a collection, with changed properties if wanted; default values that are functions are called here.

        Raises InvalidCollection.
        """
        changed = replace(collection, **changes) if changes else collection
        if any(callable(value) for value in changed.default_values.values()):
            values = {name: value(self) if callable(value) else value for name, value in changed.default_values.items()}
            changed = replace(changed, default_values=values)
        if changed.name in self.collections:
            raise InvalidCollection(f"Collection {changed.name} is declared twice.")
        self.collections[changed.name] = changed
        self._plan = None
        return changed

    def plan(self) -> Plan:
        """The order of saving. Raises InvalidCollection when there is none, or a collection names a wrong parent."""
        if self._plan is None:
            self._plan = plan(self.collections)
            all_parents(self.collections)  # refused here, before anything is collected
        return self._plan

    def add(self, item: InventoryObject) -> None:
        """Spool one object. Raises UpdateFailed when a value cannot be stored."""
        stage = self._stages.get(item.collection.name)
        if stage is None:
            self._open()
            stage = self._stages[item.collection.name]
        stage.add(item)

    @property
    def stages(self) -> Mapping[str, Stage]:
        """The spools of all collections, opened."""
        self._open()
        return self._stages

    def _open(self) -> None:
        """Open the spools of all collections, once; a bad graph shows before anything is delivered."""
        self.plan()
        for name, collection in self.collections.items():
            if name not in self._stages:
                self._stages[name] = Stage(collection, self.collections)

    @property
    def delivered(self) -> dict[str, int]:
        """Objects spooled so far, per collection."""
        return {name: self._stages[name].count if name in self._stages else 0 for name in self.collections}

    @property
    def masked(self) -> dict[str, Masked]:
        """What the last save left out because another object has the same identity, per collection that has any."""
        return {name: stage.masked for name, stage in self._stages.items() if stage.masked.total}

    async def save(self, connection: AsyncConnection, options: SaveOptions, tell: saver.Tell) -> dict[str, Counts]:
        """Write everything in the caller's transaction; see `saver.save`. May be called again after a rollback."""
        self._open()
        needs = {
            (name, site.name): needed
            for name, stage in self._stages.items()
            for site in stage.sites.values()
            if (needed := site.needs())
        }
        return await saver.save(
            connection, self._stages, plan(self.collections, needs), options, tell, self.links_table, self._listings
        )

    def list_all(
        self,
        name: str,
        manager_uuids: Iterable[Ref],
        scope: Iterable[Ref] | None = None,
        timestamp: datetime | None = None,
    ) -> None:
        """Say which objects of a collection there are at all, beside a delivery of some of them: others go.

        manager_uuids  references, column to value or lazy link; none at all deletes everything in the scope
        scope          what this is a list of, such as [{"host_id": hosts.lazy_find("a")}]; None for the whole source,
                       held to the collection's deletion guard
        timestamp      rows that the source was asked for later than this stay
        Raises InvalidCollection. Source: ManageIQ's all_manager_uuids, all_manager_uuids_scope and _timestamp.
        """
        self._open()
        collection = self.collections[name]
        self._listings[name] = Listing.make(collection, self.collections, manager_uuids, scope, timestamp)

    def close(self) -> None:
        """Drop the spools."""
        listed = [stage for listing in self._listings.values() for stage in listing.stages.values()]
        for stage in (*self._stages.values(), *listed):
            stage.close()
        self._stages.clear()
        self._listings.clear()

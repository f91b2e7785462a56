"""A source of machines with flavors, parents, disks and snapshots in tables of the tests' own."""

from collections.abc import Callable
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    select,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from craton_inv.models import UnconnectedLink
from craton_inv.refresh.counts import Counts
from craton_inv.refresh.inventory_collection import InventoryCollection
from craton_inv.refresh.inventory_object import InventoryObject
from craton_inv.refresh.persister import Persister
from craton_inv.refresh.saving import SaveOptions
from craton_inv.refresh.target import Targets

METADATA = MetaData()
LINKS = cast(Table, UnconnectedLink.__table__)
FLAVORS = Table(
    "t_flavors",
    METADATA,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("source_id", BigInteger, nullable=False),
    Column("family", Text, nullable=False),
    Column("name", Text),
    Column("cpus", BigInteger, server_default="1", nullable=False),
    Column("shared", Boolean),
    UniqueConstraint("source_id", "family", "name", postgresql_nulls_not_distinct=True),
)
MACHINES = Table(
    "t_machines",
    METADATA,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("source_id", BigInteger, nullable=False),
    Column("ref", Text, nullable=False),
    Column("size", BigInteger),
    Column("note", Text),
    Column("uuid", Text),
    Column("shared", Boolean),
    Column("flavor_id", BigInteger, ForeignKey("t_flavors.id", ondelete="SET NULL"), index=True),
    Column("parent_id", BigInteger, ForeignKey("t_machines.id", ondelete="SET NULL"), index=True),
    Column("boot_disk_id", BigInteger, ForeignKey("t_disks.id", ondelete="SET NULL", use_alter=True), index=True),
    Column("grandparent_id", BigInteger, ForeignKey("t_machines.id", ondelete="SET NULL"), index=True),
    UniqueConstraint("source_id", "ref"),
)
DISKS = Table(
    "t_disks",
    METADATA,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("source_id", BigInteger, nullable=False),
    Column("machine_id", BigInteger, ForeignKey("t_machines.id", ondelete="CASCADE"), nullable=False),
    Column("slot", Text, nullable=False),
    Column("size", BigInteger),
    CheckConstraint("size >= 0"),
    UniqueConstraint("machine_id", "slot"),
)
SNAPSHOTS = Table(
    "t_snapshots",
    METADATA,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("source_id", BigInteger, nullable=False),
    Column("disk_id", BigInteger, ForeignKey("t_disks.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("machine_id", BigInteger, ForeignKey("t_machines.id", ondelete="SET NULL"), index=True),
    UniqueConstraint("disk_id", "name"),
)
ADDRESSES = Table(
    "t_addresses",
    METADATA,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("source_id", BigInteger, nullable=False),
    Column("machine_id", BigInteger, ForeignKey("t_machines.id", ondelete="CASCADE"), index=True),
    Column("ip", Text, nullable=False),
    Column("note", Text),
    UniqueConstraint("source_id", "machine_id", "ip", postgresql_nulls_not_distinct=True),
)
ADDRESSES_OF = InventoryCollection(
    name="addresses",
    table=ADDRESSES,
    manager_ref=("machine_id", "ip"),
    attributes=("note",),
    links={"machine_id": "machines"},
    scope=("source_id",),
    manager_ref_allowed_nil=("machine_id",),
)

Make = Callable[["Cloud"], InventoryObject]


class Cloud:
    """The source. `changes`: those of the machines; `other_changes`: per collection; both for later refreshes.

    `more`: further collections.
    """

    def __init__(self, engine: AsyncEngine, source_id: int) -> None:
        self.engine = engine
        self.source_id = source_id
        self.changes: dict[str, Any] = {}
        self.other_changes: dict[str, dict[str, Any]] = {}
        self.more: tuple[InventoryCollection, ...] = ()

    def persister(self) -> Persister:
        """The collections."""
        made = Persister(LINKS)
        flavors = InventoryCollection(
            name="flavors",
            table=FLAVORS,
            manager_ref=("family", "name"),
            attributes=("cpus", "shared"),
            scope=("source_id",),
            manager_ref_allowed_nil=("name",),
        )
        machines = InventoryCollection(
            name="machines",
            table=MACHINES,
            manager_ref=("ref",),
            attributes=("size", "note", "uuid", "shared", "flavor_id", "parent_id"),
            links={"flavor_id": "flavors", "parent_id": "machines"},
            scope=("source_id",),
            secondary_refs={"by_uuid": ("uuid",)},
        )
        disks = InventoryCollection(
            name="disks",
            table=DISKS,
            manager_ref=("machine_id", "slot"),
            attributes=("size",),
            links={"machine_id": "machines"},
            scope=("source_id",),
        )
        snapshots = InventoryCollection(
            name="snapshots",
            table=SNAPSHOTS,
            manager_ref=("disk_id", "name"),
            attributes=("machine_id",),
            links={"disk_id": "disks", "machine_id": "machines"},
            scope=("source_id",),
        )
        self.flavors = made.add_collection(flavors, **self.other_changes.get("flavors", {}))
        self.machines = made.add_collection(machines, **self.changes)
        self.disks = made.add_collection(disks, **self.other_changes.get("disks", {}))
        self.snapshots = made.add_collection(snapshots, **self.other_changes.get("snapshots", {}))
        for collection in self.more:
            made.add_collection(collection)
        return made

    async def refresh(self, *build: Make, **options: Any) -> dict[str, Counts]:
        """Save what the functions `build` give; each is called with this cloud. The guard is off."""
        persister = self.persister()

        async def tell(_: str, __: Counts) -> None:
            pass

        save = SaveOptions(
            self.source_id, {"source_id": self.source_id}, **{"delete": True, "force_delete": True, **options}
        )
        try:
            for make in build:
                persister.add(make(self))
            async with self.engine.begin() as connection:
                return await persister.save(connection, save, tell)
        finally:
            persister.close()

    async def stream(self, *build: Make, **options: Any) -> dict[str, Counts]:
        """Save single objects of the source; the others are neither compared nor deleted."""
        return await self.refresh(*build, targets=Targets(self.source_id, partial=True), **options)

    async def rows(self, table: Table, *columns: str) -> list[tuple[Any, ...]]:
        """Rows of this source."""
        query = select(*(table.c[name] for name in columns)).where(table.c.source_id == self.source_id)
        async with self.engine.connect() as connection:
            return sorted((tuple(row) for row in await connection.execute(query)), key=repr)

    async def by_ref(self, column: str, table: Table = MACHINES, ref: str = "ref") -> dict[str, Any]:
        """A column of the rows by their reference."""
        return dict(await self.rows(table, ref, column))  # type: ignore[arg-type]

    async def unconnected(self, *columns: str) -> list[tuple[Any, ...]]:
        """What is kept of links that lead nowhere."""
        query = select(*(LINKS.c[name] for name in columns)).where(LINKS.c.inventory_source_id == self.source_id)
        async with self.engine.connect() as connection:
            return sorted((tuple(row) for row in await connection.execute(query)), key=repr)


def machine(ref: str, flavor: tuple[Any, ...] | None = None, parent: str | None = None, **values: Any) -> Make:
    """A machine, its links by their identity."""

    def make(cloud: Cloud) -> InventoryObject:
        if flavor is not None:
            values["flavor_id"] = cloud.flavors.lazy_find(*flavor)
        if parent is not None:
            values["parent_id"] = cloud.machines.lazy_find(parent)
        return cloud.machines.build(ref=ref, **values)

    return make


def flavor(family: str, name: str | None, **values: Any) -> Make:
    """A flavor."""
    return lambda cloud: cloud.flavors.build(family=family, name=name, **values)


def disk(ref: str, slot: str, **values: Any) -> Make:
    """A disk of the machine `ref`."""
    return lambda cloud: cloud.disks.build(machine_id=cloud.machines.lazy_find(ref), slot=slot, **values)


def total(counts: dict[str, Counts]) -> int:
    """Rows that a refresh wrote."""
    return sum(count.written for count in counts.values())

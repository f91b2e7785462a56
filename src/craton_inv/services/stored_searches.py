"""Stored searches of smart inventories, compiled once: what each looks at, and how its memberships can be kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from sqlalchemy import ColumnElement, false

from craton_inv.errors import CratonInvError
from craton_inv.filters import compile_where, parse
from craton_inv.filters.nodes import Node
from craton_inv.filters.reads import Reads, reads_of
from craton_inv.models import Host

# What a source delivers beside hosts, and hosts are linked to.
OBJECTS = ("hypervisors", "flavors", "images", "networks", "disks", "network_ports")
# The tables whose changes are noted (triggers of migrations 4 and 6), but for the columns that every write moves.
WATCHED = frozenset(
    {"hosts", "host_facts", "host_labels", "host_sources", "memberships", "groups", "group_edges", "inventories"}
    | {"inventory_labels", "inventory_sources", "labels", "regions", "tenants", "users"}
    | {*OBJECTS}
)
UNWATCHED = frozenset({"inventories.generation", "inventories.modified"})
# Relations that lead from a host to rows of its own, upwards only: whose change is told by the rows it reaches.
UPWARDS = frozenset(
    {("hosts", name) for name in ("inventory", "tenant", "region", "groups", "all_groups", "inventory_sources")}
    | {("hosts", "labels"), ("groups", "inventory"), ("groups", "parents"), ("regions", "tenant")}
    | {("hosts", name) for name in ("parent_host", "flavor", "image", "disks", "network_ports")}
    | {("network_ports", "network")}
    | {(table, name) for table in OBJECTS for name in ("inventory_source", "inventory", "tenant")}
    | {("inventories", name) for name in ("tenant", "labels", "inventory_sources")}
    | {
        (table, author)
        for table in ("hosts", "groups", "inventories", "regions", "tenants", "inventory_sources")
        for author in ("created_by", "modified_by")
    }
)
# Compiled searches that a process keeps: of six terms one takes 55 KB, of 200 terms 280.
SEARCHES = 1024
# Every search: a host that comes, goes, or takes another name may leave the place to a twin.
ALWAYS = frozenset({"hosts", "hosts.id", "hosts.name", "hosts.tenant_id"})


@dataclass(frozen=True)
class Search:
    """A valid search. `condition`: None where it is another at every moment."""

    node: Node
    reads: Reads
    condition: ColumnElement[bool] | None

    @cached_property
    def kept(self) -> bool:
        """Whether its memberships follow the changes: nothing unnoted, and no clock, decides about them."""
        return not (self.reads.relative or self.reads.tables() - WATCHED or self.reads.columns & UNWATCHED)

    @cached_property
    def upwards(self) -> bool:
        """Whether it can be asked about few hosts alone: it looks at nothing but what these hosts reach."""
        return self.reads.steps <= UPWARDS

    @cached_property
    def _columns(self) -> frozenset[str]:
        return self.reads.columns | ALWAYS

    def looks_at(self, what: Iterable[str]) -> bool:
        """Whether one of these changes (tables, or columns as table.column) can matter."""
        return not self._columns.isdisjoint(what)

    def now(self) -> ColumnElement[bool]:
        """Its condition at this moment."""
        return compile_where(self.node, Host) if self.condition is None else self.condition


@lru_cache(maxsize=SEARCHES)
def search_of(text: str) -> Search | None:
    """The search that a text is; None when it is none, or none any more."""
    try:
        node = parse(text)
        reads = reads_of(node, Host)
        return Search(node, reads, None if reads.relative else compile_where(node, Host))
    except CratonInvError:
        return None


def condition_of(text: str) -> ColumnElement[bool]:
    """The condition that a text means on hosts at this moment; none match when it is no valid search."""
    search = search_of(text)
    return false() if search is None else search.now()

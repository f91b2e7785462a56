"""Queueing refreshes: sources, hosts and single objects, split by source and merged into what already waits there.

The names and rules are ManageIQ's `queue_refresh`: a whole source swallows its single objects, too many objects are a
whole source, and a running update is never merged into.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.errors import MethodNotAllowed
from craton_inv.models import Host, HostSource, InventorySource, InventoryUpdate
from craton_inv.providers import registry
from craton_inv.providers.base import Provider
from craton_inv.providers.events import ObjectRef
from craton_inv.repositories.hosts import HostRepository
from craton_inv.repositories.inventory_sources import InventorySourceRepository
from craton_inv.repositories.scope import WRITE, Scope
from craton_inv.services.inventory_sources import MANUAL, why_not_updatable
from craton_inv.services.inventory_updates import launch
from craton_inv.services.pending_deletion import refuse_pending_source
from craton_inv.services.update_targets import read_target

HOSTS = "hosts"
NO_HOSTS = "its kind cannot be asked for a single host"


@dataclass(frozen=True)
class SourceTarget:
    """A whole source."""

    source_id: int


@dataclass(frozen=True)
class HostTarget:
    """A host of the database, at every source that delivers it and can be updated."""

    host_id: int


@dataclass(frozen=True)
class ObjectTarget:
    """One object of a source by reference; it need not be in the database yet."""

    source_id: int
    association: str
    manager_ref: Mapping[str, Any]


RefreshTarget = SourceTarget | HostTarget | ObjectTarget


async def queue_refresh(
    session: AsyncSession,
    scope: Scope,
    targets: Sequence[RefreshTarget],
    *,
    threshold: int,
    options: Mapping[str, Any] | None = None,
    launch_type: str = "manual",
) -> list[InventoryUpdate]:
    """Ask for what the targets name: one update a source, in the order of their ids, committed by the caller.

    `threshold`: more single objects of a source than so many are the whole source. Raises NotFound, Forbidden,
    InvalidField naming the index of a target, MethodNotAllowed for a host or source that cannot be refreshed.
    """
    asked: dict[int, list[ObjectRef] | None] = {}
    written: defaultdict[int, list[tuple[int, ObjectTarget]]] = defaultdict(list)
    hosts: dict[int, None] = {}
    for index, target in enumerate(targets):
        if isinstance(target, SourceTarget):
            asked[target.source_id] = None
        elif isinstance(target, HostTarget):
            hosts[target.host_id] = None
        else:
            written[target.source_id].append((index, target))
    for host_id in hosts:
        for source, ref in await refreshable(session, scope, host_id):
            _add(asked, source.id, [ref])
    for source_id, those in written.items():
        source = await InventorySourceRepository(session, scope).get(source_id)
        scope.require(source.tenant_id, WRITE, "inventory sources")
        refuse_pending_source(source)
        _add(asked, source_id, _read(source, those))
    return [
        await launch(
            session, scope, source_id, options, launch_type=launch_type, targets=asked[source_id], threshold=threshold
        )
        for source_id in sorted(asked)
    ]


def _add(asked: dict[int, list[ObjectRef] | None], source_id: int, refs: Iterable[ObjectRef]) -> None:
    """Add references of a source, unless all of it is asked for."""
    read = [*refs]
    known = asked.setdefault(source_id, [])
    if known is not None:
        known.extend(read)


def _read(source: InventorySource, those: Sequence[tuple[int, ObjectTarget]]) -> Iterable[ObjectRef]:
    """References as the provider of the source takes them."""
    if source.source == MANUAL:
        raise MethodNotAllowed("A manual source has nothing to be updated from.")
    provider = registry.get(source.source)
    for index, target in those:
        yield read_target(provider, target.association, target.manager_ref, f"targets.{index}")


async def sources_of_host(
    session: AsyncSession, scope: Scope, host: Host
) -> list[tuple[InventorySource, str, ObjectRef | None]]:
    """The sources that deliver a host, by name: why each cannot be updated ("" when it can), and what to ask it for.

    A provider may find its objects in several ways; it is asked in the first that the host has values for.
    """
    delivered = await session.scalars(select(HostSource).where(HostSource.host_id == host.id))
    refs = {row.inventory_source_id: row.ref for row in delivered}
    found = []
    rows = await InventorySourceRepository(session, scope).of_inventory(host.inventory_id)
    for source in rows:
        if source.id in refs:
            reason = await why_not_updatable(session, scope, source)
            values = {"name": refs[source.id], "instance_id": host.instance_id}
            found.append((source, reason, None if reason else _host_ref(registry.get(source.source), values)))
    return found


def _host_ref(provider: Provider, values: Mapping[str, str]) -> ObjectRef | None:
    for columns in provider.target_refs.get(HOSTS, ()):
        if all(values.get(column) for column in columns):
            return ObjectRef(HOSTS, {column: values[column] for column in columns})
    return None


async def refreshable(session: AsyncSession, scope: Scope, host_id: int) -> list[tuple[InventorySource, ObjectRef]]:
    """What to ask for to refresh a host. Raises NotFound, Forbidden, MethodNotAllowed when no source can do it."""
    host = await HostRepository(session, scope).get(host_id)
    scope.require(host.tenant_id, WRITE, "hosts")
    known = await sources_of_host(session, scope, host)
    found = [(source, ref) for source, _, ref in known if ref is not None]
    if not found:
        raise MethodNotAllowed(
            "No source delivers this host; there is nothing to refresh it from."
            if not known
            else "; ".join(f"{source.name}: {reason or NO_HOSTS}" for source, reason, _ in known)
        )
    return found

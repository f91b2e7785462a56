"""Events of providers: known ones cost nothing, floods are cut, the others become targets of one waiting update."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.errors import InvalidField, MethodNotAllowed
from craton_inv.logs import get_logger
from craton_inv.models import InventoryUpdate, SourceEvent
from craton_inv.providers import registry
from craton_inv.providers.base import Provider
from craton_inv.providers.events import Event, ObjectRef, digest
from craton_inv.repositories.inventory_sources import InventorySourceRepository
from craton_inv.repositories.scope import WRITE, Scope
from craton_inv.repositories.sets import any_bytes
from craton_inv.services.inventory_sources import why_not_updatable
from craton_inv.services.inventory_updates import launch
from craton_inv.services.pending_deletion import refuse_pending_source
from craton_inv.services.update_targets import distinct, read_target

log = get_logger(__name__)

FLOOD_WINDOW = timedelta(minutes=1)


@dataclass(frozen=True)
class Taken:
    """What became of a delivery of events, in numbers; `update` refreshes what the accepted ones concern."""

    accepted: int
    duplicates: int
    blocked: int
    targets: int
    update: InventoryUpdate | None


async def take_events(
    session: AsyncSession, scope: Scope, source_id: int, events: Sequence[Event], *, most: int, threshold: int
) -> Taken:
    """Take events of a source, all or none. `most`: like events that are taken within a minute.

    `threshold`: see `launch`. Raises NotFound, Forbidden, MethodNotAllowed when the source cannot be updated, Conflict,
    InvalidField naming the index of an event that does not fit, as "0.targets.1.manager_ref".
    """
    # The source's lock orders deliveries: two at once count each other.
    source = await InventorySourceRepository(session, scope).get(source_id, lock=True)
    scope.require(source.tenant_id, WRITE, "inventory sources")
    refuse_pending_source(source)
    reason = await why_not_updatable(session, scope, source)
    if reason:
        raise MethodNotAllowed(reason)
    provider = registry.get(source.source)
    read = [(_targets(provider, event, index), event) for index, event in enumerate(events)]
    first: dict[bytes, tuple[bytes, list[ObjectRef]]] = {}
    for refs, event in read:
        first.setdefault(event.identity(), (digest(provider.event_key(event)), refs))
    known = set(await session.scalars(select(SourceEvent.uid).where(_of(source_id), any_bytes(SourceEvent.uid, first))))
    counted = await _counted(session, source_id, {key for key, _ in first.values()})
    accepted: list[dict[str, Any]] = []
    refs_asked: list[ObjectRef] = []
    for uid, (key, refs) in first.items():
        if uid not in known and counted[key] < most:
            counted[key] += 1
            accepted.append({"inventory_source_id": source_id, "uid": uid, "key": key})
            refs_asked += refs
    if accepted:
        await session.execute(insert(SourceEvent), accepted)
    update = None
    if refs_asked:
        update = await launch(
            session, scope, source_id, launch_type="callback", targets=refs_asked, threshold=threshold
        )
    blocked = len(first) - len(known) - len(accepted)
    if blocked:
        source.events_blocked += blocked
        source.events_blocked_at = await session.scalar(select(func.now()))
        log.warning("events_blocked", source_id=source.id, blocked=blocked, most=most)
        await session.flush()
    return Taken(
        accepted=len(accepted),
        duplicates=len(events) - len(first) + len(known),
        blocked=blocked,
        targets=len(distinct(refs_asked)),
        update=update,
    )


def _targets(provider: Provider, event: Event, index: int) -> list[ObjectRef]:
    """What an event asks for, in columns that the provider declares."""
    for number, ref in enumerate(event.targets):
        read_target(provider, ref.association, ref.manager_ref, f"{index}.targets.{number}")
    try:
        asked = [*provider.targets_of_event(event)]
    except InvalidField as error:
        raise InvalidField(f"{index}.payload", error.message) from error
    return [read_target(provider, ref.association, ref.manager_ref, f"{index}.payload") for ref in asked]


async def _counted(session: AsyncSession, source_id: int, keys: set[bytes]) -> Counter[bytes]:
    """How many like events came within the last minute, by key."""
    rows = await session.execute(
        select(SourceEvent.key, func.count().label("events"))
        .where(_of(source_id), any_bytes(SourceEvent.key, keys), SourceEvent.seen > func.now() - FLOOD_WINDOW)
        .group_by(SourceEvent.key)
    )
    return Counter({row.key: row.events for row in rows})


def _of(source_id: int) -> Any:
    return SourceEvent.inventory_source_id == source_id


async def forget_events(session: AsyncSession, hours: float, most: int) -> int:
    """Delete events that were seen over so many hours ago, of the oldest `most`: nobody sends them again.

    Returns how many went.
    """
    old = select(SourceEvent.inventory_source_id, SourceEvent.uid).where(
        SourceEvent.seen < func.now() - timedelta(hours=hours)
    )
    old = old.order_by(SourceEvent.seen).limit(most).with_for_update(skip_locked=True)
    these = old.subquery()
    done = await session.execute(
        delete(SourceEvent)
        .where(SourceEvent.inventory_source_id == these.c.inventory_source_id, SourceEvent.uid == these.c.uid)
        .execution_options(synchronize_session=False)
    )
    return int(getattr(done, "rowcount", 0))

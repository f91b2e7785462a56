"""What is kept for a time only: change sets, deliveries of dry runs, the activity stream, events that were seen."""

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.repositories.activity import forget_activity
from craton_inv.repositories.change_sets import forget_changes
from craton_inv.repositories.deliveries import forget_expired
from craton_inv.services.source_events import forget_events
from craton_inv.settings import Settings

CHUNK = 1000
EVENTS = 10_000  # small rows
FEW = 5  # deliveries, each with its pieces


async def forget(session: AsyncSession, settings: Settings) -> bool:
    """Delete a chunk of what is too old, in the caller's transaction. Returns whether there may be more."""
    gone = await forget_changes(session, settings.change_set_days, CHUNK)
    entries = await forget_activity(session, settings.activity_stream_days, CHUNK)
    events = await forget_events(session, settings.event_memory_hours, EVENTS)
    return gone == CHUNK or entries == CHUNK or events == EVENTS or await forget_expired(session, FEW) == FEW

"""What is told of a refresh once its rows are saved: figures for clients, sentences for people."""

from collections.abc import Mapping
from typing import Any

from craton_inv.refresh.counts import Counts
from craton_inv.refresh.refresher import Refresher
from craton_inv.refresh.staging import Masked
from craton_inv.services.update_events import EventWriter


def result_of(refresher: Refresher, counts: Mapping[str, Counts], events: EventWriter) -> dict[str, Any]:
    """The result of an update: its counts, and what is missing. Of objects that gave way its output tells as well."""
    result: dict[str, Any] = {
        "complete": not refresher.incomplete,
        "collections": {name: count.as_dict() for name, count in counts.items()},
        "masked": {},
    }
    for name, masked in refresher.persister.masked.items():
        collection = refresher.persister.collections[name]
        columns = (collection.manager_ref[0], collection.reconnect_by)
        shown = [dict(zip(columns, each, strict=True)) for each in masked.shown]
        result["masked"][name] = {"total": masked.total, "shown": shown}
        events.say(masked_text(name, masked))
    if refresher.incomplete:
        result |= {"result": "partial", "incomplete": dict(refresher.incomplete)}
    return result


def masked_text(name: str, masked: Masked) -> str:
    """What people read of objects that gave way to others of their name."""
    shown = ", ".join(f"{ref} ({key})" for ref, key in masked.shown)
    more = masked.total - len(masked.shown)
    aside = f" and {more} others" if more > 1 else " and another one" if more else ""
    if masked.total == 1:
        missing = "is missing, for another one of the same name was delivered after it"
    else:
        missing = "are missing, for others of the same names were delivered after them"
    return f"{masked.total} of the {name.replace('_', ' ')} {missing}: {shown}{aside}."


def partial_text(incomplete: Mapping[str, str]) -> str:
    """What people read of a refresh that could not read everything."""
    parts = "; ".join(f"{name.replace('_', ' ')} ({reason})" for name, reason in sorted(incomplete.items()))
    return f"Read only partly: {parts}. What was read is saved, nothing of it was deleted."

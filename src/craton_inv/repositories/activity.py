"""The activity stream: written along with each flush of a session that records, read within the caller's tenants.

What the unit of work writes is seen by one hook, `begin_recording`: whoever adds, changes or deletes a row through a
repository of either dialect is in the stream, at one statement a flush. What goes by statements of its own (links, and
what is deleted by sets) says so with `record`.
"""

import re
import socket
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Insert, Table, and_, delete, event, func, insert, inspect, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from craton_inv.ansible.variables_text import parse_variables
from craton_inv.errors import InvalidField
from craton_inv.models import ActivityStream, Grant, Tenant, User
from craton_inv.repositories.base import ACTOR, RECORDING, Repository

_TABLE: Table = ActivityStream.__table__  # type: ignore[assignment]
# Tables in the stream, with AWX's names of what they hold.
TYPES = {
    "inventories": "inventory",
    "hosts": "host",
    "groups": "group",
    "inventory_sources": "inventory_source",
    "labels": "label",
    "credentials": "credential",
    "credential_types": "credential_type",
    "projects": "project",
    "schedules": "schedule",
    "tenants": "organization",
    "regions": "region",
    "users": "user",
    "grants": "role",
    "tokens": "token",
}
# What a row is called where it has no name.
NAMES = {"users": "username", "grants": "role", "tokens": "description"}
# What a person says of the rest is all there is to tell; of a credential nothing else is.
TOLD = {"credentials": frozenset({"name", "description"})}
# Of these columns only that they changed, under a name that people know.
UNTOLD = {
    "credentials": {"inputs": "inputs", "secret_fields": "inputs", "secret_version": "inputs"},
    "users": {"password_hash": "password"},
}
# What moves by itself, or says the same twice.
SILENT = frozenset(
    {"id", "created", "modified", "generation", "created_by_id", "modified_by_id", "variables_text", "manual"}
    | {"status", "last_updated", "last_error", "last_update_id", "current_update_id", "inventory_vars"}
    | {"events_blocked", "events_blocked_at", "scm_revision", "last_used", "next_run", "dtstart", "dtend"}
    | {"ansible_facts_modified", "collected_at", "last_seen_at"}
)
DOCUMENTS = frozenset({"source_vars"})  # texts that hold variables
SECRET = re.compile(
    r"pass|secret|token|(private|api|access|auth)[-_ ]?key|credential|vault|authorization|cookie", re.IGNORECASE
)
HIDDEN = "$encrypted$"
LONGEST = 4096  # characters of a value, as JSON or text, that is told
NODE = socket.gethostname()


def begin_recording(session: AsyncSession) -> None:
    """Have what this session writes told in the stream, on behalf of whose repositories it serves."""
    session.info[RECORDING] = True
    event.listen(session.sync_session, "after_flush", _tell_flush)


def _tell_flush(session: Session, context: Any) -> None:
    """One statement for all rows of the flush. Histories of attributes are still there, ids are so already."""
    entries = [
        entry
        for operation, rows in (("create", session.new), ("update", session.dirty), ("delete", session.deleted))
        for row in rows
        if (entry := _entry(operation, row)) is not None
    ]
    if entries:
        session.connection().execute(_insert(session.info.get(ACTOR), entries))


def _insert(actor_id: int | None, entries: list[dict[str, Any]]) -> Insert:
    # He may be gone by now, deleted by himself.
    actor = select(User.id).where(User.id == actor_id).scalar_subquery()
    common = {"actor_id": actor, "actor_name": _username(actor_id), "action_node": NODE}
    common |= {"object2": "", "object2_id": None, "object2_name": ""}  # the rows of one statement have the same columns
    return insert(_TABLE).values([{**common, **entry} for entry in entries])


def _entry(operation: str, row: Any) -> dict[str, Any] | None:
    if getattr(row, "__tablename__", "") not in TYPES:
        return None
    if operation == "update":
        changes = _differing(row)
        if not changes:
            return None
        if changes.get("pending_deletion") == [False, True]:  # the worker does the rest, and nobody asks it to
            operation, changes = "delete", {}
    else:
        changes = {} if operation == "delete" else _values(row)
    entry = {"operation": operation, "changes": changes, **_named(row, "object1"), **_owner(operation, row)}
    if isinstance(row, Grant):
        entry |= {"object2": "user", "object2_id": row.user_id, "object2_name": _username(row.user_id)}
    return entry


def _username(user_id: int | None) -> Any:
    return func.coalesce(select(User.username).where(User.id == user_id).scalar_subquery(), "")


def _owner(operation: str, row: Any) -> dict[str, Any]:
    if isinstance(row, Tenant):
        # The entries of a tenant go with it: who deleted it is told to system administrators.
        return {"tenant_id": None if operation == "delete" else row.id, "inventory_id": None}
    inventory_id = row.id if row.__tablename__ == "inventories" else getattr(row, "inventory_id", None)
    return {"tenant_id": getattr(row, "tenant_id", None), "inventory_id": inventory_id}


def _named(row: Any, place: str) -> dict[str, Any]:
    table = row.__tablename__
    return {place: TYPES[table], f"{place}_id": row.id, f"{place}_name": getattr(row, NAMES.get(table, "name"))}


def _told_columns(row: Any) -> list[str]:
    only = TOLD.get(row.__tablename__)
    mapper = inspect(type(row))
    return [
        attr.key
        for attr in mapper.column_attrs
        if attr.key not in SILENT
        and (only is None or attr.key in only)
        and not {**attr.columns[0].info, **attr.info}.get("private")
    ]


def _values(row: Any) -> dict[str, Any]:
    """Columns of a new row, but for those that are empty."""
    unloaded = inspect(row).unloaded
    found = {name: getattr(row, name) for name in _told_columns(row) if name not in unloaded}
    return {name: shown(name, value) for name, value in found.items() if value not in (None, "", {}, [])}


def _differing(row: Any) -> dict[str, Any]:
    """Columns that changed: old and new."""
    state = inspect(row)
    found = {}
    for name in _told_columns(row):
        history = state.attrs[name].history
        if not history.has_changes():
            continue
        old = history.deleted[0] if history.deleted else None
        new = history.added[0] if history.added else None
        if repr(old) != repr(new):
            found[name] = [shown(name, old), shown(name, new)]
    for name, told in UNTOLD.get(row.__tablename__, {}).items():
        history = state.attrs[name].history
        # The first version of a secret is part of the creation, or of a change of the fields that are there.
        if history.has_changes() and not (name == "secret_version" and history.deleted == [0]):
            found[told] = [HIDDEN, HIDDEN]
    return found


def shown(name: str, value: Any) -> Any:
    """A value as the stream tells it: no secrets, nothing long, JSON alone."""
    if SECRET.search(name) and isinstance(value, str):
        return HIDDEN
    if name in DOCUMENTS and value:
        try:
            value = parse_variables(value, name)
        except InvalidField:
            return HIDDEN
    value = _masked(value)
    if isinstance(value, bool | int | float | None):
        return value
    size = len(value if isinstance(value, str) else repr(value))
    return f"({size} characters)" if size > LONGEST else value


def _masked(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: HIDDEN if SECRET.search(str(key)) else _masked(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner) for inner in value]
    return value if isinstance(value, str | bool | int | float | None) else str(value)


async def record(
    session: AsyncSession,
    operation: str,
    row: Any,
    other: Any = None,
    changes: Mapping[str, Any] | None = None,
) -> None:
    """Tell what a statement of its own did to `row`, and `other` for links. Nothing where nobody records."""
    if not session.info.get(RECORDING):
        return
    entry = {"operation": operation, "changes": dict(changes or {}), **_named(row, "object1"), **_owner(operation, row)}
    if other is not None:
        entry |= _named(other, "object2")
    await session.execute(_insert(session.info.get(ACTOR), [entry]))


async def record_run(session: AsyncSession, update: Any, inventory_name: str, changes: Mapping[str, Any]) -> None:
    """Tell of a run of a source, once; its rows are in its change set."""
    entry = {
        "operation": "update",
        "object1": "inventory",
        "object1_id": update.inventory_id,
        "object1_name": inventory_name,
        "object2": "inventory_update",
        "object2_id": update.id,
        "object2_name": update.name,
        "tenant_id": update.tenant_id,
        "inventory_id": update.inventory_id,
        "changes": dict(changes),
    }
    await session.execute(_insert(update.created_by_id, [entry]))


async def forget_activity(session: AsyncSession, days: float, most: int) -> int:
    """Delete entries older than `days`, of the oldest `most`. Returns how many went."""
    oldest = select(ActivityStream.id, ActivityStream.timestamp).order_by(ActivityStream.id).limit(most).subquery()
    old = select(oldest.c.id).where(oldest.c.timestamp < func.now() - timedelta(days=days))
    done = await session.execute(
        delete(ActivityStream).where(ActivityStream.id.in_(old)).execution_options(synchronize_session=False)
    )
    return int(getattr(done, "rowcount", 0))


class ActivityStreamRepository(Repository[ActivityStream]):
    """Entries of the caller's tenants."""

    model = ActivityStream
    label = "Activity stream"


def of_inventory(inventory_id: int) -> ColumnElement[bool]:
    """Entries of an inventory, its hosts, groups and sources."""
    return ActivityStream.inventory_id == inventory_id


def of_object(kind: str, row_id: int) -> ColumnElement[bool]:
    """Entries that speak of one object, on either side."""
    return or_(
        and_(ActivityStream.object1 == kind, ActivityStream.object1_id == row_id),
        and_(ActivityStream.object2 == kind, ActivityStream.object2_id == row_id),
    )

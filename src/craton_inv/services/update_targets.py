"""Targets of updates: read from what a caller wrote, kept one row an object, and loaded when the update starts."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ARRAY, LargeBinary, Text, bindparam, cast, delete, func, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.ansible.json_guard import text_fault
from craton_inv.errors import InvalidField
from craton_inv.models import InventoryUpdateTarget
from craton_inv.providers.base import Provider
from craton_inv.providers.events import ObjectRef
from craton_inv.refresh.target import Target, Targets
from craton_inv.repositories.sets import integer

LONGEST_VALUE = 1024
Table = InventoryUpdateTarget


def read_target(provider: Provider, association: Any, manager_ref: Any, place: str) -> ObjectRef:
    """A target as a caller wrote it, in the columns that the provider declares.

    Raises InvalidField naming `place` (such as "targets.0") and the part of it that does not fit.
    """
    if not isinstance(association, str) or association not in provider.target_refs:
        known = ", ".join(sorted(provider.target_refs)) or "none"
        raise InvalidField(
            f"{place}.association",
            f"A source of kind {provider.kind} takes no targets in {_shown(association)}; it takes: {known}.",
        )
    if not isinstance(manager_ref, Mapping):
        raise InvalidField(f"{place}.manager_ref", "Must be an object of columns and their values.")
    if not any(manager_ref.keys() == set(columns) for columns in provider.target_refs[association]):
        ways = " or ".join(", ".join(columns) for columns in provider.target_refs[association])
        asked = ", ".join(sorted(map(str, manager_ref)))[:200] or "nothing"
        raise InvalidField(f"{place}.manager_ref", f"Objects of {association} are found by {ways}; not by {asked}.")
    for column, value in manager_ref.items():
        _check_value(f"{place}.manager_ref.{column}", value)
    return ObjectRef(association, dict(manager_ref))


def _check_value(place: str, value: Any) -> None:
    if not isinstance(value, str):
        raise InvalidField(place, f"Must be a text, not {_shown(value)}.")
    if not 0 < len(value) <= LONGEST_VALUE:
        raise InvalidField(place, f"Must have 1 to {LONGEST_VALUE} characters; it has {len(value)}.")
    if fault := text_fault(value):
        raise InvalidField(place, f"The text {fault}.")


def _shown(value: Any) -> str:
    return repr(value)[:100]


def distinct(refs: Iterable[ObjectRef]) -> dict[tuple[str, bytes], ObjectRef]:
    """Each object once, by association and digest."""
    once = {(ref.association, frozenset(ref.manager_ref.items())): ref for ref in refs}
    return {(ref.association, ref.digest): ref for ref in once.values()}


async def add_targets(session: AsyncSession, update_id: int, refs: Mapping[tuple[str, bytes], ObjectRef]) -> int:
    """Add what the update does not have yet, in one statement. Returns how many targets it has now."""
    keys = sorted(refs)
    columns = func.unnest(
        cast(bindparam("associations", [name for name, _ in keys]), ARRAY(Text)),
        cast(bindparam("refs", [dict(refs[key].manager_ref) for key in keys], ARRAY(JSONB)), ARRAY(JSONB)),
        cast(bindparam("digests", [digest for _, digest in keys]), ARRAY(LargeBinary)),
    )
    asked = columns.table_valued("association", "manager_ref", "digest").render_derived()
    statement = insert(Table).from_select(
        ["inventory_update_id", "association", "manager_ref", "digest"],
        select(integer(update_id), asked.c.association, asked.c.manager_ref, asked.c.digest),
    )
    await session.execute(statement.on_conflict_do_nothing(constraint="uq_inventory_update_targets_object"))
    return await session.scalar(select(func.count()).where(Table.inventory_update_id == update_id)) or 0


async def drop_targets(session: AsyncSession, update_id: int) -> None:
    """The update became one of the whole source: what it was asked for beside is part of that."""
    await session.execute(delete(Table).where(Table.inventory_update_id == update_id))


async def load_targets(session: AsyncSession, update_id: int, source_id: int) -> Targets:
    """What a targeted update is to refresh, as the engine takes it."""
    rows = await session.execute(
        select(Table.association, Table.manager_ref).where(Table.inventory_update_id == update_id)
    )
    return Targets(source_id, frozenset(Target.of(source_id, association, ref) for association, ref in rows))

"""Inventory sources: made and changed so that what is stored could be refreshed; their content and uploads."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.ansible.json_guard import text_fault
from craton_inv.ansible.variables_text import parse_variables
from craton_inv.errors import BadRequest, InvalidField
from craton_inv.models import Group, Host, Inventory, InventorySource, Job
from craton_inv.providers import registry
from craton_inv.providers.base import SourceDefinition, Upload
from craton_inv.queue.jobs import ALIVE, enqueue
from craton_inv.repositories.activity import record
from craton_inv.repositories.deletion_pieces import OF_SOURCE
from craton_inv.repositories.deletions import is_much
from craton_inv.repositories.inventory_sources import InventorySourceRepository, count_made, delete_made_chunk
from craton_inv.repositories.patterns import first_fault
from craton_inv.repositories.projects import ProjectRepository
from craton_inv.repositories.scope import Scope
from craton_inv.schemas.names import name_fault
from craton_inv.services import busy
from craton_inv.services.constructed_sources import refuse_by_hand, refuse_deletion
from craton_inv.services.inventories import CONSTRUCTED, require_own_content
from craton_inv.services.name_rules import require_name
from craton_inv.services.pending_deletion import SOURCE, refuse_pending_source
from craton_inv.services.source_credentials import choose, require_fit
from craton_inv.settings import Settings

MANUAL = ""
UPLOADED_KINDS = frozenset({"file"})
MAX_PATTERN = 128
AT_ONCE = 1000  # rows that a request deletes itself; more of them are the worker's
CREDENTIAL, PROJECT = "credential", "source_project"
SCM = "scm"
NO_PROJECT = "The source has no project."
# What only a source of kind scm may have; `file` has a path as well.
OF_SCM = ("source_project_id", "source_path", "scm_branch")
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}\Z")


async def create_source(
    session: AsyncSession, scope: Scope, settings: Settings, inventory: Inventory, values: Mapping[str, Any]
) -> InventorySource:
    """Make a source of `inventory`. `values`: columns. Raises InvalidField, BadRequest, Duplicate, Forbidden."""
    require_own_content(inventory, "Inventory Source")
    row = InventorySource(
        inventory_id=inventory.id, tenant_id=inventory.tenant_id, source=MANUAL, source_path="", source_vars="",
        scm_branch="", enabled_var="", enabled_value="", host_filter="", limit="", verbosity=1,
    )  # fmt: skip
    refuse_by_hand(row, values)
    _assign(row, values)
    repository = InventorySourceRepository(session, scope)
    repository.authorize(row)
    await _choose_project(session, scope, row, values)
    await _check(session, settings, row, values)
    await _check_credential(session, scope, row, values)
    return await repository.add(row)


async def change_source(
    session: AsyncSession, scope: Scope, settings: Settings, row: InventorySource, values: Mapping[str, Any]
) -> InventorySource:
    """Write `values` to a source got with `lock=True`; its inventory cannot change.

    Raises as `create_source`, and Conflict for one that is being deleted.
    """
    repository = InventorySourceRepository(session, scope)
    repository.authorize(row)
    refuse_pending_source(row)
    refuse_by_hand(row, values)
    _assign(row, values)
    await _choose_project(session, scope, row, values)
    await _check(session, settings, row, values)
    await _check_credential(session, scope, row, values)
    return await repository.save(row)


async def delete_source(session: AsyncSession, scope: Scope, row: InventorySource) -> bool:
    """Delete a source got with `lock=True`, with its runs; its hosts and groups stay. Asked again, the same answer.

    Returns whether it is gone: one that has much is marked, and the worker deletes it. Raises Busy while a run of it
    waits or works or what it made is being deleted, BadRequest.
    """
    repository = InventorySourceRepository(session, scope)
    repository.authorize(row)
    refuse_deletion(row)
    await busy.refuse_while_updating(session, scope, row.inventory_id, row.id)
    if not row.pending_deletion:
        await _refuse_while_emptied(session, row)
    if not row.pending_deletion and not await is_much(session, OF_SOURCE, row.id, AT_ONCE):
        await repository.delete(row)
        return True
    row.pending_deletion = True
    await repository.save(row)
    args, key = {"source_id": row.id}, f"delete_source:{row.id}"
    await enqueue(session, "delete_source", args, tenant_id=row.tenant_id, unique_key=key)
    return False


async def delete_hosts(session: AsyncSession, scope: Scope, row: InventorySource) -> bool:
    """Delete the hosts that a source made; False when they are many and the worker does it. Raises Busy as below."""
    return await _delete_made(session, scope, row, Host, "hosts")


async def delete_groups(session: AsyncSession, scope: Scope, row: InventorySource) -> bool:
    """Delete the groups that a source made; False when they are many and the worker does it.

    Raises Busy while the inventory is being updated.
    """
    return await _delete_made(session, scope, row, Group, "groups")


async def _delete_made(
    session: AsyncSession, scope: Scope, row: InventorySource, model: type[Host] | type[Group], what: str
) -> bool:
    await busy.refuse_while_updating(session, scope, row.inventory_id)
    InventorySourceRepository(session, scope).authorize(row)
    refuse_pending_source(row)
    count, highest = await count_made(session, model, row.id)
    await record(session, "update", row, changes={"deleted": what})
    if count <= AT_ONCE:
        await delete_made_chunk(session, model, row.id, highest, AT_ONCE)
        return True
    args = {"source_id": row.id, "inventory_id": row.inventory_id, "up_to": highest}
    task = f"delete_source_{what}"
    await enqueue(session, task, args, tenant_id=row.tenant_id, unique_key=f"{task}:{row.id}")
    return False


async def _refuse_while_emptied(session: AsyncSession, row: InventorySource) -> None:
    """Raise Busy while the worker deletes what a source made: without the source nobody could tell what that was."""
    keys = [f"delete_source_{what}:{row.id}" for what in ("hosts", "groups")]
    query = select(Job.id).where(Job.unique_key.in_(keys), Job.status.in_(ALIVE))
    if await session.scalar(query.limit(1)) is not None:
        raise busy.Busy([])


async def why_not_updatable(session: AsyncSession, scope: Scope, row: InventorySource) -> str:
    """Why no update of a source can be started; "" when one can."""
    if row.pending_deletion:
        return SOURCE
    if row.source == MANUAL:
        return "A manual source has nothing to be updated from."
    if row.source == SCM and row.source_project_id is None:
        return NO_PROJECT
    uploaded = row.id in await InventorySourceRepository(session, scope).uploads([row.id])
    return registry.get(row.source).why_not_updatable(row.source_path, uploaded)


async def updatable_sources(
    session: AsyncSession, scope: Scope, inventory: Inventory
) -> list[tuple[InventorySource, str]]:
    """The sources of an inventory that are not manual, by name, each with why it cannot be updated ("" when it can).

    Those that are being deleted are left out.
    """
    repository = InventorySourceRepository(session, scope)
    rows = [row for row in await repository.of_inventory(inventory.id) if not row.pending_deletion]
    uploads = await repository.uploads(row.id for row in rows)
    return [
        (
            row,
            NO_PROJECT
            if row.source == SCM and row.source_project_id is None
            else registry.get(row.source).why_not_updatable(row.source_path, row.id in uploads),
        )
        for row in rows
        if row.source != MANUAL
    ]


async def save_upload(session: AsyncSession, scope: Scope, row: InventorySource, upload: Upload) -> None:
    """Keep an uploaded inventory for the next updates. Raises InvalidField for its name, BadRequest for the kind,

    Conflict for a source that is being deleted.
    """
    refuse_pending_source(row)
    if row.source not in UPLOADED_KINDS:
        raise BadRequest(f'Only sources of kind "file" take an upload; this one is "{row.source or "manual"}".')
    if not _FILE_NAME.match(upload.filename):
        raise InvalidField(
            "filename", "A file name has 1 to 200 letters, digits, dots, dashes or underscores, the first no dot."
        )
    if not upload.content:
        raise InvalidField("file", "The submitted file is empty.")
    await InventorySourceRepository(session, scope).save_upload(row, upload.filename, upload.content)
    size = len(upload.content)
    await record(session, "update", row, changes={"upload": {"filename": upload.filename, "size": size}})


async def delete_upload(session: AsyncSession, scope: Scope, row: InventorySource) -> None:
    """Forget the uploaded inventory. Raises Conflict for a source that is being deleted."""
    refuse_pending_source(row)
    filename = await InventorySourceRepository(session, scope).delete_upload(row)
    if filename is not None:
        await record(session, "update", row, changes={"upload": {"filename": filename, "deleted": True}})


def _assign(row: InventorySource, values: Mapping[str, Any]) -> None:
    for column, value in values.items():
        if column == "name" and value != row.name:
            require_name(value, name_fault)
        if column in (CREDENTIAL, PROJECT):
            continue
        if column == "source":
            value = MANUAL if value == "manual" else value
        setattr(row, column, value)


async def _check(session: AsyncSession, settings: Settings, row: InventorySource, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(value, str) and (fault := text_fault(value)):
            raise InvalidField(name, f"The text {fault}.")
    if row.verbosity not in (0, 1, 2):
        raise InvalidField("verbosity", f'"{row.verbosity}" is not a valid choice. Choices: 0, 1, 2.')
    if values.get("update_cache_timeout", 0) < 0:
        raise InvalidField("update_cache_timeout", "Ensure this value is greater than or equal to 0.")
    if values.get("host_filter"):
        await _check_pattern(session, row.host_filter)
    parse_variables(row.source_vars, "source_vars")
    if row.source == MANUAL:
        _refuse_scm(row, OF_SCM)
        return
    if row.source not in registry.kinds():
        choices = ", ".join(["manual", *(kind for kind in registry.kinds() if kind != CONSTRUCTED)])
        raise InvalidField("source", f'"{row.source}" is not a valid choice. Choices: {choices}.')
    if row.source != SCM:
        _refuse_scm(row, tuple(name for name in OF_SCM if name != "source_path"))
    if not {"source", "source_path", "source_vars", "limit", "scm_branch", PROJECT}.isdisjoint(values):
        registry.get(row.source).check(_definition(row), settings)


def _refuse_scm(row: InventorySource, names: Sequence[str]) -> None:
    for name in names:
        if getattr(row, name):
            raise InvalidField("detail", f"Cannot set {name.removesuffix('_id')} if not SCM type.")


async def _choose_project(session: AsyncSession, scope: Scope, row: InventorySource, values: Mapping[str, Any]) -> None:
    """Set the project of a source by its id; a branch of its own needs the project's leave."""
    repository = ProjectRepository(session, scope)
    if PROJECT in values:
        row.source_project_id = None
        if values[PROJECT] is not None:
            found = await repository.find(values[PROJECT])
            if found is None:
                text = f'Invalid pk "{values[PROJECT]}" - object does not exist.'
                raise InvalidField(PROJECT, text, code="unknown_reference")
            if found.tenant_id != row.tenant_id:
                raise InvalidField(PROJECT, "The project belongs to another organization.")
            row.source_project_id = found.id
    if row.scm_branch and row.source_project_id is not None and not {PROJECT, "scm_branch"}.isdisjoint(values):
        project = await repository.find(row.source_project_id)
        if project is not None and not project.allow_override:
            raise InvalidField("scm_branch", "Project does not allow overriding branch.")


async def _check_credential(
    session: AsyncSession, scope: Scope, row: InventorySource, values: Mapping[str, Any]
) -> None:
    if CREDENTIAL in values:
        await choose(session, scope, row, values[CREDENTIAL])
    if not {CREDENTIAL, "source"}.isdisjoint(values):
        await require_fit(session, row)


async def _check_pattern(session: AsyncSession, pattern: str) -> None:
    if len(pattern) > MAX_PATTERN:
        raise InvalidField("host_filter", f"Ensure this field has no more than {MAX_PATTERN} characters.")
    fault = await first_fault(session, [pattern])
    if fault is not None:
        raise InvalidField("host_filter", f"Not a regular expression: {fault[1]}.")


def _definition(row: InventorySource) -> SourceDefinition:
    return SourceDefinition(
        id=row.id or 0,
        inventory_id=row.inventory_id,
        tenant_id=row.tenant_id,
        kind=row.source,
        source_path=row.source_path,
        source_vars=row.source_vars,
        enabled_var=row.enabled_var,
        enabled_value=row.enabled_value,
        host_filter=row.host_filter,
        limit=row.limit,
        verbosity=row.verbosity,
        trusted_connection_vars=row.trusted_connection_vars,
        source_project_id=row.source_project_id,
        scm_branch=row.scm_branch,
    )

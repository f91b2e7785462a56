"""Projects: made and changed so that what is stored could be updated; their inventories. AWX's rules and sentences."""

import asyncio
from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.ansible.json_guard import text_fault
from craton_inv.errors import BadRequest, Conflict, InvalidField
from craton_inv.models import Project, Tenant
from craton_inv.providers.scm.checkout import files_below, manual_folder
from craton_inv.providers.scm.listing import inventory_files
from craton_inv.providers.scm.references import check_reference, read_refspec
from craton_inv.providers.scm.tree import MAX_FILES
from craton_inv.providers.scm.urls import check_git_url
from craton_inv.repositories.credential_types import CredentialTypeRepository
from craton_inv.repositories.credentials import CredentialRepository
from craton_inv.repositories.project_trees import tree_files
from craton_inv.repositories.projects import (
    ProjectRepository,
    ProjectUpdateRepository,
    sources_with_project,
)
from craton_inv.repositories.scope import SYSTEM, Scope
from craton_inv.schemas.names import name_fault
from craton_inv.services.name_rules import require_name
from craton_inv.services.pending_deletion import refuse_pending_tenant
from craton_inv.settings import Settings

MANUAL, GIT = "", "git"
CREDENTIAL, TRACK_SUBMODULES = "credential", "scm_track_submodules"
MANUAL_ONLY, GIT_ONLY = ("local_path",), ("scm_url", "scm_branch", "scm_refspec", "credential_id")
UPDATE_OPTIONS = ("scm_update_on_launch", "scm_delete_on_update", "scm_clean")
# What an update fetches: once one of them changes, the revision of before says nothing any more.
FETCHED = ("scm_type", "scm_url", "scm_branch", "scm_refspec")


async def create_project(
    session: AsyncSession, scope: Scope, settings: Settings, tenant: Tenant, values: Mapping[str, Any]
) -> Project:
    """Make a project. `values`: columns, and `credential`. Raises InvalidField, Duplicate, Forbidden, Conflict."""
    row = Project(
        tenant_id=tenant.id, scm_type=MANUAL, scm_url="", scm_branch="", scm_refspec="", local_path="", scm_revision="",
        scm_clean=False, scm_delete_on_update=False, scm_update_on_launch=False, scm_update_cache_timeout=0,
        allow_override=False, timeout=0,
    )  # fmt: skip
    repository = ProjectRepository(session, scope)
    repository.authorize(row)
    refuse_pending_tenant(tenant)
    await _write(session, scope, settings, row, values)
    return await repository.add(row)


async def change_project(
    session: AsyncSession, scope: Scope, settings: Settings, row: Project, values: Mapping[str, Any]
) -> bool:
    """Write `values` to a project got with `lock=True`; its organization cannot change. Raises as `create_project`.

    Returns whether something else has to be fetched now.
    """
    repository = ProjectRepository(session, scope)
    repository.authorize(row)
    before = [getattr(row, name) for name in FETCHED]
    await _write(session, scope, settings, row, values)
    changed = before != [getattr(row, name) for name in FETCHED]
    if changed:
        row.scm_revision = ""
    await repository.save(row)
    return changed and row.scm_type == GIT


async def delete_project(session: AsyncSession, scope: Scope, row: Project) -> None:
    """Delete a project with its runs; sources that read from it stay. Raises Conflict while it is being updated."""
    repository = ProjectRepository(session, scope)
    repository.authorize(row)
    if await ProjectUpdateRepository(session, scope).active_of(row.id):
        raise Conflict("Resource is being used by running jobs.", code="busy")
    await repository.delete(row)


async def inventories_of(session: AsyncSession, settings: Settings, row: Project) -> list[str]:
    """Paths in a project that look like inventories, sorted."""
    if row.scm_type == MANUAL:
        folder = manual_folder(row.local_path, settings.projects_root)
        return inventory_files(await asyncio.to_thread(files_below, folder, MAX_FILES))
    return inventory_files(await tree_files(session, row.id, row.scm_branch))


async def refuse_to_move(session: AsyncSession, inventory_id: int) -> None:
    """Raise BadRequest when sources of an inventory read from projects, which stay with their organization."""
    if await sources_with_project(session, inventory_id):
        raise BadRequest(
            "Sources of the inventory read from projects of its organization; take the projects off them first.",
            code="inventory.projects",
        )


async def _write(
    session: AsyncSession, scope: Scope, settings: Settings, row: Project, values: Mapping[str, Any]
) -> None:
    for column, value in values.items():
        if isinstance(value, str) and (fault := text_fault(value)):
            raise InvalidField(column, f"The text {fault}.")
        if column == "name" and value != row.name:
            require_name(value, name_fault)
        if column == "scm_type" and value in ("manual", None):
            value = MANUAL
        if column == TRACK_SUBMODULES:
            if value:
                raise InvalidField(column, "Submodules are not fetched, so they cannot be tracked.")
        elif column != CREDENTIAL:
            setattr(row, column, value)
    if CREDENTIAL in values:
        row.credential_id = await _credential(session, scope, row, values[CREDENTIAL])
    _check(settings, row)


def _check(settings: Settings, row: Project) -> None:
    if row.scm_type not in (MANUAL, GIT):
        raise InvalidField("scm_type", f'"{row.scm_type[:80]}" is not a valid choice. Choices: "", git.')
    for name in ("scm_update_cache_timeout", "timeout"):
        if getattr(row, name) < 0:
            raise InvalidField(name, "Ensure this value is greater than or equal to 0.")
    for name in GIT_ONLY if row.scm_type == MANUAL else MANUAL_ONLY:
        if getattr(row, name):
            kind = "a git project" if row.scm_type == MANUAL else "a manual project"
            raise InvalidField(name.removesuffix("_id"), f"This can only be set on {kind}.")
    if row.scm_type == MANUAL:
        for name in UPDATE_OPTIONS:
            if getattr(row, name):
                raise InvalidField(name, "Update options must be set to false for manual projects.")
        manual_folder(row.local_path, settings.projects_root)
        return
    if not row.scm_url:
        raise InvalidField("scm_url", "SCM URL is required.")
    check_git_url(row.scm_url, settings)
    check_reference(row.scm_branch)
    read_refspec(row.scm_refspec)


async def _credential(session: AsyncSession, scope: Scope, row: Project, credential_id: int | None) -> int | None:
    if credential_id is None:
        return None
    found = await CredentialRepository(session, scope).find(credential_id)
    if found is None:
        text = f'Invalid pk "{credential_id}" - object does not exist.'
        raise InvalidField(CREDENTIAL, text, code="unknown_reference")
    if found.tenant_id != row.tenant_id:
        raise InvalidField(CREDENTIAL, "The credential belongs to another organization.")
    kind = await CredentialTypeRepository(session, SYSTEM).get(found.credential_type_id)
    if kind.kind != "scm":
        raise InvalidField(CREDENTIAL, "Credential kind must be 'scm'.")
    return found.id

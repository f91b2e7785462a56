"""Projects and their runs in the database; the trees that runs fetched are in `project_trees`."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import InventorySource, Project, ProjectUpdate, Tenant
from craton_inv.models.inventory_update import ACTIVE
from craton_inv.repositories.base import Repository
from craton_inv.repositories.sets import any_of


class ProjectRepository(Repository[Project]):
    """Projects of the caller's tenants."""

    model = Project
    label = "Project"
    # Sources refer to their project while it is updated.
    lock_shares_key = True
    unique_texts = {  # noqa: RUF012 - a constant of the class
        "uq_projects_tenant_id_name": "Project with this Name and Organization already exists."
    }


class ProjectUpdateRepository(Repository[ProjectUpdate]):
    """Runs of the projects of the caller's tenants; what they said is loaded where it is asked for."""

    model = ProjectUpdate
    label = "Project update"

    async def active_of(self, project_id: int) -> list[int]:
        """Ids of the runs of a project that wait or work."""
        query = select(ProjectUpdate.id).where(ProjectUpdate.project_id == project_id, ProjectUpdate.status.in_(ACTIVE))
        return list(await self.session.scalars(query.order_by(ProjectUpdate.id)))

    async def output(self, update_id: int) -> str:
        """What a run said."""
        return await self.session.scalar(select(ProjectUpdate.output).where(ProjectUpdate.id == update_id)) or ""


async def project_summaries(session: AsyncSession, ids: Iterable[int | None]) -> dict[int, Any]:
    """id, name, description, status, scm_type and the name of the organization of projects, by id."""
    wanted = sorted({number for number in ids if number is not None})
    if not wanted:
        return {}
    query = select(
        Project.id, Project.name, Project.description, Project.status, Project.scm_type,
        Tenant.name.label("tenant_name"),
    ).join(Tenant, Tenant.id == Project.tenant_id)  # fmt: skip
    return {row.id: row for row in await session.execute(query.where(any_of(Project.id, wanted)))}


async def update_summaries(session: AsyncSession, ids: Iterable[int | None]) -> dict[int, Any]:
    """id, name, description, status and finished of runs, by id."""
    wanted = sorted({number for number in ids if number is not None})
    if not wanted:
        return {}
    run = ProjectUpdate
    query = select(run.id, run.name, run.description, run.status, run.finished).where(any_of(run.id, wanted))
    return {row.id: row for row in await session.execute(query)}


def of_project(project_id: int) -> ColumnElement[bool]:
    """Runs of a project."""
    return ProjectUpdate.project_id == project_id


def of_tenant(tenant_id: int) -> ColumnElement[bool]:
    """Projects of a tenant."""
    return Project.tenant_id == tenant_id


async def sources_with_project(session: AsyncSession, inventory_id: int) -> int:
    """How many sources of an inventory read from a project, which cannot follow them to another tenant."""
    query = select(func.count()).where(
        InventorySource.inventory_id == inventory_id, InventorySource.source_project_id.is_not(None)
    )
    return await session.scalar(query.select_from(InventorySource)) or 0

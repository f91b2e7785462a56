"""Projects in the database, their runs, and the trees that runs fetched."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from craton_inv.models import InventorySource, Project, ProjectTree, ProjectUpdate, Tenant
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


async def find_tree(session: AsyncSession, project_id: int, reference: str) -> ProjectTree | None:
    """The tree that was fetched for a reference, without its files."""
    return await session.get(ProjectTree, (project_id, reference), populate_existing=True)


async def tree_content(session: AsyncSession, project_id: int, reference: str) -> tuple[str, bytes] | None:
    """Revision and packed files of a tree."""
    found = await session.execute(
        select(ProjectTree.revision, ProjectTree.content).where(
            ProjectTree.project_id == project_id, ProjectTree.reference == reference
        )
    )
    row = found.one_or_none()
    return None if row is None else (row.revision, row.content)


async def tree_files(session: AsyncSession, project_id: int, reference: str) -> list[str]:
    """Paths of the files of a tree; none while nothing was fetched."""
    query = select(ProjectTree).where(ProjectTree.project_id == project_id, ProjectTree.reference == reference)
    tree = await session.scalar(query.options(undefer(ProjectTree.files)))
    return [] if tree is None else [str(path) for path in tree.files]


async def keep_tree(
    session: AsyncSession,
    project_id: int,
    reference: str,
    *,
    url: str,
    revision: str,
    files: Sequence[str],
    content: bytes,
) -> None:
    """Keep what was fetched in place of what was kept for the reference before."""
    values: dict[str, Any] = {
        "scm_url": url,
        "revision": revision,
        "fetched": func.clock_timestamp(),
        "size": len(content),
        "files": list(files),
        "content": content,
    }
    made = insert(ProjectTree).values(project_id=project_id, reference=reference, **values)
    await session.execute(
        made.on_conflict_do_update(index_elements=[ProjectTree.project_id, ProjectTree.reference], set_=values)
    )


async def confirm_tree(session: AsyncSession, project_id: int, reference: str) -> None:
    """The repository was asked, and has what is kept."""
    await session.execute(
        update(ProjectTree)
        .where(ProjectTree.project_id == project_id, ProjectTree.reference == reference)
        .values(fetched=func.clock_timestamp())
        .execution_options(synchronize_session=False)
    )


async def seconds_since(session: AsyncSession, moment: datetime) -> float:
    """How long ago a moment was, by the database's clock."""
    return float(await session.scalar(select(func.extract("epoch", func.clock_timestamp() - moment))) or 0)


async def sources_with_project(session: AsyncSession, inventory_id: int) -> int:
    """How many sources of an inventory read from a project, which cannot follow them to another tenant."""
    query = select(func.count()).where(
        InventorySource.inventory_id == inventory_id, InventorySource.source_project_id.is_not(None)
    )
    return await session.scalar(query.select_from(InventorySource)) or 0

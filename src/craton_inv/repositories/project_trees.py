"""The trees of projects in the database: files of one commit, packed, one tree for each reference that was fetched."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from craton_inv.models import ProjectTree


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

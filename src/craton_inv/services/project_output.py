"""What a run of a project says, shown while it works: lines appended to its row at most every half second."""

from typing import Any

from sqlalchemy import case, update
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import ProjectUpdate
from craton_inv.services.update_events import EventWriter, storable


class ProjectOutput(EventWriter):
    """Collects lines and appends them behind those of earlier attempts; use as `async with`."""

    async def _insert(self, session: AsyncSession, batch: list[tuple[str, dict[str, Any]]]) -> None:
        await append_output(session, self.update_id, "\n".join(text for text, _ in batch))


async def append_output(session: AsyncSession, update_id: int, text: str) -> None:
    """Add lines to what a run has said."""
    if not text:
        return
    before = case((ProjectUpdate.output == "", ""), else_=ProjectUpdate.output + "\n")
    await session.execute(
        update(ProjectUpdate)
        .where(ProjectUpdate.id == update_id)
        .values(output=before + storable(text))
        .execution_options(synchronize_session=False)
    )

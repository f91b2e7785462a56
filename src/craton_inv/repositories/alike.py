"""Finding names that a person, a file system or Ansible would take for the same."""

import unicodedata

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Group, Host


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _like(name: str) -> str:
    return name.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


async def named_alike(session: AsyncSession, row: Host | Group) -> tuple[bool, str | None]:
    """For a host or group that is written: whether its inventory has a group or host of the very name, and the name of
    another row of its own kind that differs in case or Unicode form only.
    """
    model, other = (Host, Group) if isinstance(row, Host) else (Group, Host)
    twin = select(other.id).where(other.inventory_id == row.inventory_id, other.name == row.name)
    same = await session.scalar(twin.limit(1)) is not None
    forms = {unicodedata.normalize(form, row.name) for form in ("NFC", "NFD")}
    # ILIKE is served by the trigram index; folding proper happens here, on the few candidates.
    candidates = await session.scalars(
        select(model.name).where(
            model.inventory_id == row.inventory_id,
            model.id != row.id,
            or_(*(model.name.ilike(_like(form), escape="\\") for form in sorted(forms))),
        )
    )
    folded = _folded(row.name)
    return same, next((name for name in candidates if _folded(name) == folded), None)

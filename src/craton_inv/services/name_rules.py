"""Rules on names that need more than the name: refusals by field, and names too like another's in one inventory."""

from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.errors import Duplicate, InvalidField
from craton_inv.models import Group, Host
from craton_inv.repositories.alike import named_alike

Row = Host | Group


def require_name(name: str, fault: Callable[[str], str], field: str = "name") -> str:
    """`name`. Raises InvalidField when `fault` finds one."""
    complaint = fault(name)
    if complaint:
        raise InvalidField(field, complaint)
    return name


async def refuse_alike(session: AsyncSession, row: Row) -> None:
    """Raise Duplicate when a host and a group have this name, or two hosts or groups differ in case only.

    Ansible would mix up the first two; the second two would be one file in a bundle on many machines. Call it after
    the row is written: that locks the inventory's row, so of two transactions the later one sees the earlier one's.
    """
    label, other = ("Host", "Group") if isinstance(row, Host) else ("Group", "Host")
    same, alike = await named_alike(session, row)
    if same:
        raise Duplicate(f"A {other} with that name already exists.")
    if alike is not None:
        raise Duplicate(f'{label} with this Name and Inventory already exists: "{alike}" differs in case or form only.')

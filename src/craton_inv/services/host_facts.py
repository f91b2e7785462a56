"""Facts of a host: read, replaced, merged at their top level, cleared."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.ansible.json_guard import check_json
from craton_inv.db.engine import dump_json
from craton_inv.errors import TooLarge
from craton_inv.filters.shapes import Shapes
from craton_inv.models import Host
from craton_inv.repositories.activity import record
from craton_inv.repositories.fact_paths import FactPathRepository
from craton_inv.repositories.host_facts import HostFactsRepository
from craton_inv.repositories.hosts import HostRepository
from craton_inv.repositories.scope import Scope

ROOT = "ansible_facts"


async def read_facts(session: AsyncSession, host: Host, keys: Sequence[str] | None = None) -> dict[str, Any]:
    """The facts of a host that the caller may see; {} when there are none. `keys`: only these of the top level."""
    return await HostFactsRepository(session).get(host.id, keys)


async def write_facts(
    session: AsyncSession, scope: Scope, host: Host, facts: dict[str, Any], *, merge: bool, limit: int
) -> dict[str, Any]:
    """Replace the facts of a locked host, or only the top-level keys given (`merge`). Returns what is stored then.

    Raises InvalidField for what JSONB cannot hold, TooLarge when more than `limit` bytes would be stored.
    """
    HostRepository(session, scope).authorize(host)
    check_json(facts, ROOT)
    repository = HostFactsRepository(session)
    sizes = await repository.write([(host.id, dump_json(facts))], merge=merge)
    refuse_size(sizes.get(host.id, 0), limit)
    if sizes:
        await record(session, "update", host, changes={ROOT: {"keys": len(facts), "merged": merge}})
    shapes = Shapes(ROOT)
    shapes.add(facts)
    await FactPathRepository(session, scope).note(host.tenant_id, shapes.found)
    await _read_again(session, host)
    return await repository.get(host.id) if merge else facts


async def clear_facts(session: AsyncSession, scope: Scope, host: Host) -> None:
    """Forget the facts of a host."""
    HostRepository(session, scope).authorize(host)
    if await HostFactsRepository(session).clear([host.id]):
        await record(session, "update", host, changes={ROOT: {"cleared": 1}})
    await _read_again(session, host)


def refuse_size(size: int, limit: int, of: str = "a host") -> None:
    """Raise TooLarge when facts take more than `limit` bytes as JSON text."""
    if size > limit:
        raise TooLarge(f"The facts of {of} may have {limit} bytes as JSON; these have {size}.")


async def _read_again(session: AsyncSession, host: Host) -> None:
    await session.refresh(host, ["ansible_facts_modified", "modified", "generation"])

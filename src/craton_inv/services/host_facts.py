"""Facts of a host: read, replaced, merged at their top level, cleared."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.ansible.json_guard import check_json
from craton_inv.errors import TooLarge
from craton_inv.models import Host
from craton_inv.repositories.host_facts import HostFactsRepository
from craton_inv.repositories.hosts import HostRepository
from craton_inv.repositories.scope import Scope


async def read_facts(session: AsyncSession, host: Host) -> dict[str, Any]:
    """The facts of a host that the caller may see; {} when there are none."""
    return await HostFactsRepository(session).get(host)


async def write_facts(
    session: AsyncSession, scope: Scope, host: Host, facts: dict[str, Any], *, merge: bool, limit: int
) -> dict[str, Any]:
    """Replace the facts, or only the top-level keys given (`merge`). Returns what is stored then.

    Raises InvalidField for what JSONB cannot hold, TooLarge when more than `limit` bytes would be stored.
    """
    HostRepository(session, scope).authorize(host)
    check_json(facts, "ansible_facts")
    repository = HostFactsRepository(session)
    size = await repository.write(host, facts, merge=merge)
    if size > limit:
        raise TooLarge(f"The facts of a host may have {limit} bytes as JSON; these have {size}.")
    return await repository.get(host) if merge else facts


async def clear_facts(session: AsyncSession, scope: Scope, host: Host) -> None:
    """Forget the facts of a host."""
    HostRepository(session, scope).authorize(host)
    await HostFactsRepository(session).clear(host)

"""Facts of hosts: one JSON object a host, in a table of its own, written whole or merged at its top level."""

from typing import Any

from sqlalchemy import Text, cast, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Host, HostFacts


class HostFactsRepository:
    """Facts of a host that the caller got, and may write, through `HostRepository`."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def get(self, host: Host) -> dict[str, Any]:
        """The facts, {} when there are none."""
        facts = await self.session.scalar(select(HostFacts.facts).where(HostFacts.host_id == host.id))
        return facts or {}

    async def write(self, host: Host, facts: dict[str, Any], *, merge: bool) -> int:
        """Replace the facts, or with `merge` the top-level keys given. Returns the size stored: bytes of JSON text."""
        statement = insert(HostFacts).values(host_id=host.id, facts=facts)
        merged = HostFacts.facts.op("||")(statement.excluded.facts)
        size: int = (
            await self.session.execute(
                statement.on_conflict_do_update(
                    index_elements=[HostFacts.host_id],
                    set_={"facts": merged if merge else statement.excluded.facts},
                ).returning(func.octet_length(cast(HostFacts.facts, Text)))
            )
        ).scalar_one()
        await self._stamp(host)
        return size

    async def clear(self, host: Host) -> None:
        """Forget the facts (AWX's clear_facts)."""
        await self.session.execute(delete(HostFacts).where(HostFacts.host_id == host.id))
        await self._stamp(host)

    async def _stamp(self, host: Host) -> None:
        await self.session.execute(
            update(Host)
            .where(Host.id == host.id)
            .values(ansible_facts_modified=func.now())
            .execution_options(synchronize_session=False)
        )
        await self.session.refresh(host, ["ansible_facts_modified", "modified", "generation"])

"""Facts of hosts: one JSON object a host, in a table of its own, written whole or merged at its top level."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Text, cast, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Host, HostFacts
from craton_inv.repositories.sets import any_of, any_text


class FactsRow(NamedTuple):
    """A host with its facts as JSON text, None when it has none."""

    id: int
    name: str
    modified: datetime | None
    facts: str | None


class HostFactsRepository:
    """Facts of hosts that the caller got, and may write, through `HostRepository`."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def get(self, host_id: int, keys: Sequence[str] | None = None) -> dict[str, Any]:
        """The facts, {} when there are none. `keys`: only these keys of the top level."""
        facts = await self.session.scalar(select(chosen(keys)).where(HostFacts.host_id == host_id))
        return facts or {}

    async def found(self, *where: ColumnElement[bool]) -> list[tuple[int, int]]:
        """(id, bytes as stored) of the hosts for which `where` holds, by id; 0 bytes without facts."""
        stored = func.coalesce(func.pg_column_size(HostFacts.facts), 0)
        query = select(Host.id, stored).outerjoin(HostFacts, HostFacts.host_id == Host.id).where(*where)
        return [(row[0], row[1]) for row in await self.session.execute(query.order_by(Host.id))]

    async def lines(
        self, visible: ColumnElement[bool], host_ids: Sequence[int], keys: Sequence[str] | None = None
    ) -> list[FactsRow]:
        """The facts of these hosts as text, by id; of those that are gone by now, none."""
        query = (
            select(Host.id, Host.name, Host.ansible_facts_modified, cast(chosen(keys), Text))
            .outerjoin(HostFacts, HostFacts.host_id == Host.id)
            .where(visible, any_of(Host.id, host_ids))
        )
        return [FactsRow(*row) for row in await self.session.execute(query.order_by(Host.id))]

    async def write(self, facts: Sequence[tuple[int, str]], *, merge: bool) -> dict[int, int]:
        """Replace the facts of hosts, or with `merge` the top-level keys given; `facts`: (host id, JSON text) each.

        The caller has locked the hosts. Returns the sizes, in bytes of JSON text, of those that are others now; facts
        that say what is stored write nothing but the time.
        """
        rows = sorted(facts)
        given = (
            func.unnest(
                literal([host_id for host_id, _ in rows], ARRAY(BigInteger)),
                literal([text for _, text in rows], ARRAY(Text)),
            )
            .table_valued("host_id", "facts", name="given")
            .render_derived()
        )
        statement = insert(HostFacts).from_select(
            ["host_id", "facts"], select(given.c.host_id, cast(given.c.facts, JSONB))
        )
        now: ColumnElement[Any] = statement.excluded.facts
        if merge:
            now = HostFacts.facts.op("||", return_type=JSONB())(statement.excluded.facts)
        changed = await self.session.execute(
            statement.on_conflict_do_update(
                index_elements=[HostFacts.host_id],
                set_={"facts": now},
                where=HostFacts.facts.is_distinct_from(now),
            ).returning(HostFacts.host_id, func.octet_length(cast(HostFacts.facts, Text)))
        )
        sizes = {row[0]: row[1] for row in changed}
        await self._stamp([host_id for host_id, _ in rows])
        return sizes

    async def clear(self, host_ids: Sequence[int]) -> int:
        """Forget the facts of hosts (AWX's clear_facts). Returns how many had some."""
        gone = await self.session.scalars(
            delete(HostFacts).where(any_of(HostFacts.host_id, host_ids)).returning(HostFacts.host_id)
        )
        count = len(gone.all())
        await self._stamp(host_ids)
        return count

    async def _stamp(self, host_ids: Sequence[int]) -> None:
        await self.session.execute(
            update(Host)
            .where(any_of(Host.id, host_ids))
            .values(ansible_facts_modified=func.now())
            .execution_options(synchronize_session=False)
        )


def chosen(keys: Sequence[str] | None) -> ColumnElement[Any]:
    """The facts, or only these keys of their top level."""
    if keys is None:
        return HostFacts.facts  # type: ignore[return-value]
    pairs = func.jsonb_each(HostFacts.facts).table_valued("key", "value", name="pair").render_derived()
    some = select(func.jsonb_object_agg(pairs.c.key, pairs.c.value, type_=JSONB())).where(any_text(pairs.c.key, keys))
    return func.coalesce(some.scalar_subquery(), cast(literal("{}", Text), JSONB), type_=JSONB())

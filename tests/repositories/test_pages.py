"""Pages of a search: without a count they are the same rows, whether few match or many."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.filters import compile_where, order_by_clauses, parse
from craton_inv.models import Host
from craton_inv.repositories import base
from craton_inv.repositories.hosts import HostRepository
from craton_inv.repositories.scope import Scope
from tests.factories import make_host, make_inventory


@pytest.mark.parametrize("few", [2, 1000])
@pytest.mark.parametrize("order", ["id", "-name"])
async def test_a_page_without_a_count_has_the_rows_of_one_with(
    session: AsyncSession, monkeypatch: pytest.MonkeyPatch, order: str, few: int
) -> None:
    monkeypatch.setattr(base, "FEW", few)
    inventory = await make_inventory(session)
    for number in range(5):
        await make_host(session, f"h{number}", inventory=inventory, facts={"os": "Debian"})
    await make_host(session, "other", inventory=inventory, facts={"os": "CentOS"})
    repository = HostRepository(session, Scope(is_superuser=True))
    where = (compile_where(parse("ansible_facts__os=Debian"), Host),)
    clauses = order_by_clauses(order, Host)
    counted = await repository.page(where=where, order=clauses, offset=1, limit=3)
    bare = await repository.page(where=where, order=clauses, offset=1, limit=3, count=False, searched=True)
    assert [row.name for row in bare.items] == [row.name for row in counted.items]
    assert (len(bare.items), counted.count, bare.count) == (3, 5, None)


async def test_a_page_without_a_count_keeps_to_the_scope(session: AsyncSession) -> None:
    mine = await make_host(session, "twin", facts={"os": "Debian"})
    await make_host(session, "twin", facts={"os": "Debian"})
    repository = HostRepository(session, Scope(roles={mine.tenant_id: frozenset({"reader"})}))
    where = (compile_where(parse("ansible_facts__os=Debian"), Host),)
    found = await repository.page(where=where, count=False, searched=True)
    assert [row.id for row in found.items] == [mine.id]

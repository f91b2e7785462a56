"""The catalogue of fact paths: noted once, cheap for known shapes, bounded, and seen by its tenant alone."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.filters.shapes import Shape, Shapes
from craton_inv.models import FactPath, Tenant
from craton_inv.repositories import fact_paths
from craton_inv.repositories.fact_paths import FactPathRepository
from craton_inv.repositories.scope import SYSTEM, Scope
from tests.factories import make_tenant


def shapes_of(**facts: Any) -> Mapping[str, Shape]:
    made = Shapes("ansible_facts")
    made.add(facts)
    return made.found


@pytest.fixture
async def tenant(session: AsyncSession) -> Tenant:
    return await make_tenant(session)


@pytest.fixture
def catalogue(session: AsyncSession) -> FactPathRepository:
    return FactPathRepository(session, SYSTEM)


def scope_of(tenant: Tenant) -> Scope:
    return Scope(roles={tenant.id: frozenset({"reader"})})


async def versions(session: AsyncSession, tenant: Tenant) -> dict[str, str]:
    """Which version of its row each path stands in: PostgreSQL makes a new one at every write."""
    rows = await session.execute(
        select(FactPath.path, text("fact_paths.ctid::text")).where(FactPath.tenant_id == tenant.id)
    )
    return {row[0]: row[1] for row in rows}


async def test_a_page_tells_types_and_examples_by_prefix(session: AsyncSession, tenant: Tenant) -> None:
    catalogue = FactPathRepository(session, scope_of(tenant))
    await catalogue.note(tenant.id, shapes_of(os={"name": "Debian", "release": 12}, cpus=8))
    await catalogue.note(tenant.id, shapes_of(os={"release": "twelve"}))
    page = await catalogue.page(prefix="ansible_facts__os")
    assert [(each.path, each.types, each.example) for each in page.items] == [
        ("ansible_facts__os__name", ["string"], "Debian"),
        ("ansible_facts__os__release", ["string", "number"], 12),
    ]
    assert (page.count, page.full) == (2, False)


async def test_pages_go_on_where_the_last_ended(session: AsyncSession, tenant: Tenant) -> None:
    catalogue = FactPathRepository(session, scope_of(tenant))
    await catalogue.note(tenant.id, shapes_of(a=1, b=1, c=1))
    second = await catalogue.page(offset=2, limit=2)
    assert ([each.path for each in second.items], second.count) == (["ansible_facts__c"], 3)


@pytest.mark.parametrize("prefix", ["ansible_facts__a%", "ansible_facts_", "ANSIBLE", "'"])
async def test_a_prefix_is_taken_literally(session: AsyncSession, tenant: Tenant, prefix: str) -> None:
    catalogue = FactPathRepository(session, scope_of(tenant))
    await catalogue.note(tenant.id, shapes_of(abc=1))
    assert (await catalogue.page(prefix=prefix)).count == (1 if prefix == "ansible_facts_" else 0)


async def test_a_known_shape_writes_nothing(
    session: AsyncSession, tenant: Tenant, catalogue: FactPathRepository
) -> None:
    found = shapes_of(os={"name": "Debian"}, cpus=8)
    await catalogue.note(tenant.id, found)
    before = await versions(session, tenant)
    await catalogue.note(tenant.id, shapes_of(os={"name": "Fedora"}, cpus=16))
    assert await versions(session, tenant) == before


async def test_a_path_not_seen_for_a_day_is_seen_again(
    session: AsyncSession, tenant: Tenant, catalogue: FactPathRepository
) -> None:
    await catalogue.note(tenant.id, shapes_of(cpus=8))
    long_ago = func.now() - text("interval '2 days'")
    await session.execute(update(FactPath).where(FactPath.tenant_id == tenant.id).values(last_seen=long_ago))
    await catalogue.note(tenant.id, shapes_of(cpus=8))
    fresh = FactPath.last_seen == func.now()
    assert await session.scalar(select(func.count()).where(FactPath.tenant_id == tenant.id, fresh)) == 1


async def test_a_tenant_sees_its_own_paths_alone(
    session: AsyncSession, tenant: Tenant, catalogue: FactPathRepository
) -> None:
    other = await make_tenant(session)
    await catalogue.note(tenant.id, shapes_of(ours=1))
    await catalogue.note(other.id, shapes_of(theirs="canary"))
    page = await FactPathRepository(session, scope_of(tenant)).page()
    assert [each.path for each in page.items] == ["ansible_facts__ours"]


async def test_paths_of_several_tenants_come_once(
    session: AsyncSession, tenant: Tenant, catalogue: FactPathRepository
) -> None:
    other = await make_tenant(session)
    await catalogue.note(tenant.id, shapes_of(shared=1))
    await catalogue.note(other.id, shapes_of(shared="x"))
    page = await catalogue.page(prefix="ansible_facts__shared")
    assert ([each.types for each in page.items], page.count) == ([["string", "number"]], 1)


async def test_beyond_its_share_a_tenant_gets_no_new_path_and_is_told(
    session: AsyncSession, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fact_paths, "MAX_PATHS", 3)
    catalogue = FactPathRepository(session, scope_of(tenant))
    await catalogue.note(tenant.id, shapes_of(a=1, b=1))
    await catalogue.note(tenant.id, shapes_of(b="x", c=1, d=1, e=1))
    page = await catalogue.page()
    assert [(each.path[-1], each.types) for each in page.items] == [
        ("a", ["number"]), ("b", ["string", "number"]), ("c", ["number"]),
    ]  # fmt: skip
    assert page.full


async def test_long_unseen_paths_make_room(
    session: AsyncSession, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fact_paths, "MAX_PATHS", 2)
    catalogue = FactPathRepository(session, scope_of(tenant))
    await catalogue.note(tenant.id, shapes_of(old=1, kept=1))
    forgotten = func.now() - text("interval '91 days'")
    await session.execute(update(FactPath).where(FactPath.path == "ansible_facts__old").values(last_seen=forgotten))
    await catalogue.note(tenant.id, shapes_of(new=1))
    assert [each.path for each in (await catalogue.page()).items] == ["ansible_facts__kept", "ansible_facts__new"]

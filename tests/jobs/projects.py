"""Helpers to update projects and to play their worker."""

from pathlib import Path
from typing import Any

import pytest

from craton_inv.db.session import unit_of_work
from craton_inv.jobs.update_project import update_project
from craton_inv.models import Project, ProjectUpdate, Tenant
from craton_inv.queue import jobs
from craton_inv.queue.jobs import Claim
from craton_inv.repositories.project_trees import find_tree
from craton_inv.repositories.projects import ProjectUpdateRepository
from craton_inv.repositories.scope import SYSTEM
from craton_inv.services import project_updates
from tests.factories import make_project
from tests.jobs.updates import Updates


class Projects:
    """Projects of the tenant of one world."""

    def __init__(self, updates: Updates) -> None:
        self.updates = updates
        self.factory = updates.world.factory

    async def make(self, **values: Any) -> int:
        async with unit_of_work(self.factory) as session:
            tenant = await session.get_one(Tenant, self.updates.world.tenant_id)
            return (await make_project(session, tenant=tenant, **values)).id

    async def change(self, project_id: int, **values: Any) -> None:
        async with unit_of_work(self.factory) as session:
            row = await session.get_one(Project, project_id)
            for name, value in values.items():
                setattr(row, name, value)

    async def project(self, project_id: int) -> Project:
        async with self.factory() as session:
            return await session.get_one(Project, project_id)

    async def launch(self, project_id: int) -> int:
        async with unit_of_work(self.factory) as session:
            return (await project_updates.launch(session, SYSTEM, project_id)).id

    async def claim(self, update_id: int) -> Claim:
        async with unit_of_work(self.factory) as session:
            row = await session.get_one(ProjectUpdate, update_id)
            assert row.job_id is not None
            claim = await jobs.claim(session, row.job_id, "w1", 30)
        assert claim is not None
        return claim

    async def work(self, update_id: int) -> ProjectUpdate:
        await update_project(self.updates.context(await self.claim(update_id)))
        return await self.update(update_id)

    async def run(self, project_id: int) -> ProjectUpdate:
        return await self.work(await self.launch(project_id))

    async def update(self, update_id: int) -> ProjectUpdate:
        async with self.factory() as session:
            return await session.get_one(ProjectUpdate, update_id)

    async def output(self, update_id: int) -> str:
        async with self.factory() as session:
            return await ProjectUpdateRepository(session, SYSTEM).output(update_id)

    async def revision_kept(self, project_id: int, reference: str = "") -> str:
        async with self.factory() as session:
            tree = await find_tree(session, project_id, reference)
            return "" if tree is None else tree.revision


@pytest.fixture
def updates(updates: Updates, tmp_path: Path) -> Updates:
    """The worker may ask loopback, and finds manual projects in the test's own folder."""
    more = {"http_out_allow": "127.0.0.1", "projects_root": tmp_path / "manual"}
    updates.settings = updates.settings.model_copy(update=more)
    return updates


@pytest.fixture
def projects(updates: Updates) -> Projects:
    return Projects(updates)

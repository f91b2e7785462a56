"""Projects behind ssh: the deploy key of the credential opens the repository, and shows nowhere."""

import io
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import asyncssh
import pytest
from sqlalchemy import select, text

from craton_inv.db.session import unit_of_work
from craton_inv.errors import ServiceUnavailable
from craton_inv.models import CredentialType, Tenant
from craton_inv.repositories.scope import SYSTEM
from craton_inv.services.credentials import create_credential
from tests.jobs.projects import Projects, projects, updates
from tests.jobs.updates import Updates
from tests.providers.scm.conftest import GitServer, git
from tests.providers.scm.ssh_server import PASSPHRASE, SshServer, serving

__all__ = ["git", "projects", "updates"]


@pytest.fixture
async def ssh(git: GitServer, tmp_path: Path, updates: Updates) -> AsyncIterator[SshServer]:
    """A server whose key the worker knows."""
    async with serving(git, tmp_path) as server:
        known = {"ssh_known_hosts": server.known_hosts}
        updates.settings = updates.settings.model_copy(update=known)
        yield server


async def credential_of(projects: Projects, **inputs: str) -> int:
    async with unit_of_work(projects.factory) as session:
        tenant = await session.get_one(Tenant, projects.updates.world.tenant_id)
        kind = await session.scalar(select(CredentialType.id).where(CredentialType.namespace == "scm"))
        values = {"name": "deploy key", "credential_type": kind, "inputs": inputs}
        return (await create_credential(session, SYSTEM, projects.updates.settings, tenant, values)).id


def files_of(folder: Path) -> list[str]:
    return [path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file()]


async def test_a_deploy_key_opens_the_repository(projects: Projects, ssh: SshServer) -> None:
    commit = ssh.git.commit({"hosts.ini": "web-1\n"})
    key = await credential_of(projects, ssh_key_data=ssh.locked_key, ssh_key_unlock=PASSPHRASE)
    project_id = await projects.make(scm_url=ssh.url, credential_id=key)
    run = await projects.run(project_id)
    assert (run.status, run.scm_revision) == ("successful", commit), run.job_explanation


async def test_s28_the_key_and_its_passphrase_stand_in_no_row_log_or_file(
    projects: Projects, ssh: SshServer, tmp_path: Path
) -> None:
    heard = io.StringIO()
    handler = logging.StreamHandler(heard)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    key = await credential_of(projects, ssh_key_data=ssh.locked_key, ssh_key_unlock=PASSPHRASE)
    project_id = await projects.make(scm_url=ssh.url, credential_id=key)
    try:
        ssh.git.commit({"hosts.ini": "web-1\n"})
        good = await projects.run(project_id)
        ssh.said = f"ERROR: not with {PASSPHRASE}\n".encode()
        bad = await projects.run(project_id)
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
    assert (good.status, bad.status) == ("successful", "failed")
    assert "not with **********" in bad.job_explanation
    secrets = [PASSPHRASE, *(line for line in (ssh.key + ssh.locked_key).splitlines() if not line.startswith("-"))]
    async with projects.factory() as session:
        rows = [str(each) for table in ("project_updates", "projects", "jobs", "credentials")
                for each in await session.execute(text(f"SELECT * FROM {table}"))]  # fmt: skip
    files = files_of(tmp_path)
    for told in (*rows, *files, heard.getvalue()):
        assert not any(secret in told for secret in secrets)


async def test_s28_what_a_server_says_of_the_passphrase_as_it_breaks_off_does_not_reach_the_job(
    projects: Projects, ssh: SshServer
) -> None:
    def refuse(username: str) -> bool:
        raise asyncssh.DisconnectError(asyncssh.DISC_BY_APPLICATION, f"not with {PASSPHRASE}")

    ssh.begin_auth = refuse  # type: ignore[method-assign]
    key = await credential_of(projects, ssh_key_data=ssh.locked_key, ssh_key_unlock=PASSPHRASE)
    update_id = await projects.launch(await projects.make(scm_url=ssh.url, credential_id=key))
    with pytest.raises(ServiceUnavailable, match=r"not with \*\*") as caught:
        await projects.work(update_id)
    assert PASSPHRASE not in caught.value.message


async def test_an_unknown_host_fails_the_run_and_names_its_fingerprint(
    projects: Projects, ssh: SshServer, updates: Updates
) -> None:
    updates.settings = updates.settings.model_copy(update={"ssh_known_hosts": None})
    project_id = await projects.make(scm_url=ssh.url, credential_id=await credential_of(projects, ssh_key_data=ssh.key))
    run = await projects.run(project_id)
    assert run.status == "failed"
    assert ssh.host_key.get_fingerprint() in run.job_explanation
    known = updates.settings.data_dir / "ssh_known_hosts"
    known.parent.mkdir(parents=True, exist_ok=True)
    known.write_text(ssh.known_hosts.read_text())
    ssh.git.commit({"hosts.ini": "web-1\n"})
    assert (await projects.run(project_id)).status == "successful"


async def test_a_source_reads_a_project_behind_ssh(projects: Projects, updates: Updates, ssh: SshServer) -> None:
    commit = ssh.git.commit({"hosts.ini": "web-1\n"})
    key = await credential_of(projects, ssh_key_data=ssh.key)
    project_id = await projects.make(scm_url=ssh.url, credential_id=key)
    run = await updates.run("source", source="scm", source_project_id=project_id, source_path="hosts.ini")
    assert (run.status, run.scm_revision) == ("successful", commit), run.job_explanation
    assert set(await updates.world.hosts()) == {"web-1"}


async def test_s28_a_source_tells_nothing_of_what_its_project_logs_in_with(
    projects: Projects, updates: Updates, ssh: SshServer
) -> None:
    ssh.said = f"ERROR: not with {PASSPHRASE}\n".encode()
    key = await credential_of(projects, ssh_key_data=ssh.locked_key, ssh_key_unlock=PASSPHRASE)
    project_id = await projects.make(scm_url=ssh.url, credential_id=key)
    run = await updates.run("source", source="scm", source_project_id=project_id, source_path="hosts.ini")
    assert run.status == "failed"
    assert "not with **********" in run.job_explanation
    assert PASSPHRASE not in await updates.output(run.id)


async def test_a_key_is_no_login_over_https(projects: Projects, ssh: SshServer) -> None:
    key = await credential_of(projects, ssh_key_data=ssh.key)
    run = await projects.run(await projects.make(scm_url=ssh.git.url, credential_id=key))
    assert run.job_explanation == "The project's credential is an SSH key, and its URL leads over https."
    assert ssh.git.requests == []

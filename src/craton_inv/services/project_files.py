"""The files of a project for a run: fetched when they have to be, kept in the database, laid out on this worker.

Whichever worker runs next finds the very commit in the database, though the repository has moved on or is away.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from craton_inv.db.session import SessionFactory, unit_of_work
from craton_inv.errors import InvalidField, UpdateFailed
from craton_inv.http_out import HttpOut
from craton_inv.models import Project
from craton_inv.providers.base import ProjectFiles, SourceDefinition
from craton_inv.providers.credentials import ProviderCredential
from craton_inv.providers.scm.checkout import checkout, checkout_path, manual_folder
from craton_inv.providers.scm.git import Repository, check_reference, fetch
from craton_inv.providers.scm.urls import check_git_url
from craton_inv.repositories import projects as trees
from craton_inv.services.source_credentials import for_run
from craton_inv.settings import Settings

Say = Callable[[str], None]


@dataclass(frozen=True)
class Wanted:
    """One reference of one project. `scm_url` as it was when it was asked for; `stale`: the repository is asked."""

    project_id: int
    reference: str
    scm_url: str
    known: str
    stale: bool
    credentials: tuple[ProviderCredential, ...] = field(default=(), repr=False)


async def files_of_source(
    factory: SessionFactory, settings: Settings, definition: SourceDefinition, say: Say
) -> ProjectFiles:
    """The files that a source reads: those of its project's commit, which is fetched first if it has to be.

    A project is asked again when nothing was fetched of this branch yet, and, with `scm_update_on_launch`, when the
    last time is longer ago than `scm_update_cache_timeout`. Raises UpdateFailed and whatever fetching raises.
    """
    async with unit_of_work(factory) as session:
        project = await session.get(Project, definition.source_project_id or 0)
        if project is None or project.tenant_id != definition.tenant_id:
            raise UpdateFailed("Project required for scm type sources.")
        if not project.scm_type:
            folder = manual_folder(project.local_path, settings.projects_root, "source_project")
            if not folder.is_dir():
                raise UpdateFailed(f"The folder {project.local_path!r} of the project does not exist on this worker.")
            return ProjectFiles(folder)
        if definition.scm_branch and not project.allow_override:
            raise UpdateFailed("Project does not allow overriding branch.")
        reference = definition.scm_branch or project.scm_branch
        tree = await trees.find_tree(session, project.id, reference)
        stale = tree is None or tree.scm_url != project.scm_url
        if tree is not None and not stale and project.scm_update_on_launch:
            age = await trees.seconds_since(session, tree.fetched)
            stale = age > project.scm_update_cache_timeout
        known = tree.revision if tree is not None and tree.scm_url == project.scm_url else ""
        credentials = await for_run(session, settings, project.credential_id) if stale else ()
        wanted = Wanted(project.id, reference, project.scm_url, known, stale, credentials)
    revision = await bring(factory, settings, wanted, say) if wanted.stale else wanted.known
    return ProjectFiles(await _laid_out(factory, settings, wanted, revision, say), revision)


async def wanted_by(factory: SessionFactory, settings: Settings, project_id: int) -> Wanted:
    """What an update of a project fetches."""
    async with unit_of_work(factory) as session:
        project = await session.get_one(Project, project_id)
        tree = await trees.find_tree(session, project.id, project.scm_branch)
        known = tree.revision if tree is not None and tree.scm_url == project.scm_url else ""
        credentials = await for_run(session, settings, project.credential_id)
        return Wanted(project.id, project.scm_branch, project.scm_url, known, True, credentials)


async def bring(factory: SessionFactory, settings: Settings, wanted: Wanted, say: Say) -> str:
    """Fetch a reference and keep its files; the commit it stands for now."""
    try:
        check_git_url(wanted.scm_url, settings)
        check_reference(wanted.reference)
    except InvalidField as error:
        raise UpdateFailed(error.fields[next(iter(error.fields))][0]) from error
    username, password = _login(wanted.credentials)
    repository = Repository(wanted.scm_url, wanted.reference, username, password)
    say(f"Asking {wanted.scm_url} for {wanted.reference or 'its own branch'}.")
    fetched = await fetch(
        HttpOut.of(settings),
        repository,
        wanted.known,
        size=settings.project_limit,
        seconds=settings.project_update_timeout,
        say=say,
    )
    async with unit_of_work(factory) as session:
        if fetched.tree is None:
            await trees.confirm_tree(session, wanted.project_id, wanted.reference)
            say(f"Commit {fetched.revision} is here already.")
        else:
            await trees.keep_tree(
                session,
                wanted.project_id,
                wanted.reference,
                url=wanted.scm_url,
                revision=fetched.revision,
                files=fetched.tree.files,
                content=fetched.tree.content,
            )
            say(f"Fetched commit {fetched.revision}: {len(fetched.tree.files)} files.")
    return fetched.revision


def _login(credentials: tuple[ProviderCredential, ...]) -> tuple[str, str]:
    for credential in credentials:
        username, password = str(credential.get("username")), str(credential.get("password"))
        if username or password:
            return username, password
        if credential.get("ssh_key_data"):
            raise UpdateFailed("The project's credential is an SSH key; repositories are fetched over https only.")
    return "", ""


async def _laid_out(factory: SessionFactory, settings: Settings, wanted: Wanted, revision: str, say: Say) -> Path:
    folder = checkout_path(settings.data_dir, wanted.project_id, revision)
    content = b""
    if not folder.is_dir():
        async with unit_of_work(factory) as session:
            found = await trees.tree_content(session, wanted.project_id, wanted.reference)
        if found is None or found[0] != revision:
            raise UpdateFailed("The project was changed while its files were read; start the update again.")
        content = found[1]
    return await asyncio.to_thread(checkout, folder, content, say)

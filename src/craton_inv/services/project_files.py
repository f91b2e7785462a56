"""The files of a project for a run: fetched when they have to be, kept in the database, laid out on this worker.

Whichever worker runs next finds the very commit in the database, though the repository has moved on or is away.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.db.session import SessionFactory, unit_of_work
from craton_inv.errors import InvalidField, UpdateFailed
from craton_inv.models import Project, ProjectTree
from craton_inv.providers.base import ProjectFiles, SourceDefinition
from craton_inv.providers.credentials import ProviderCredential
from craton_inv.providers.scm.checkout import (
    checkout,
    checkout_path,
    forget_unfinished,
    manual_folder,
    projects_folder,
)
from craton_inv.providers.scm.git import Doors, Fetched, Repository, fetch
from craton_inv.providers.scm.references import check_reference, read_refspec
from craton_inv.providers.scm.urls import check_git_url
from craton_inv.repositories import project_trees as trees
from craton_inv.services.source_credentials import for_run
from craton_inv.settings import Settings

Say = Callable[[str], None]


GRACE = 60.0  # seconds; whoever fetches has a limit of its own, which is to be the one that is told


@dataclass(frozen=True)
class Wanted:
    """One reference of one project. `scm_url` as it was when it was asked for; `stale`: the repository is asked.

    `known`: the commit that need not be fetched again. `seconds`: how long fetching may take.
    """

    project_id: int
    reference: str
    scm_url: str
    scm_refspec: str
    known: str
    stale: bool
    seconds: float
    credentials: tuple[ProviderCredential, ...] = field(default=(), repr=False)


async def files_of_source(
    factory: SessionFactory,
    settings: Settings,
    definition: SourceDefinition,
    say: Say,
    conceal: Callable[[Iterable[ProviderCredential]], None],
) -> ProjectFiles:
    """The files that a source reads: those of its project's commit, which is fetched first if it has to be.

    `conceal`: called before anybody logs in with credentials of the project, which nothing may tell from then on.
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
        wanted = await _wanted(session, settings, project, reference, tree, stale=stale)
    if not wanted.stale:
        return ProjectFiles(await _laid_out(factory, settings, wanted, wanted.known, say), wanted.known)
    conceal(wanted.credentials)
    try:
        async with asyncio.timeout(wanted.seconds):
            fetched = await bring(settings, wanted, say)
    except TimeoutError:
        raise UpdateFailed(f"The project was not fetched within {wanted.seconds:g} seconds.") from None
    async with unit_of_work(factory) as session:
        await keep(session, wanted, fetched)
    return ProjectFiles(await _laid_out(factory, settings, wanted, fetched.revision, say), fetched.revision)


async def wanted_by(factory: SessionFactory, settings: Settings, project_id: int) -> Wanted:
    """What an update of a project fetches. With `scm_delete_on_update` no commit counts as known."""
    async with unit_of_work(factory) as session:
        project = await session.get_one(Project, project_id)
        tree = await trees.find_tree(session, project.id, project.scm_branch)
        wanted = await _wanted(session, settings, project, project.scm_branch, tree, stale=True)
        return replace(wanted, known="") if project.scm_delete_on_update else wanted


async def _wanted(
    session: AsyncSession,
    settings: Settings,
    project: Project,
    reference: str,
    tree: ProjectTree | None,
    *,
    stale: bool,
) -> Wanted:
    return Wanted(
        project.id,
        reference,
        project.scm_url,
        project.scm_refspec,
        known=tree.revision if tree is not None and tree.scm_url == project.scm_url else "",
        stale=stale,
        seconds=float(project.timeout or settings.project_update_timeout),
        credentials=await for_run(session, settings, project.credential_id) if stale else (),
    )


async def bring(settings: Settings, wanted: Wanted, say: Say) -> Fetched:
    """Fetch what a reference stands for now; nothing is kept yet."""
    try:
        check_git_url(wanted.scm_url, settings)
        check_reference(wanted.reference)
        read_refspec(wanted.scm_refspec)
    except InvalidField as error:
        raise UpdateFailed(error.fields[next(iter(error.fields))][0]) from error
    folder = projects_folder(settings.data_dir)
    await asyncio.to_thread(forget_unfinished, folder)
    repository = _repository(wanted)
    say(f"Asking {wanted.scm_url} for {wanted.reference or 'its own branch'}.")
    fetched = await fetch(
        Doors.of(settings, folder),
        repository,
        wanted.known,
        size=settings.project_limit,
        seconds=wanted.seconds + GRACE,
        say=say,
    )
    if fetched.tree is None:
        say(f"Commit {fetched.revision} is here already.")
    else:
        say(f"Fetched commit {fetched.revision}: {len(fetched.tree.files)} files.")
    return fetched


async def keep(session: AsyncSession, wanted: Wanted, fetched: Fetched) -> None:
    """Keep what was fetched, for every worker; committed by the caller."""
    if fetched.tree is None:
        await trees.confirm_tree(session, wanted.project_id, wanted.reference)
        return
    await trees.keep_tree(
        session,
        wanted.project_id,
        wanted.reference,
        url=wanted.scm_url,
        revision=fetched.revision,
        files=fetched.tree.files,
        content=fetched.tree.content,
    )


def _repository(wanted: Wanted) -> Repository:
    """What is asked, with what the project's credential says."""
    plain = Repository(wanted.scm_url, wanted.reference, refspec=wanted.scm_refspec)
    for credential in wanted.credentials:
        return replace(
            plain,
            username=str(credential.get("username")),
            password=str(credential.get("password")),
            key=str(credential.get("ssh_key_data")),
            passphrase=str(credential.get("ssh_key_unlock")),
        )
    return plain


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

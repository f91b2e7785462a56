"""Projects and their runs as /v2 shows them."""

from collections.abc import Sequence
from typing import Any

from craton_inv import models
from craton_inv.api.v2.present.base import Viewer, author_fields, load_authors, summary_of
from craton_inv.api.v2.present.runs import CurrentAndLast, elapsed, launched_by
from craton_inv.repositories import summaries
from craton_inv.repositories.credentials import summaries as credential_summaries
from craton_inv.repositories.inventories import FAILED
from craton_inv.repositories.projects import project_summaries, update_summaries
from craton_inv.schemas.v2.projects import Project, ProjectUpdate, ProjectUpdateStarted

SUB_RESOURCES = ("update", "project_updates", "inventories")
COPIED = (
    "id", "created", "modified", "name", "description", "scm_type", "scm_url", "scm_branch", "scm_refspec",
    "scm_clean", "scm_delete_on_update", "scm_revision", "scm_update_on_launch", "scm_update_cache_timeout",
    "allow_override", "timeout", "local_path", "status", "last_updated",
)  # fmt: skip
RUN_SUB_RESOURCES = ("cancel", "stdout")
RUN_COPIED = (
    "id", "created", "modified", "name", "description", "launch_type", "status", "started", "finished", "canceled_on",
    "job_explanation", "execution_node", "scm_url", "scm_branch", "scm_revision",
)  # fmt: skip


class ProjectPresenter:
    """Four statements for a page: organizations, runs, credentials, authors."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer

    async def one(self, row: models.Project) -> Project:
        """A project."""
        return (await self.many([row]))[0]

    async def many(self, rows: Sequence[models.Project]) -> list[Project]:
        """Projects, in the order given."""
        viewer, links, session = self.viewer, self.viewer.links, self.viewer.session
        tenants = await summaries.tenants(session, (row.tenant_id for row in rows))
        found = await update_summaries(
            session, [i for row in rows for i in (row.current_update_id, row.last_update_id)]
        )
        runs = CurrentAndLast(links, "project_update", found)
        credentials = await credential_summaries(session, (row.credential_id for row in rows))
        authors = await load_authors(session, rows)
        made = []
        for row in rows:
            writable = viewer.may_write(row.tenant_id)
            credential = credentials.get(row.credential_id or 0)
            fields: dict[str, Any] = {
                "organization": summary_of(tenants[row.tenant_id], "id", "name", "description"),
                **author_fields(row, authors),
                **runs.fields(row),
                **({"credential": credential} if credential else {}),
                "user_capabilities": {"edit": writable, "delete": writable, "start": writable, "schedule": False},
            }
            if row.last_error:
                fields["last_error"] = row.last_error
            related = {
                "named_url": links.named("project", row.name, tenants[row.tenant_id].name),
                **viewer.author_links(row),
                **links.below("project", row.id, SUB_RESOURCES),
                "organization": links.to("organization", row.tenant_id),
                **runs.related(row),
            }
            if row.credential_id is not None:
                related["credential"] = links.to("credential", row.credential_id)
            made.append(
                Project(
                    **summary_of(row, *COPIED),
                    type="project",
                    url=links.to("project", row.id),
                    related=related,
                    summary_fields=fields,
                    organization=row.tenant_id,
                    scm_track_submodules=False,
                    credential=row.credential_id,
                    default_environment=None,
                    custom_virtualenv=None,
                    signature_validation_credential=None,
                    **runs.ended(row),
                    next_job_run=None,
                )
            )
        return made


class ProjectUpdatePresenter:
    """Two statements for a page: projects, authors."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer

    async def one(self, row: models.ProjectUpdate) -> ProjectUpdate:
        """A run."""
        return (await self.many([row]))[0]

    async def started(self, row: models.ProjectUpdate) -> ProjectUpdateStarted:
        """A run that was just asked for."""
        return ProjectUpdateStarted(**dict(await self.one(row)), project_update=row.id)

    async def many(self, rows: Sequence[models.ProjectUpdate]) -> list[ProjectUpdate]:
        """Runs, in the order given."""
        viewer, links, session = self.viewer, self.viewer.links, self.viewer.session
        projects = await project_summaries(session, (row.project_id for row in rows))
        authors = await load_authors(session, rows)
        made = []
        for row in rows:
            writable = viewer.may_write(row.tenant_id)
            project = projects[row.project_id]
            shown = summary_of(project, "id", "name", "description", "status", "scm_type")
            made.append(
                ProjectUpdate(
                    **summary_of(row, *RUN_COPIED),
                    type="project_update",
                    url=links.to("project_update", row.id),
                    related={
                        **viewer.author_links(row),
                        **links.below("project_update", row.id, RUN_SUB_RESOURCES),
                        "project": links.to("project", row.project_id),
                        "unified_job_template": links.to("project", row.project_id),
                    },
                    summary_fields={
                        "organization": {"id": row.tenant_id, "name": project.tenant_name},
                        "project": shown,
                        "unified_job_template": {
                            **summary_of(project, "id", "name", "description"),
                            "unified_job_type": "project_update",
                        },
                        **author_fields(row, authors),
                        "user_capabilities": {"start": writable, "delete": writable},
                    },
                    unified_job_template=row.project_id,
                    project=row.project_id,
                    failed=row.status in FAILED,
                    elapsed=elapsed(row),
                    launched_by=launched_by(viewer, row, authors),
                    job_type="check",
                    scm_type=project.scm_type,
                )
            )
        return made

"""Projects and their runs."""

from typing import Any

from pydantic import BaseModel, Field

from craton_inv.schemas.names import Name
from craton_inv.schemas.v2.envelope import Named, Page
from craton_inv.schemas.v2.fields import Flag, Id, Integer, ShortText, Text, Time, unset

SCM_TYPE = '"git", or "" for a folder of the worker (a manual project).'
REFSPEC = "Fetched beside branches and tags: +refs/pull/*:refs/remotes/origin/pull/*."
CLEAN = "Kept for clients of AWX: no run changes the files of a project, so there is nothing to clean."
SUBMODULES = "Always false: submodules are not fetched."
ANEW = "Each update fetches the files anew, though the commit is known."
LOCAL_PATH = "The folder of a manual project, below CRATON_INV_PROJECTS_ROOT."


class Project(Named):
    """A project of an organization: files for its inventory sources."""

    organization: int
    scm_type: str = Field(description=SCM_TYPE)
    scm_url: str
    scm_branch: str = Field(description='Branch, tag or commit; "" for the repository\'s own branch.')
    scm_refspec: str = Field(description=REFSPEC)
    scm_clean: bool = Field(description=CLEAN)
    scm_track_submodules: bool = Field(description=SUBMODULES)
    scm_delete_on_update: bool = Field(description=ANEW)
    scm_revision: str = Field(description="The commit of the last update.")
    scm_update_on_launch: bool
    scm_update_cache_timeout: int = Field(description="Seconds.")
    allow_override: bool = Field(description="Whether sources may name another branch.")
    timeout: int = Field(description="Seconds; 0 for the default.")
    local_path: str = Field(description=LOCAL_PATH)
    credential: int | None
    default_environment: int | None
    custom_virtualenv: str | None
    signature_validation_credential: int | None
    status: str
    last_job_run: Time | None
    last_job_failed: bool
    next_job_run: Time | None
    last_update_failed: bool
    last_updated: Time | None


class ProjectList(Page[Project]):
    """A page of projects."""


class ProjectContent(BaseModel):
    """A project without saying where: for the list below an organization."""

    name: Name
    description: Text = ""
    scm_type: ShortText = Field("", description=SCM_TYPE)
    scm_url: ShortText = ""
    scm_branch: ShortText = ""
    scm_refspec: ShortText = Field("", description=REFSPEC)
    scm_clean: Flag = Field(False, description=CLEAN)
    scm_track_submodules: Flag = Field(False, description=SUBMODULES)
    scm_delete_on_update: Flag = Field(False, description=ANEW)
    scm_update_on_launch: Flag = False
    scm_update_cache_timeout: Integer = 0
    allow_override: Flag = False
    timeout: Integer = 0
    local_path: ShortText = Field("", description=LOCAL_PATH)
    credential: Id | None = Field(
        None, description="A source control credential: a name with a password or token, or an SSH key."
    )


class ProjectCreate(ProjectContent):
    """A new project."""

    organization: Id


class ProjectReplace(ProjectContent):
    """All of a project that is there. Its organization cannot change and may be left out."""

    organization: Id = unset(int)


class ProjectPatch(BaseModel):
    """What to change of a project. Its organization may be named but not changed."""

    name: Name = unset()
    organization: Id = unset(int)
    description: Text = unset()
    scm_type: ShortText = unset()
    scm_url: ShortText = unset()
    scm_branch: ShortText = unset()
    scm_refspec: ShortText = unset()
    scm_clean: Flag = unset(bool)
    scm_track_submodules: Flag = unset(bool)
    scm_delete_on_update: Flag = unset(bool)
    scm_update_on_launch: Flag = unset(bool)
    scm_update_cache_timeout: Integer = unset(int)
    allow_override: Flag = unset(bool)
    timeout: Integer = unset(int)
    local_path: ShortText = unset()
    credential: Id | None = unset(int)


class ProjectUpdate(Named):
    """A run of a project."""

    unified_job_template: int
    project: int
    launch_type: str
    status: str
    failed: bool
    started: Time | None
    finished: Time | None
    canceled_on: Time | None
    elapsed: float
    job_explanation: str
    execution_node: str
    launched_by: dict[str, Any]
    job_type: str
    scm_type: str
    scm_url: str
    scm_branch: str
    scm_revision: str = Field(description="The commit that was found.")


class ProjectUpdateStarted(ProjectUpdate):
    """A run that was just asked for; `project_update` is its id once more."""

    project_update: int


class ProjectUpdateList(Page[ProjectUpdate]):
    """A page of runs."""

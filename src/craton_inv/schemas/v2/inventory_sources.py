"""Inventory sources."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from craton_inv.schemas.names import Name
from craton_inv.schemas.v2.envelope import Named, Page
from craton_inv.schemas.v2.fields import Flag, Id, Integer, ShortText, Text, Time, unset

READ_ONLY = "Hosts and groups of the source are not renamed, deleted or changed in what it provides: 409."
DEPRECATED_GROUP = "Accepted for old clients and without effect: a source is refreshed into its inventory."


class InventorySource(Named):
    """A source. The uploaded file of a `file` source is described in `summary_fields.upload`."""

    inventory: int
    source: str = Field(description='The kind of provider; "" for a manual source.')
    source_path: str
    source_vars: str = Field(description="JSON or YAML, as it was written.")
    scm_branch: str
    credential: int | None
    enabled_var: str
    enabled_value: str
    host_filter: str = Field(description="A regular expression matched from the start of host names.")
    overwrite: bool
    overwrite_vars: bool
    custom_virtualenv: str | None
    timeout: int = Field(description="Seconds; 0 for the default, less for none.")
    verbosity: int
    limit: str = Field(description="A host pattern of Ansible.")
    trusted_connection_vars: bool = Field(
        description="Variables such as ansible_connection are taken from a kind that is not trusted with them."
    )
    execution_environment: int | None
    update_on_launch: bool
    update_cache_timeout: int = Field(description="Seconds.")
    read_only: bool = Field(description="Whether what it delivers may be changed or deleted by hand.")
    pending_deletion: bool = Field(description="Whether a worker is deleting it; nothing can be done with it then.")
    source_project: int | None
    deprecated_group: int | None = Field(None, deprecated=True, description="Always null.")
    last_job_run: Time | None
    last_job_failed: bool
    next_job_run: Time | None
    status: str
    last_update_failed: bool
    last_updated: Time | None


class InventorySourceList(Page[InventorySource]):
    """A page of sources."""


class SourceContent(BaseModel):
    """A source without saying where: for the list below an inventory."""

    name: Name
    description: Text = ""
    source: ShortText = Field("", description='The kind of provider; "" or "manual" for none.')
    source_path: ShortText = ""
    source_vars: Text = ""
    source_project: Id | None = Field(None, description="The project that a source of kind scm reads from.")
    scm_branch: ShortText = ""
    credential: Id | None = Field(
        None, description="What it logs in with; `credentials/` of the source is the newer way."
    )
    enabled_var: Text = ""
    enabled_value: Text = ""
    host_filter: Text = ""
    overwrite: Flag = False
    overwrite_vars: Flag = False
    timeout: Integer = 0
    verbosity: Integer = 1
    limit: Text = ""
    trusted_connection_vars: Flag = False
    update_on_launch: Flag = False
    update_cache_timeout: Integer = 0
    read_only: Flag = Field(False, description=READ_ONLY)
    deprecated_group: Integer | None = Field(None, deprecated=True, description=DEPRECATED_GROUP)


class InventorySourceCreate(SourceContent):
    """A new source."""

    inventory: Id


class InventorySourceReplace(SourceContent):
    """All of a source that is there. Its inventory cannot change and may be left out."""

    inventory: Id = unset(int)


class InventorySourcePatch(BaseModel):
    """What to change of a source. Its inventory may be named but not changed."""

    name: Name = unset()
    inventory: Id = unset(int)
    description: Text = unset()
    source: ShortText = unset()
    source_path: ShortText = unset()
    source_vars: Text = unset()
    source_project: Id | None = unset(int)
    scm_branch: ShortText = unset()
    credential: Id | None = unset(int)
    enabled_var: Text = unset()
    enabled_value: Text = unset()
    host_filter: Text = unset()
    overwrite: Flag = unset(bool)
    overwrite_vars: Flag = unset(bool)
    timeout: Integer = unset(int)
    verbosity: Integer = unset(int)
    limit: Text = unset()
    trusted_connection_vars: Flag = unset(bool)
    update_on_launch: Flag = unset(bool)
    update_cache_timeout: Integer = unset(int)
    read_only: Flag = unset(bool)
    deprecated_group: Integer | None = Field(None, deprecated=True, description=DEPRECATED_GROUP)


class CanUpdate(BaseModel):
    """Whether an update can be started."""

    can_update: bool


class SourceUpdatable(CanUpdate):
    """Whether an update of one source of an inventory can be started."""

    inventory_source: int


class SourcesUpdatable(BaseModel):
    """The sources of an inventory. (/api/v2 answers with the bare array.)"""

    results: list[SourceUpdatable]


class SourceStarted(BaseModel):
    """What became of one source: "started" with the run's own fields beside, or why not."""

    model_config = ConfigDict(extra="allow")

    inventory_source: int
    status: str
    inventory_update: int | None = None


class SourcesStarted(BaseModel):
    """What became of all sources of an inventory. (/api/v2 answers with the bare array.)"""

    results: list[SourceStarted]


class UpdateTarget(BaseModel):
    """One object of a source, by the columns that identify it; it need not be known here yet."""

    association: ShortText = Field(description="Where it belongs, hosts for instance.")
    manager_ref: dict[str, Any] = Field(description='Columns and their values, {"instance_id": "i-1"} for instance.')


class UpdateOptions(BaseModel):
    """How to run an update."""

    targets: list[UpdateTarget] = Field(
        default_factory=list, description="Refresh these objects only; left out, the whole source."
    )

    force_delete: Flag = Field(
        default_factory=bool, description="Delete even what the deletion guard would keep; needs the admin role."
    )
    dry_run: Flag = Field(
        default_factory=bool,
        description="Show what would change, write nothing; `inventory_updates/:id/apply/` then writes exactly that.",
    )


class SourcesOptions(BaseModel):
    """Which sources of an inventory to update."""

    on_launch: Flag = Field(
        default_factory=bool,
        description="Only those with `update_on_launch` whose last update is not recent enough.",
    )


class Uploaded(BaseModel):
    """What is stored now."""

    filename: str
    sha256: str
    size: int = Field(description="Bytes.")

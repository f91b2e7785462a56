"""Inventory updates: one run of a source each, its events and its output."""

from typing import Any

from pydantic import BaseModel, Field

from craton_inv.schemas.v2.envelope import Envelope, Named, Page
from craton_inv.schemas.v2.fields import Time


class InventoryUpdateRow(Named):
    """A run as lists show it. `elapsed` counts seconds from start to end, or to now while it runs."""

    unified_job_template: int
    kind: str = Field(description="full, or targeted for single objects.")
    dry_run: bool = Field(description="Whether it shows what would change, and writes nothing.")
    applies: int | None = Field(description="The dry run whose delivery it saves.")
    launch_type: str
    status: str
    failed: bool
    started: Time | None
    finished: Time | None
    canceled_on: Time | None
    elapsed: float
    job_explanation: str
    execution_node: str
    controller_node: str
    launched_by: dict[str, Any]
    work_unit_id: str | None
    inventory: int
    inventory_source: int
    source: str
    source_path: str
    source_vars: str
    scm_branch: str
    enabled_var: str
    enabled_value: str
    host_filter: str
    overwrite: bool
    overwrite_vars: bool
    timeout: int
    verbosity: int
    limit: str
    execution_environment: int | None
    custom_virtualenv: str | None
    credential: int | None
    license_error: bool
    org_host_limit_error: bool
    source_project: int | None
    source_project_update: int | None
    instance_group: int | None
    scm_revision: str
    result: dict[str, Any] = Field(description="Counts per collection: created, updated, deleted, unchanged.")


class InventoryUpdate(InventoryUpdateRow):
    """A run in full."""

    job_args: str
    job_cwd: str
    job_env: dict[str, Any]
    result_traceback: str
    event_processing_finished: bool


class InventoryUpdateStarted(InventoryUpdate):
    """A run that was just asked for; `inventory_update` is its id once more."""

    inventory_update: int


class InventoryUpdateList(Page[InventoryUpdateRow]):
    """A page of runs."""


class CanApply(BaseModel):
    """Whether the caller can apply a dry run now."""

    can_apply: bool
    reason: str = Field(description='Why not; "" when it can be applied.')


class CanCancel(BaseModel):
    """Whether the run can still be cancelled."""

    can_cancel: bool


class InventoryUpdateEvent(Envelope):
    """Lines that a run wrote."""

    event: str
    counter: int
    event_display: str
    event_data: dict[str, Any]
    failed: bool
    changed: bool
    uuid: str
    stdout: str
    start_line: int
    end_line: int
    verbosity: int
    inventory_update: int


class InventoryUpdateEventList(Page[InventoryUpdateEvent]):
    """A page of events."""


class StdoutRange(BaseModel):
    """Which lines a text holds; `absolute_end` counts all there are."""

    start: int
    end: int
    absolute_end: int


class Stdout(BaseModel):
    """Output of a run as JSON."""

    range: StdoutRange
    content: str

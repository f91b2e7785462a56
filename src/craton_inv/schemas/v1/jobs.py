"""Background jobs for those who operate the service."""

from datetime import UTC, datetime
from typing import Any, Self

from pydantic import BaseModel, Field

from craton_inv.schemas.v1.base import Link


class Job(BaseModel):
    """A job. A running one whose `lease_until` has passed lost its worker and is taken by another one soon."""

    id: int
    task: str = Field(description="What is done, refresh for instance.")
    args: dict[str, Any] = Field(description="Ids of what it is done to.")
    tenant_id: int | None = Field(description="Null for what concerns the whole service.")
    status: str = Field(description="queued, running, done, failed or canceled.")
    attempt: int = Field(description="How often a worker took it.")
    worker: str | None = Field(description="Host and process that hold it.")
    created: datetime
    run_at: datetime = Field(description="When it may start, or be tried again.")
    started: datetime | None
    heartbeat_at: datetime | None = Field(description="When its worker last gave a sign of life.")
    lease_until: datetime | None
    finished: datetime | None
    cancel_requested: bool
    age: float = Field(description="Seconds since it was asked for.")
    error: str = Field(description="Why the last attempt failed.")

    @classmethod
    def of(cls, row: Any, root: str) -> Self:
        """The answer about `row`; /v1 shows no links inside objects."""
        shown = {name: getattr(row, name) for name in cls.model_fields if name != "age"}
        age = ((row.finished or datetime.now(UTC)) - row.created).total_seconds()
        return cls(**shown, age=round(max(0.0, age), 3))


class JobList(BaseModel):
    """A page of jobs."""

    jobs: list[Job]
    links: list[Link]

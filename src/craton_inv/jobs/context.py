"""What a job's function gets: its claim, ways to the database, and the wish to cancel it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from craton_inv.db.session import SessionFactory
from craton_inv.queue.jobs import Claim
from craton_inv.settings import Settings


@dataclass(frozen=True)
class JobContext:
    """One attempt at one job. `canceled` is set once somebody asked the job to stop.

    The function must call `queue.jobs.finish(session, claim)` in the transaction of its effect: both commit or neither.
    """

    settings: Settings
    engine: AsyncEngine
    session_factory: SessionFactory
    claim: Claim
    log: structlog.stdlib.BoundLogger
    canceled: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def args(self) -> Mapping[str, Any]:
        """The job's arguments: ids."""
        return self.claim.args

    @property
    def max_attempts(self) -> int:
        """How often the job is tried: what it says itself, else the setting."""
        return self.claim.max_attempts or self.settings.job_max_attempts


Run = Callable[[JobContext], Awaitable[None]]
GaveUp = Callable[[AsyncSession, Mapping[str, Any], str], Awaitable[None]]


async def nothing_to_tell(session: AsyncSession, args: Mapping[str, Any], error: str) -> None:
    """For tasks whose job row says all there is to say."""


@dataclass(frozen=True)
class Task:
    """A kind of job. `gave_up` writes, in the transaction that fails the job, what its owner should see."""

    run: Run
    gave_up: GaveUp = nothing_to_tell

"""/health/live: the process answers. /health/ready: what it stands on answers too, and if not, what is away."""

import asyncio
from collections.abc import Awaitable
from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from sqlalchemy import text

from craton_inv.api.context import AppContext, context_of
from craton_inv.db.session import unit_of_work
from craton_inv.logs import get_logger
from craton_inv.services.key_ring import why_not_ready

log = get_logger(__name__)
router = APIRouter(prefix="/health", tags=["health"])
PATIENCE = 3.0
RETRY_AFTER = "5"


class Live(BaseModel):
    """The process runs."""

    status: Literal["ok"] = "ok"


class Ready(BaseModel):
    """`degraded`: Redis is away, the sweeper finds the work instead.

    `unavailable`: the database is away, or a key that secrets are kept under is missing: they are not served.
    """

    status: Literal["ok", "degraded", "unavailable"]
    database: str
    redis: str
    secrets: str = "ok"


@router.get("/live", operation_id="get_live")
async def get_live() -> Live:
    """Whether the process answers; touches nothing."""
    return Live()


@router.get("/ready", operation_id="get_ready", responses={503: {"model": Ready}})
async def get_ready(request: Request, response: Response) -> Ready:
    """Whether requests can be served: 200 with the database and the keys (without Redis `degraded`), else 503."""
    context = context_of(request)
    database, redis = await asyncio.gather(
        _said(_ask_database(context), "The database"), _said(context.bell.ping(), "Redis")
    )
    if database != "ok":
        response.status_code = 503
        response.headers["Retry-After"] = RETRY_AFTER
        return Ready(status="unavailable", database=database, redis=redis, secrets="unknown")
    secrets = await _secrets(context)
    if secrets != "ok":
        response.status_code = 503
        response.headers["Retry-After"] = RETRY_AFTER
        return Ready(status="unavailable", database=database, redis=redis, secrets=secrets)
    if redis != "ok":
        return Ready(status="degraded", database=database, redis=f"{redis} Jobs are found by the sweeper instead.")
    return Ready(status="ok", database=database, redis=redis)


async def _ask_database(context: AppContext) -> None:
    async with unit_of_work(context.session_factory) as session:
        await session.execute(text("SELECT 1"))


async def _secrets(context: AppContext) -> str:
    """Whether the keys are there that stored secrets need."""
    try:
        async with asyncio.timeout(PATIENCE), unit_of_work(context.session_factory) as session:
            return await why_not_ready(session, context.settings) or "ok"
    except Exception as error:
        log.warning("not_ready", part="secrets", error=repr(error))
        return f"The keys could not be looked at ({type(error).__name__})."


async def _said(asked: Awaitable[None], name: str) -> str:
    try:
        await asyncio.wait_for(asked, PATIENCE)
    except TimeoutError:
        return f"{name} does not answer within {PATIENCE:.0f} s."
    except Exception as error:
        # Drivers raise errors of many trees here; any of them means the same to a load balancer.
        log.warning("not_ready", part=name, error=repr(error))
        return f"{name} is not reachable ({type(error).__name__})."
    return "ok"

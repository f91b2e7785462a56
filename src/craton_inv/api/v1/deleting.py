"""DELETE of what may hold much: 204 when it is empty, with `?force=true` 202 and a job for the worker."""

from typing import Annotated, Any

from fastapi import Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

Force = Annotated[bool, Query(description="Delete everything in it as well, in the background.")]


class Accepted(BaseModel):
    """The worker does it."""

    job_id: int


ACCEPTED: dict[int | str, dict[str, Any]] = {202: {"model": Accepted, "description": "The worker deletes it."}}


def accepted(job_id: int) -> Response:
    """202 with the job's id."""
    return JSONResponse(Accepted(job_id=job_id).model_dump(), 202)

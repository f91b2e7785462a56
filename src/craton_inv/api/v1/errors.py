"""Refusals as /v1 writes them: `{"status", "message", "code", "errors"?, "request_id"}`."""

from typing import Any

from pydantic import BaseModel, Field

from craton_inv.errors import CratonInvError, InvalidFilter


class Error(BaseModel):
    """Why a request was refused."""

    status: int = Field(description="The HTTP status.")
    message: str = Field(description="What is wrong, in words.")
    code: str = Field(description="A stable name of the cause.")
    errors: dict[str, list[str]] | None = Field(None, description="Complaints by field.")
    column: int | None = Field(None, description="Where a filter cannot be read, from 1.")
    request_id: str = Field("", description="The id under which the service's log knows the request.")


def render(error: CratonInvError, request_id: str) -> tuple[int, dict[str, Any]]:
    """Status and body."""
    body = Error(
        status=error.status,
        message=error.message,
        code=error.code,
        errors=error.fields or None,
        column=error.column or None if isinstance(error, InvalidFilter) else None,
        request_id=request_id,
    )
    return error.status, body.model_dump(exclude_none=True)

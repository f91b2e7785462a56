"""Refusals as AWX writes them: `{"field": [...]}`, `{"__all__": [...]}`, `{"detail"}`, `{"error"}` or `{"msg"}`."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from craton_inv.errors import CratonInvError, Duplicate
from craton_inv.providers.credentials.inputs import InvalidInputs
from craton_inv.services.busy import Busy
from craton_inv.services.inventories import NotManual

# What /v1 calls a conflict and AWX a bad request.
_BAD_REQUESTS = frozenset({"cycle", "duplicate"})


class Error(BaseModel):
    """Why a request was refused. Every other key is the name of a field with its complaints."""

    model_config = ConfigDict(extra="allow")

    detail: str | list[str] | None = Field(None, description="Permissions, parsing, absence.")
    error: str | None = Field(None, description="A refusal by the route itself.")
    msg: str | None = Field(None, description="A refused association.")
    all: list[str] | None = Field(None, alias="__all__", description="Complaints about the object as a whole.")


def render(error: CratonInvError, request_id: str) -> tuple[int, dict[str, Any]]:
    """Status and body. A 500 carries the request's id: it is the only way to its cause."""
    status = 400 if isinstance(error, Duplicate) or error.code in _BAD_REQUESTS else error.status
    if error.code == "invalid_path":
        return 404, {"detail": "Not found."}
    if isinstance(error, Busy):
        jobs = [{"type": "inventory_update", "id": update_id} for update_id in error.update_ids]
        return status, {"error": error.message, "active_jobs": jobs}
    if isinstance(error, NotManual):
        return status, {"inventory": {"detail": error.message}}
    if isinstance(error, InvalidInputs):
        return status, {"inputs": error.nested}
    if error.fields:
        return status, {name: list(texts) for name, texts in error.fields.items()}
    if error.key == "__all__":
        return status, {"__all__": [error.message]}
    body = {error.key: error.message}
    if status == 500:
        body["request_id"] = request_id
    return status, body

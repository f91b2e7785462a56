"""Routes that runs of sources and of projects have alike: listed, read, cancelled, deleted once they have ended."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.api.ids import PathId
from craton_inv.api.v2.listing import WindowDep, listed
from craton_inv.api.v2.present.base import Viewer, ViewerDep
from craton_inv.errors import Forbidden
from craton_inv.models.inventory_update import ACTIVE
from craton_inv.repositories.base import Repository
from craton_inv.repositories.scope import Scope
from craton_inv.schemas.v2.inventory_updates import CanCancel

RowId = Annotated[PathId, Path(alias="id")]


class RunPresenter(Protocol):
    """Shows runs, in lists and alone."""

    async def many(self, rows: Any) -> Any:
        """The answers about runs, in their order."""

    async def one(self, row: Any) -> Any:
        """A run in full."""


@dataclass(frozen=True)
class Runs:
    """Runs of one kind. `name`: one of them, as in operations; `cancel`: what cancels one, given its id."""

    name: str
    repository: type[Repository[Any]]
    presenter: Callable[[Viewer], RunPresenter]
    schema: type[BaseModel]
    envelope: type[BaseModel]
    cancel: Callable[[AsyncSession, Scope, int], Awaitable[Any]]

    def rows(self, viewer: Viewer) -> Repository[Any]:
        """Those that the caller may see."""
        return self.repository(viewer.session, viewer.scope)


def add_run_routes(router: APIRouter, path: str, runs: Runs) -> None:
    """The six routes at `path`, which ends without a slash."""
    _add_reading(router, path, runs)
    _add_ending(router, path, runs)


def _add_reading(router: APIRouter, path: str, runs: Runs) -> None:
    async def list_runs(viewer: ViewerDep, window: WindowDep) -> Any:
        """List runs."""
        return await listed(window, runs.rows(viewer), runs.presenter(viewer), runs.envelope)

    async def get_run(run_id: RowId, viewer: ViewerDep) -> Any:
        """Read a run."""
        return await runs.presenter(viewer).one(await runs.rows(viewer).get(run_id))

    listing = {"response_model": runs.envelope, "response_model_exclude_unset": True}
    _add(router, f"{path}/", list_runs, "GET", f"list_{runs.name}s", **listing)
    _add(router, f"{path}/{{id}}/", get_run, "GET", f"get_{runs.name}", response_model=runs.schema)


def _add_ending(router: APIRouter, path: str, runs: Runs) -> None:
    async def delete_run(run_id: RowId, viewer: ViewerDep) -> None:
        """Delete a run that has ended, with what it said."""
        repository = runs.rows(viewer)
        row = await repository.get(run_id, lock=True)
        repository.authorize(row)
        if row.status in ACTIVE:
            raise Forbidden("Cannot delete running job resource.", code="update.running")
        await repository.delete(row)

    async def get_cancel(run_id: RowId, viewer: ViewerDep) -> CanCancel:
        """Whether a run can still be cancelled."""
        row = await runs.rows(viewer).get(run_id)
        return CanCancel(can_cancel=row.status in ACTIVE)

    async def cancel_run(run_id: RowId, viewer: ViewerDep) -> Response:
        """Cancel a run that waits or works: 202 without a body. One that has ended: 405."""
        await runs.cancel(viewer.session, viewer.scope, run_id)
        return Response(status_code=202)

    one, cancel = f"{path}/{{id}}/", f"{path}/{{id}}/cancel/"
    _add(router, one, delete_run, "DELETE", f"delete_{runs.name}", status_code=204)
    _add(router, cancel, get_cancel, "GET", f"get_{runs.name}_cancel")
    _add(router, cancel, cancel_run, "POST", f"cancel_{runs.name}", status_code=202, response_class=Response)


def _add(router: APIRouter, path: str, endpoint: Callable[..., Any], method: str, operation: str, **more: Any) -> None:
    router.add_api_route(path, endpoint, methods=[method], name=operation, operation_id=operation, **more)

"""variable_data/ of inventories, hosts and groups: JSON or YAML. PATCH replaces as PUT does, as in AWX."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from craton_inv.api.ids import PathId
from craton_inv.api.v2.present.base import Viewer, ViewerDep
from craton_inv.api.v2.yaml_bodies import REQUEST_BODY, RESPONSES, ObjectDep, answer_object
from craton_inv.repositories.base import Repository
from craton_inv.repositories.groups import GroupRepository
from craton_inv.repositories.hosts import HostRepository
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.services.variables import set_variables

router = APIRouter()
RowId = Annotated[PathId, Path(alias="id")]


def _add(kind: str, plural: str, repository: type[Repository[Any]]) -> None:
    """The three routes of one kind of object."""
    path = f"/{plural}/{{id}}/variable_data/"

    async def read(row_id: RowId, viewer: ViewerDep, request: Request) -> Response:
        row = await repository(viewer.session, viewer.scope).get(row_id)
        return answer_object(request, row.variables)

    async def write(row_id: RowId, variables: ObjectDep, viewer: ViewerDep, request: Request) -> Response:
        return answer_object(request, await _write(repository, row_id, variables, viewer))

    for method, verb, summary, endpoint in (
        ("GET", "get", "Read the variables of", read),
        ("PUT", "replace", "Replace the variables of", write),
        ("PATCH", "update", "Replace the variables of", write),
    ):
        operation = f"{verb}_{kind}_variable_data"
        router.add_api_route(
            path,
            endpoint,
            methods=[method],
            operation_id=operation,
            name=operation,
            summary=f"{summary} {'an' if kind == 'inventory' else 'a'} {kind}",
            tags=[plural],
            response_class=Response,
            responses=RESPONSES,
            openapi_extra=None if method == "GET" else REQUEST_BODY,
        )


async def _write(
    repository: type[Repository[Any]], row_id: int, variables: dict[str, Any], viewer: Viewer
) -> dict[str, Any]:
    rows = repository(viewer.session, viewer.scope)
    row = await rows.get(row_id, lock=True)
    set_variables(row, variables)
    await rows.save(row)
    return variables


_add("inventory", "inventories", InventoryRepository)
_add("host", "hosts", HostRepository)
_add("group", "groups", GroupRepository)

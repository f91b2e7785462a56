"""variable_data/ of inventories, hosts and groups: variables as an object. PATCH replaces as PUT does, as in AWX."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Path

from craton_inv.api.v2.present.base import Viewer, ViewerDep
from craton_inv.repositories.base import Repository
from craton_inv.repositories.groups import GroupRepository
from craton_inv.repositories.hosts import HostRepository
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.services.variables import set_variables

router = APIRouter()
RowId = Annotated[int, Path(alias="id")]
Variables = Annotated[dict[str, Any], Body(description="All variables of the object.")]


def _add(kind: str, plural: str, repository: type[Repository[Any]]) -> None:
    """The three routes of one kind of object."""
    path = f"/{plural}/{{id}}/variable_data/"

    async def read(row_id: RowId, viewer: ViewerDep) -> dict[str, Any]:
        row = await repository(viewer.session, viewer.scope).get(row_id)
        variables: dict[str, Any] = row.variables
        return variables

    async def write(row_id: RowId, body: Variables, viewer: ViewerDep) -> dict[str, Any]:
        return await _write(repository, row_id, body, viewer)

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
            response_model=dict[str, Any],
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

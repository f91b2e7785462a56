"""`…/variables` of one kind of object: read, merge keys, drop keys. (No postponed annotations: FastAPI reads them.)"""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request, Response
from pydantic import StrictStr

from craton_inv.api.deps import ScopeDep, SessionDep
from craton_inv.api.preconditions import require_match, tell_etag
from craton_inv.filters.paths import singular
from craton_inv.repositories.base import Repository, set_value
from craton_inv.schemas.v1.base import Variables
from craton_inv.schemas.v1.variables import VariablesShown

Write = Callable[[Any, dict[str, Any]], None]


def set_column(row: Any, variables: dict[str, Any]) -> None:
    """For tables that keep their variables as JSON alone."""
    set_value(row, "variables", variables)


def add_variables_routes(
    router: APIRouter,
    plural: str,
    repository: type[Repository[Any]],
    get_row: Callable[..., Any],
    write: Write = set_column,
    *,
    path: str,
) -> None:
    """GET, PUT and DELETE of `path`/variables.

    `get_row` is the dependency that finds the row of the path, locked when the method changes it; `write` puts a new
    object of variables into it.
    """
    one = singular(plural)
    where = f"{path}/variables"

    def made(session: SessionDep, scope: ScopeDep) -> Repository[Any]:
        return repository(session, scope)

    Rows = Annotated[Repository[Any], Depends(made)]
    Row = Annotated[Any, Depends(get_row)]

    @router.get(where, operation_id=f"get_{one}_variables", name=f"get_{one}_variables")
    async def read(row: Row, response: Response) -> VariablesShown:
        """The object's own variables."""
        tell_etag(response, row)
        return VariablesShown(variables=row.variables)

    @router.put(where, operation_id=f"set_{one}_variables", name=f"set_{one}_variables")
    async def merge(rows: Rows, row: Row, body: Variables, request: Request, response: Response) -> VariablesShown:
        """Set the keys of the body; keys that it does not name stay (Craton)."""
        require_match(request, row)
        return await written(rows, row, {**row.variables, **body}, response)

    @router.delete(where, operation_id=f"delete_{one}_variables", name=f"delete_{one}_variables")
    async def drop(
        rows: Rows, row: Row, keys: Annotated[list[StrictStr], Body()], request: Request, response: Response
    ) -> VariablesShown:
        """Remove these keys; a key that is not there is no error."""
        require_match(request, row)
        dropped = set(keys)
        kept = {key: value for key, value in row.variables.items() if key not in dropped}
        return await written(rows, row, kept, response)

    async def written(rows: Repository[Any], row: Any, variables: dict[str, Any], response: Response) -> VariablesShown:
        rows.authorize(row)
        if repr(variables) != repr(row.variables):  # 1 equals true in Python, not in JSON
            write(row, variables)
            await rows.save(row)
        tell_etag(response, row)
        return VariablesShown(variables=row.variables)

"""Dependencies that find the row of a path. (No postponed annotations: FastAPI reads them.)"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Path, Request

from craton_inv.api.deps import SAFE_METHODS, ScopeDep, SessionDep
from craton_inv.api.ids import PathId
from craton_inv.repositories.base import Repository


def row_of(repository: type[Repository[Any]], name: str, *, changes: bool = True) -> Callable[..., Awaitable[Any]]:
    """A dependency that gives the row whose id is the path parameter `name`, locked when the method changes it.

    `changes=False` for rows that the route only refers to: locking two of them could meet another request half-way.
    """

    async def get_row(
        session: SessionDep, scope: ScopeDep, request: Request, row_id: Annotated[PathId, Path(alias=name)]
    ) -> Any:
        return await repository(session, scope).get(row_id, lock=changes and request.method not in SAFE_METHODS)

    return get_row

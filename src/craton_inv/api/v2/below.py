"""Lists of rows below an object, as groups/:id/children/: written as the condition on the rows, which alone differs.

@list_below(router, "/{id}/children/", GroupRepository, GROUPS)
def list_group_children(group: models.Group) -> ColumnElement[bool]:
    \"\"\"List the direct sub-groups of a group.\"\"\"
    return groups.children_of(group.id)
"""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path
from sqlalchemy import ColumnElement

from craton_inv.api.ids import PathId
from craton_inv.api.v2.kinds import Kind
from craton_inv.api.v2.listing import WindowDep, listed
from craton_inv.api.v2.present.base import ViewerDep
from craton_inv.db.base import Base
from craton_inv.repositories.base import Repository

M = TypeVar("M", bound=Base)
Condition = Callable[[M], ColumnElement[bool]]


def list_below(
    router: APIRouter, path: str, owner: type[Repository[M]], kind: Kind, *, tag: str = ""
) -> Callable[[Condition[M]], Condition[M]]:
    """Make a condition on rows, given the object, the GET of their list. `path`: with {id}; `owner`: has the object.

    The condition's name is the operation's, its docstring the description. `tag`: beside those of the router.
    """

    def add(condition: Condition[M]) -> Condition[M]:
        async def endpoint(row_id: Annotated[PathId, Path(alias="id")], viewer: ViewerDep, window: WindowDep) -> Any:
            row = await owner(viewer.session, viewer.scope).get(row_id)
            rows = kind.repository(viewer.session, viewer.scope)
            return await listed(window, rows, kind.presenter(viewer), kind.envelope, condition(row))

        endpoint.__doc__ = condition.__doc__
        router.add_api_route(
            path,
            endpoint,
            methods=["GET"],
            name=condition.__name__,
            operation_id=condition.__name__,
            tags=[tag] if tag else None,
            response_model=kind.envelope,
            response_model_exclude_unset=True,
        )
        return condition

    return add

"""me/ and users/: who asks, and whom a caller may see. Users are made and changed under /v1."""

from typing import Annotated

from fastapi import APIRouter, Path

from craton_inv.api.ids import PathId
from craton_inv.api.v2.listing import WindowDep, listed
from craton_inv.api.v2.present import UserPresenter
from craton_inv.api.v2.present.base import ViewerDep
from craton_inv.models import User as UserRow
from craton_inv.repositories.users import UserRepository
from craton_inv.schemas.v2.users import User, UserList

router = APIRouter(tags=["users"])


@router.get("/me/", operation_id="list_me", response_model_exclude_unset=True)
async def list_me(viewer: ViewerDep, window: WindowDep) -> UserList:
    """The caller, as a list of one."""
    repository = UserRepository(viewer.session, viewer.scope)
    return await listed(window, repository, UserPresenter(viewer), UserList, UserRow.id == (viewer.scope.user_id or 0))


@router.get("/users/", operation_id="list_users", response_model_exclude_unset=True)
async def list_users(viewer: ViewerDep, window: WindowDep) -> UserList:
    """The users that the caller may see: all for a system administrator, else himself."""
    repository = UserRepository(viewer.session, viewer.scope)
    return await listed(window, repository, UserPresenter(viewer), UserList)


@router.get("/users/{id}/", operation_id="get_user")
async def get_user(user_id: Annotated[PathId, Path(alias="id")], viewer: ViewerDep) -> User:
    """Read a user."""
    row = await UserRepository(viewer.session, viewer.scope).get(user_id)
    return await UserPresenter(viewer).one(row)

"""/v1/users, for system administrators; everybody sees himself."""

from fastapi import APIRouter, Request, Response

from craton_inv.api.crud import Crud
from craton_inv.api.deps import ScopeDep, SessionDep
from craton_inv.api.v1.dialect import V1
from craton_inv.repositories.users import UserRepository
from craton_inv.schemas.v1.users import User, UserCreate, UserList, UserUpdate
from craton_inv.services import users as service

router = APIRouter(prefix="/users", tags=["users"])

users = Crud(V1, router, UserRepository, User, UserList)
users.list()
users.read()
users.delete()


@router.post("", status_code=201, operation_id="create_user")
async def create_user(
    session: SessionDep, scope: ScopeDep, body: UserCreate, request: Request, response: Response
) -> User:
    """Make a user."""
    user = await service.create_user(session, scope, body.model_dump(exclude_unset=True))
    root = request.scope.get("root_path", "")
    response.headers["Location"] = f"{root}/users/{user.id}"
    return User.of(user, root)


@router.patch("/{user_id}", operation_id="update_user")
async def update_user(session: SessionDep, scope: ScopeDep, user_id: int, body: UserUpdate) -> User:
    """Change a user; a new password replaces the old one."""
    user = await UserRepository(session, scope).get(user_id, lock=True)
    return User.of(await service.change_user(session, scope, user, body.model_dump(exclude_unset=True)), "")

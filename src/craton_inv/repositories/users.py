"""Users and their grants in the database."""

from collections.abc import Mapping

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.errors import NotFound
from craton_inv.models import Grant, User
from craton_inv.repositories.base import Repository
from craton_inv.repositories.scope import ADMIN


class UserRepository(Repository[User]):
    """Users: a system administrator sees all, everybody else only himself. Writing is for system administrators."""

    model = User
    label = "User"
    unique_texts = {"uq_users_username": "A user with that username already exists."}  # noqa: RUF012 - a constant

    def visible_condition(self) -> ColumnElement[bool]:
        """All users for an unlimited administrator, else the caller."""
        if self.scope.is_superuser and self.scope.tenant_id is None:
            return User.id.is_not(None)
        return User.id == (self.scope.user_id or 0)

    def authorize(self, row: User) -> None:
        """Raise Forbidden unless the caller is a system administrator."""
        self.scope.require_superuser()


class GrantRepository(Repository[Grant]):
    """Roles of users in tenants. Seen by whoever sees the tenant, written by its admins."""

    model = Grant
    label = "Grant"
    write_roles = ADMIN
    unique_texts = {  # noqa: RUF012 - a constant
        "uq_grants_user_id_tenant_id_role": "Grant with this User, Tenant and Role already exists."
    }


async def find_user_named(session: AsyncSession, username: str) -> User | None:
    """The user of that name, whoever asks: for logging in."""
    found: User | None = await session.scalar(select(User).where(User.username == username))
    return found


async def roles_of(session: AsyncSession, user_id: int) -> Mapping[int, frozenset[str]]:
    """The user's roles by tenant id."""
    query = (
        select(Grant.tenant_id, func.array_agg(Grant.role)).where(Grant.user_id == user_id).group_by(Grant.tenant_id)
    )
    return {tenant_id: frozenset(roles) for tenant_id, roles in await session.execute(query)}


async def require_user(session: AsyncSession, user_id: int) -> None:
    """Raise NotFound when there is no such user: for a tenant's admin who grants a role to somebody he cannot list."""
    if await session.scalar(select(User.id).where(User.id == user_id)) is None:
        raise NotFound("Not found.")

"""`craton-inv user`: users made directly in the database, by whoever may reach it."""

import sys
from typing import Annotated, Any

import typer
from pydantic_core import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.cli.database import DataDir, in_transaction, settings_of
from craton_inv.errors import NotFound
from craton_inv.models import Grant
from craton_inv.models.user import ROLES
from craton_inv.repositories.scope import SYSTEM
from craton_inv.repositories.tenants import TenantRepository
from craton_inv.repositories.users import GrantRepository
from craton_inv.schemas.v1.users import UserCreate
from craton_inv.services.users import create_user

app = typer.Typer(no_args_is_help=True)


@app.callback()
def user() -> None:
    """Make users, directly in the database."""


@app.command("create")
def create(
    username: Annotated[str, typer.Argument(help="The name to log in with.")],
    password_stdin: Annotated[
        bool,
        typer.Option("--password-stdin", help="Read a password from stdin; without one, only tokens log in."),
    ] = False,
    superuser: Annotated[bool, typer.Option("--superuser", help="A system administrator.")] = False,
    tenant: Annotated[str, typer.Option(help="Name of the tenant in which the roles hold.")] = "",
    role: Annotated[
        list[str] | None, typer.Option(help=f"A role in the tenant: {', '.join(ROLES)}. Repeatable.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Make a user."""
    roles = role or []
    unknown = [name for name in roles if name not in ROLES]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is no role; known: {', '.join(ROLES)}", param_hint="'--role'")
    if bool(roles) != bool(tenant):
        raise typer.BadParameter("roles and their tenant go together", param_hint="'--tenant' / '--role'")
    values = checked(username, _password() if password_stdin else None, superuser)

    async def work(session: AsyncSession) -> int:
        made = await create_user(session, SYSTEM, values)
        if roles:
            await grant(session, made.id, tenant, roles)
        return made.id

    print(f"User {username} has id {in_transaction(settings_of(data_dir), work)}.")


def checked(username: str, password: str | None, superuser: bool) -> dict[str, Any]:
    """The columns of a user, by the rules of the API. Raises BadParameter, which names the field and not its value."""
    try:
        body = UserCreate(username=username, password=password, is_superuser=superuser)
    except ValidationError as error:
        fault = error.errors()[0]
        raise typer.BadParameter(str(fault["msg"]), param_hint=f"'{fault['loc'][0]}'") from None
    return body.model_dump(exclude_unset=True, exclude_none=True)


async def grant(session: AsyncSession, user_id: int, tenant: str, roles: list[str]) -> None:
    """Give a user roles in the tenant of that name. Raises NotFound when there is none."""
    found = await TenantRepository(session, SYSTEM).find_named(tenant)
    if found is None:
        raise NotFound(f"There is no tenant named {tenant!r}.")
    grants = GrantRepository(session, SYSTEM)
    for name in dict.fromkeys(roles):
        await grants.add(Grant(user_id=user_id, tenant_id=found.id, role=name))


def _password() -> str:
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise typer.BadParameter("stdin gave no password", param_hint="'--password-stdin'")
    return password

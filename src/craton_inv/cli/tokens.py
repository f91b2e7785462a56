"""`craton-inv token`: tokens made directly in the database, printed once."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv import crypto
from craton_inv.cli.database import DataDir, in_transaction, settings_of
from craton_inv.errors import NotFound
from craton_inv.repositories.scope import SYSTEM
from craton_inv.repositories.tenants import TenantRepository
from craton_inv.repositories.users import find_user_named
from craton_inv.services.tokens import issue_token

app = typer.Typer(no_args_is_help=True)


@app.callback()
def token() -> None:
    """Make tokens, directly in the database."""


@app.command("create")
def create(
    username: Annotated[str, typer.Argument(help="Whose token it is.")] = "admin",
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
    read_only: Annotated[bool, typer.Option("--read-only", help="A token that may only read.")] = False,
    tenant: Annotated[str, typer.Option(help="Name of the one tenant the token is limited to.")] = "",
    days: Annotated[int | None, typer.Option(min=1, max=36500, help="Expires after so many days; else never.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Make a token and print it. It is stored hashed: this is the only time it can be read."""
    settings = settings_of(data_dir)
    values: dict[str, Any] = {"description": description, "scope": "read" if read_only else "write"}
    if days is not None:
        values["expires"] = datetime.now(UTC) + timedelta(days=days)

    async def work(session: AsyncSession) -> str:
        user = await find_user_named(session, username)
        if user is None:
            raise NotFound(f"There is no user named {username!r}; craton-inv user create makes one.")
        values["user_id"] = user.id
        if tenant:
            found = await TenantRepository(session, SYSTEM).find_named(tenant)
            if found is None:
                raise NotFound(f"There is no tenant named {tenant!r}.")
            values["tenant_id"] = found.id
        _, text = await issue_token(session, crypto.secret_key(settings), SYSTEM, values)
        return text

    print(in_transaction(settings, work))

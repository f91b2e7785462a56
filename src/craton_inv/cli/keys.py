"""`craton-inv keys`: the keys that secrets are kept under: added, looked at, changed and retired, without a stop."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.cli.database import DataDir, database, in_transaction, settings_of
from craton_inv.crypto.root_keys import RootKeys, load_root_keys, make_root_key, root_keys_file, write_root_keys
from craton_inv.db.engine import make_engine
from craton_inv.db.migrate import upgrade
from craton_inv.db.session import make_session_factory
from craton_inv.errors import Conflict, NotFound
from craton_inv.repositories.keys import tenants_with_keys
from craton_inv.repositories.scope import SYSTEM
from craton_inv.repositories.tenants import TenantRepository
from craton_inv.services import key_rotation
from craton_inv.services.key_rotation import KeyUse, Rewrapped
from craton_inv.settings import Settings

app = typer.Typer(no_args_is_help=True)
TenantName = Annotated[str, typer.Option("--tenant", help="Name of a tenant.")]


@app.callback()
def keys() -> None:
    """Change the keys that secrets are kept under."""


@app.command("list")
def list_command(data_dir: DataDir = None) -> None:
    """Show every key and how many rows it still seals."""
    settings = settings_of(data_dir)
    use = in_transaction(settings, lambda session: key_rotation.key_use(session, settings))
    _show(use)


@app.command("add")
def add(data_dir: DataDir = None) -> None:
    """Make a root key and put it first: it seals from now on. Where the setting holds the keys, print it instead."""
    settings = settings_of(data_dir)
    if settings.root_keys is not None:
        print(make_root_key().line())
        return
    known, made = load_root_keys(settings), make_root_key()
    write_root_keys(settings, RootKeys((made, *known.keys)))
    print(f"Root key {made.id} is first in {root_keys_file(settings)}; `keys rewrap` moves everything under it.")


@app.command("rewrap")
def rewrap(data_dir: DataDir = None) -> None:
    """Seal everything under the newest keys. May be stopped and run again. Exit status 1 if something did not open."""
    settings = settings_of(data_dir)
    with database(settings) as url:
        done = asyncio.run(_rewrap(url, settings))
    print(f"{done.tenant_keys} keys of tenants and {done.secrets} secrets moved; {done.unreadable} did not open.")
    if done.unreadable:
        raise typer.Exit(1)


@app.command("rotate")
def rotate(tenant: TenantName = "", data_dir: DataDir = None) -> None:
    """Give a tenant, or all that have one, a new key. What was sealed before moves with `keys rewrap`."""
    settings = settings_of(data_dir)

    async def work(session: AsyncSession) -> int:
        ids = [await _tenant_id(session, tenant)] if tenant else await tenants_with_keys(session)
        for tenant_id in ids:
            await key_rotation.rotate(session, settings, tenant_id)
        return len(ids)

    print(f"{in_transaction(settings, work)} tenants have a new key.")


@app.command("retire")
def retire(
    key: Annotated[str, typer.Argument(help="Id of a root key; with --tenant the version of a tenant's key.")],
    tenant: TenantName = "",
    data_dir: DataDir = None,
) -> None:
    """Retire a key that seals nothing any more. Refused while rows use it."""
    settings = settings_of(data_dir)

    async def work(session: AsyncSession) -> None:
        if not tenant:
            await key_rotation.retire_root_key(session, settings, key)
            return
        if not key.isdecimal():
            raise typer.BadParameter("the version of a tenant's key is a number", param_hint="'KEY'")
        await key_rotation.retire_tenant_key(session, await _tenant_id(session, tenant), int(key))

    in_transaction(settings, work)
    if tenant or settings.root_keys is not None:
        print(f"Key {key} is retired." if tenant else f"Root key {key} is retired; take it out of the setting.")
        return
    left = tuple(each for each in load_root_keys(settings, make=False).keys if each.id != key)
    if not left:
        raise Conflict("The last root key stays in its file.")
    write_root_keys(settings, RootKeys(left))
    print(f"Root key {key} is retired and taken out of {root_keys_file(settings)}.")


async def _tenant_id(session: AsyncSession, name: str) -> int:
    found = await TenantRepository(session, SYSTEM).find_named(name)
    if found is None:
        raise NotFound(f"There is no tenant named {name!r}.")
    return found.id


async def _rewrap(url: str, settings: Settings) -> Rewrapped:
    await upgrade(url)
    engine = make_engine(url, settings, application="craton-inv-cli")
    try:
        return await key_rotation.rewrap_all(make_session_factory(engine), settings)
    finally:
        await engine.dispose()


def _show(use: KeyUse) -> None:
    console = Console(highlight=False)
    roots = Table("Root key", "Seals now", "Configured", "Keys of tenants", "Retired", title="Root keys", box=None)
    for key in use.root_keys:
        retired = "" if key.retired is None else f"{key.retired:%Y-%m-%d}"
        given = "yes" if key.id in use.given else "no"
        roots.add_row(key.id, "yes" if key.id == use.first else "", given, str(key.tenant_keys), retired)
    versions = Table("Version", "Tenants", "Retired", "Secrets", title="Keys of tenants", box=None)
    for each in use.versions:
        versions.add_row(str(each.version), str(each.tenants), str(each.retired), str(each.secrets))
    console.print(roots)
    console.print(versions)

"""`craton-inv memberships`: whether the memberships of smart inventories are what their searches find."""

import asyncio

import typer

from craton_inv.cli.database import DataDir, database, settings_of
from craton_inv.db.engine import make_engine
from craton_inv.db.migrate import upgrade
from craton_inv.db.session import make_session_factory
from craton_inv.services.membership_reconciliation import Report, reconcile
from craton_inv.settings import Settings

app = typer.Typer(no_args_is_help=True)


@app.callback()
def memberships() -> None:
    """Check the memberships of smart inventories."""


@app.command("reconcile")
def reconcile_command(data_dir: DataDir = None) -> None:
    """Compare every membership with what its search finds now, and mend what differs. Exit status 1 if that was needed.

    Where CRATON_INV_AWX_REBUILD_SMART_MEMBERSHIP is off, differences are what has changed since somebody last looked.
    """
    settings = settings_of(data_dir)
    with database(settings) as url:
        report = asyncio.run(_reconcile(url, settings))
    for tenant_id, inventory_id, (missing, surplus) in report.found:
        print(f"Smart inventory {inventory_id} of tenant {tenant_id}: {missing} missing, {surplus} too many; mended.")
    print(
        f"{report.checked} smart inventories checked, {len(report.found)} with differences; "
        f"{report.renewed} that depend on the time or on other memberships put together anew; "
        f"{report.skipped} skipped; {report.strays} leftovers dropped."
    )
    if report.found or report.skipped:
        raise typer.Exit(1)


async def _reconcile(url: str, settings: Settings) -> Report:
    await upgrade(url)
    engine = make_engine(url, settings, application="craton-inv-cli")
    try:
        return await reconcile(make_session_factory(engine), settings.database_statement_timeout)
    finally:
        await engine.dispose()

"""`craton-inv db`: the schema of the database."""

import asyncio
from typing import Annotated

import typer

from craton_inv.cli.database import DataDir, database, settings_of
from craton_inv.cli.first_start import ensure_administrator
from craton_inv.db.migrate import current_revision, head_revision, upgrade
from craton_inv.repositories.path_indexes import keep_indexes

app = typer.Typer(no_args_is_help=True)


@app.command("upgrade")
def upgrade_command(
    administrator: Annotated[
        bool, typer.Option("--administrator", help="Also make the administrator of a new database, as `up` does.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Bring the database to the schema of this release and the declared indexes; nothing happens when it has them."""
    settings = settings_of(data_dir)
    with database(settings) as url:
        before = asyncio.run(current_revision(url))
        asyncio.run(upgrade(url))
        indexed = asyncio.run(keep_indexes(url, settings.indexed_paths()))
        if administrator:
            ensure_administrator(settings.model_copy(update={"database_url": url}))
    after = head_revision()
    if before == after:
        print(f"The database is at {after} already.")
    else:
        print(f"The database went from {before or 'nothing'} to {after}.")
    for line in indexed:
        print(f"Indexes of CRATON_INV_FACT_INDEXES: {line}.")


@app.command("current")
def current_command(data_dir: DataDir = None) -> None:
    """Print the schema revision of the database, and whether it is the one of this release."""
    with database(settings_of(data_dir)) as url:
        found = asyncio.run(current_revision(url))
    head = head_revision()
    if found == head:
        print(f"{found} (up to date)")
    else:
        print(f"{found or 'empty'} (this release wants {head}: run craton-inv db upgrade)")

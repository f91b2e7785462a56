"""Alembic, called as functions: bring a database to the newest schema, and say where it stands."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, pool
from sqlalchemy.ext.asyncio import create_async_engine

from craton_inv.errors import SetupError

PACKAGE = Path(__file__).parents[1]


def alembic_config() -> Config:
    """The configuration of a checkout, or the one inside the wheel."""
    packaged = PACKAGE / "_migrations"
    scripts = packaged if packaged.is_dir() else PACKAGE.parents[1] / "migrations"
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def head_revision() -> str:
    """The newest revision this release knows."""
    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    if head is None:
        raise SetupError("This installation has no migrations: it is incomplete. Install craton-inv again.")
    return head


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


async def current_revision(url: str) -> str | None:
    """The revision of the database, None when it is empty."""
    engine = create_async_engine(url, poolclass=pool.NullPool)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_revision)
    finally:
        await engine.dispose()


def _known(revision: str) -> bool:
    return any(script.revision == revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions())


def _upgrade(connection: Connection) -> None:
    found = _revision(connection)
    if found is not None and not _known(found):
        raise SetupError(
            f"The database is at revision {found}, which this release does not know: a newer craton-inv wrote it. "
            "Run that release, or restore a backup made before the upgrade."
        )
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def upgrade(url: str) -> None:
    """Migrate the database at `url` to the newest schema, in one transaction.

    Two callers at once wait for each other. Raises SetupError for a database of a newer release.
    """
    engine = create_async_engine(url, poolclass=pool.NullPool)
    try:
        async with engine.connect() as connection:
            await connection.exec_driver_sql("SELECT pg_advisory_lock(7205759403792794)")
            await connection.commit()
            await connection.run_sync(_upgrade)
            await connection.commit()
    finally:
        await engine.dispose()

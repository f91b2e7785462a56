"""How a command finds the database: the setting, the server of a running `up`, or one started for the command."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.cli.unreachable import unreachable_said_plainly
from craton_inv.cli.up import open_database
from craton_inv.db.engine import make_engine
from craton_inv.db.migrate import upgrade
from craton_inv.db.session import make_session_factory, unit_of_work
from craton_inv.settings import Settings, get_settings

T = TypeVar("T")
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where the embedded servers keep their data.")]


def settings_of(data_dir: Path | None) -> Settings:
    """The settings, with another data directory if the command line names one."""
    settings = get_settings()
    return settings if data_dir is None else settings.model_copy(update={"data_dir": data_dir.absolute()})


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """The URL of the database while the block runs. Raises SetupError when it cannot be reached or started."""
    with open_database(settings) as url, unreachable_said_plainly():
        yield url


def in_transaction(settings: Settings, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
    """Run `work` in one transaction of the migrated database and give back what it returns."""

    async def run(url: str) -> T:
        await upgrade(url)
        engine = make_engine(url, settings, application="craton-inv-cli")
        try:
            async with unit_of_work(make_session_factory(engine)) as session:
                return await work(session)
        finally:
            await engine.dispose()

    with database(settings) as url:
        return asyncio.run(run(url))

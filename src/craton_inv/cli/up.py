"""`craton-inv up`: the service in the foreground until Ctrl-C or SIGTERM."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from craton_inv.cli.first_start import ensure_administrator
from craton_inv.cli.stack import Stack
from craton_inv.embedded.lock import DirectoryInUse
from craton_inv.embedded.postgres import EmbeddedPostgres, running_url
from craton_inv.errors import SetupError
from craton_inv.logs import configure_logs
from craton_inv.settings import Settings, get_settings

__all__ = ["Stack", "open_database", "serve", "stop_on_sigterm", "up"]

EXIT_SETUP = 1
EXIT_IN_USE = 3


def up(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all of this machine.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 for any free one.")] = 8000,
    data_dir: Annotated[Path | None, typer.Option(help="Where the embedded servers keep their data.")] = None,
) -> None:
    """Start the service: database, queue, API and worker. Ctrl-C ends it."""
    serve(host, port, data_dir)


def serve(host: str, port: int, data_dir: Path | None) -> None:
    """What `up` does.

    Exit status: 0 after Ctrl-C or SIGTERM, 3 when another process owns the data directory, 1 when it cannot start.
    """
    settings = get_settings()
    if data_dir is not None:
        settings = settings.model_copy(update={"data_dir": data_dir.absolute()})
    configure_logs(settings.log_level, as_json=settings.log_json)
    try:
        with stop_on_sigterm(), Stack(settings, host, port, prepare=ensure_administrator) as stack:
            print(f"craton-inv serves on {stack.url}  (data: {settings.data_dir}; Ctrl-C ends it)", flush=True)
            stack.run_forever()
    except KeyboardInterrupt:
        print("craton-inv has stopped.", flush=True)
    except DirectoryInUse as error:
        _refuse(error, EXIT_IN_USE)
    except SetupError as error:
        _refuse(error, EXIT_SETUP)


@contextmanager
def stop_on_sigterm() -> Iterator[None]:
    """Inside, SIGTERM and SIGHUP unwind the program as Ctrl-C does."""

    def interrupt(_number: int, _frame: object) -> NoReturn:
        raise KeyboardInterrupt

    # SIGINT too: a shell starts background jobs with it ignored, and Python then leaves it so.
    numbers = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def open_database(settings: Settings) -> Iterator[str]:
    """The URL of the database for a command that needs nothing else.

    CRATON_INV_DATABASE_URL if set, else the server that `up` runs on the data directory, else one started for the time
    of the command.
    """
    url = settings.database_url or running_url(settings.data_dir)
    if url is not None:
        yield url
        return
    with EmbeddedPostgres(settings.data_dir) as server:
        yield server.url()


def _refuse(error: SetupError, status: int) -> NoReturn:
    print(error.message, file=sys.stderr, flush=True)
    raise SystemExit(status)

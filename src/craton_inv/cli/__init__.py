"""The command line: `craton-inv`, or `./craton` in a checkout. A table of commands; only the one asked for is loaded.

Exit status: 0 done; 1 refused or impossible, with one sentence on stderr; 2 wrong usage; 3 data directory in use;
130 Ctrl-C.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple

import typer
from pydantic_core import ValidationError

from craton_inv import __version__
from craton_inv.errors import CratonInvError

IN_USE = "setup.in_use"
# How a command is declared that hands options it does not know on to another program.
PASSING_ON = {"allow_extra_args": True, "ignore_unknown_options": True}

EXTRAS = (
    "Sources of the kinds ec2 and openstack need further packages. In a checkout, CRATON_INV_EXTRAS='aws openstack' "
    "before ./craton up installs them once."
)


class Entry(NamedTuple):
    """Where a command is, and what it does in one line. The target is a function, or a Typer of sub-commands."""

    module: str
    target: str
    help: str
    context: dict[str, Any] | None = None


COMMANDS = {
    "up": Entry("craton_inv.cli.up", "up", "Start the service; Ctrl-C ends it."),
    "demo": Entry("craton_inv.cli.demo", "demo", "Show the service at work on a real inventory."),
    "inventory": Entry("craton_inv.cli.inventory", "inventory", "Print an inventory as Ansible's scripts do."),
    "filter": Entry("craton_inv.cli.filters", "app", "Tell what a host_filter finds, and why."),
    "db": Entry("craton_inv.cli.db", "app", "Migrate the database, or say where it stands."),
    "user": Entry("craton_inv.cli.users", "app", "Make users, directly in the database."),
    "token": Entry("craton_inv.cli.tokens", "app", "Make tokens, directly in the database."),
    "refresh": Entry("craton_inv.cli.refresh", "app", "Refresh a source, a host or a single object."),
    "jobs": Entry("craton_inv.cli.jobs", "app", "List the work in the background, or cancel some of it."),
    "provider": Entry("craton_inv.cli.providers", "app", "List the kinds of sources, or write a new one."),
    "openapi": Entry("craton_inv.cli.openapi", "openapi", "Print the OpenAPI document of a dialect."),
    "keys": Entry("craton_inv.cli.keys", "app", "Change the keys that secrets are kept under."),
    "memberships": Entry("craton_inv.cli.memberships", "app", "Check the memberships of smart inventories."),
    "bench": Entry("craton_inv.cli.bench", "bench", "Measure it, in a throwaway database.", PASSING_ON),
    "test": Entry("craton_inv.cli.testing", "command", "Run every check of the project.", PASSING_ON),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command that `arguments` (default: the process's) name, and exit with its status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        build(given)(args=given, prog_name="craton-inv")
    except CratonInvError as error:
        _complain(error.message, status=3 if error.code == IN_USE else 1)
    except ValidationError as error:
        _complain("\n".join(map(_setting_fault, error.errors())))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has left (`| head`): nothing to tell anybody
        sys.exit(1)


def build(arguments: Sequence[str]) -> typer.Typer:
    """The application with the command that `arguments` name loaded, and the others by their help alone."""
    app = typer.Typer(
        help="An inventory of machines for people, clients and Ansible.",
        epilog=EXTRAS,
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    wanted = next((word for word in arguments if not word.startswith("-")), None)
    for name, entry in COMMANDS.items():
        if name == wanted:
            _load(app, name, entry)
        else:
            app.command(name, help=entry.help)(_not_loaded)
    return app


def _load(app: typer.Typer, name: str, entry: Entry) -> None:
    target: Any = getattr(import_module(entry.module), entry.target)
    if isinstance(target, typer.Typer):
        app.add_typer(target, name=name, help=entry.help)
    else:
        app.command(name, help=entry.help, context_settings=entry.context)(target)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"craton-inv {__version__}")
        raise typer.Exit


def _options(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version and end."
    ),
) -> None:
    """What stands before the command."""


def _not_loaded() -> None:
    """Stands for a command in the list of commands; never run, since the one asked for is loaded."""


def _setting_fault(fault: Any) -> str:
    """One wrong setting. The value is not repeated: it may be a secret."""
    words = str(fault["msg"]).removeprefix("Value error, ")
    if not fault["loc"]:  # two settings that do not fit together: the sentence names both
        return words
    name = "_".join(map(str, fault["loc"])).upper().removeprefix("CRATON_INV_")
    return f"CRATON_INV_{name}: {words}"


def _complain(sentence: str, status: int = 1) -> None:
    print(sentence, file=sys.stderr, flush=True)
    sys.exit(status)

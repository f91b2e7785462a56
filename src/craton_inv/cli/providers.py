"""`craton-inv provider`: the kinds of sources there are, and the files of a new one."""

import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import typer

from craton_inv.cli.new_provider import checked_name, in_checkout, standing_alone, write
from craton_inv.cli.testing import checkout
from craton_inv.errors import SetupError
from craton_inv.providers import base, registry

OUTSIDE = "This is an installed package, not a checkout: say --into FOLDER to make the provider a project of its own."
app = typer.Typer(no_args_is_help=True)


@app.callback()
def provider() -> None:
    """List the kinds of sources, or write a new one."""


@app.command("list")
def list_kinds() -> None:
    """Every kind, whether single objects of it can be refreshed, where it comes from, and what is missing for it."""
    found = registry.providers()
    width = max(map(len, found))
    print(f"{'KIND':{width}}  TARGETED  FROM")
    for kind, one in sorted(found.items()):
        print(f"{kind:{width}}  {'yes' if one.allow_targeted_refresh else 'no':8}  {_origin(one)}")
    for kind, one in sorted(found.items()):
        if one.extra is not None and one.extra.missing:
            print(f"{kind} lacks the package {one.extra.package}. Install it {one.extra.way}.", file=sys.stderr)


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(help="What the new kind is called, like my_cloud.")],
    into: Annotated[
        Path | None, typer.Option(help="Make it a project of its own in this folder, not a part of the checkout.")
    ] = None,
) -> None:
    """Write a small provider that works: three files, recorded answers, and a test.

    Example: craton-inv provider new acme
    """
    name = checked_name(name, registry.kinds(), Path(base.__file__).parent)
    if into is not None:
        root = into.absolute()
        files = standing_alone(name, root)
    else:
        root = _checkout()
        files = in_checkout(name, root)
    write(files)
    print(f"The provider {name} is written. In {root}:")
    for path in files:
        print(f"  {path.relative_to(root)}")
    if into is not None:
        print(f"Install it beside craton-inv (pip install {into}); it is then found by its entry point.")
    else:
        print(f"Try it: ./craton test tests/providers/test_{name}.py")
    print("The way on is described in docs/writing-a-provider.md.", file=sys.stderr)


def _checkout() -> Path:
    try:
        return checkout()
    except SetupError as error:
        raise SetupError(OUTSIDE) from error


def _origin(one: base.Provider) -> str:
    """The package that a provider was found in; for an entry point with the distribution that names it."""
    module = type(one).__module__
    package = ".".join(module.split(".")[:3]) if module.startswith("craton_inv.providers.") else module.split(".")[0]
    for point in entry_points(group=registry.ENTRY_POINTS):
        if point.module.split(".")[0] == package and point.dist is not None:
            return f"{package} ({point.dist.name} {point.dist.version})"
    return package

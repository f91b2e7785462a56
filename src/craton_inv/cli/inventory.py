"""`craton-inv inventory`: an inventory of a running service, byte for byte what the script endpoint answers.

Fits Ansible's protocol of inventory scripts (`--list`, `--host NAME`); see examples/craton_inventory.py for a script
without options that Ansible can take with -i.
"""

import sys
from typing import Annotated

import typer

from craton_inv.client import Client, ClientError


def inventory(
    list_all: Annotated[bool, typer.Option("--list", help="All hosts, groups and variables.")] = False,
    host: Annotated[str | None, typer.Option("--host", help="The variables of this host.", metavar="NAME")] = None,
    which: Annotated[
        str, typer.Option("--inventory", envvar="CRATON_INV_INVENTORY", help="Id or name of the inventory.")
    ] = "",
    url: Annotated[
        str, typer.Option(envvar="CRATON_INV_URL", help="Address of the service.")
    ] = "http://127.0.0.1:8000",
    token: Annotated[str, typer.Option(envvar="CRATON_INV_TOKEN", help="Token of a reader.", show_default=False)] = "",
) -> None:
    """Print an inventory as Ansible's inventory scripts do."""
    if list_all == (host is not None) or host == "":
        raise typer.BadParameter("say --list or --host NAME", param_hint="'--list' / '--host'")
    if not which:
        raise typer.BadParameter("say which inventory, by id or name", param_hint="'--inventory'")
    try:
        with Client(url, token or None) as api:
            document = script(api, which, host)
    except ClientError as error:
        print(error.message, file=sys.stderr)
        raise typer.Exit(1) from None
    sys.stdout.buffer.write(document)
    sys.stdout.buffer.flush()


def script(api: Client, which: str, host: str | None = None) -> bytes:
    """The document of an inventory named by id or name, or the variables of one of its hosts."""
    query = {"hostvars": "1"} if host is None else {"host": host}
    path = f"/v2/inventories/{inventory_id(api, which)}/script/"
    return api.send("GET", path, params=query).content


def inventory_id(api: Client, which: str) -> int:
    """The id that `which` is, or of the inventory that has it as its name. Raises ClientError for none or several."""
    if which.isascii() and which.isdigit():
        return int(which)
    found = api.find("/v2/inventories/", name=which)
    if found is None:
        raise ClientError(f"No inventory is named {which!r}, or the token may not see it.")
    number = found.get("id")
    if not isinstance(number, int):
        raise ClientError(f"{api.url} answered with an inventory that has no id. Is this the service's address?")
    return number

"""`craton-inv filter`: what a running service says of a host_filter."""

import sys
from typing import Annotated, Any

import typer

from craton_inv.client import Client, ClientError

app = typer.Typer(no_args_is_help=True)


@app.callback()
def filters() -> None:
    """Ask about the filter language."""


@app.command()
def explain(
    text: Annotated[str, typer.Argument(metavar="HOST_FILTER", help="A search, as in 'name=web1 or groups__name=db'.")],
    host: Annotated[int | None, typer.Option(help="Id of a host: tell what each term finds there.")] = None,
    url: Annotated[
        str, typer.Option(envvar="CRATON_INV_URL", help="Address of the service.")
    ] = "http://127.0.0.1:8000",
    token: Annotated[str, typer.Option(envvar="CRATON_INV_TOKEN", help="Token of a reader.", show_default=False)] = "",
) -> None:
    """Tell term by term what a host_filter finds and what looks wrong with it."""
    try:
        with Client(url, token or None) as api:
            found = api.post("/v2/host_filters/explain/", {"host_filter": text, "host": host})
    except ClientError as error:
        print(error.message, file=sys.stderr)
        raise typer.Exit(1) from None
    if not isinstance(found, dict) or "terms" not in found:
        print(f"{url} gave no explanation. Is this the service's address?", file=sys.stderr)
        raise typer.Exit(1)
    print("\n".join(_lines(found)))


def _lines(found: dict[str, Any]) -> list[str]:
    verdict = f"; {_matches(found['host'])} {found['host']['name']}" if found["host"] else ""
    lines = [f"{_count(found)}  {found['host_filter']}{verdict}"]
    for term in found["terms"]:
        read = ", ".join([*term["sql"]["indexes"], *(f"scan of {table}" for table in term["sql"]["scans"])])
        lines.append(f"{_count(term)}    {term['text']}   [{' '.join(term['sql']['operators'])}; {read}]")
        notes = [*term["warnings"], *(f"known: {path}" for path in term["similar"])]
        if looked := term["on_host"]:
            there = ", ".join(f"{each['row'] or ''} {each['value']!r}".strip() for each in looked["found"])
            notes.append(f"{_matches(looked)} the host, which has {there or 'nothing'} there")
        lines += [f"{'':16}{note}" for note in notes]
    return lines


def _count(counted: dict[str, Any]) -> str:
    return f"{'timed out' if counted['timed_out'] else counted['matches']:>10}"


def _matches(told: dict[str, Any]) -> str:
    return {True: "matches", False: "does not match", None: "may match"}[told["matches"]]

"""Names of hosts and groups as a source writes them, made into names that we store, or refused."""

import re

from craton_inv.errors import UpdateFailed

_JINJA = re.compile(r"\{[{%#]")
_BRACKETED = re.compile(r"^\[([A-Fa-f0-9:.]{3,})\]:(\d{1,5})$")
_SLASHES = re.compile(r"[/\\]")


def _no_jinja(name: str, kind: str) -> None:
    if _JINJA.search(name):
        raise UpdateFailed(f"Inline Jinja variables are not allowed: {kind} {name[:200]!r}.")
    if not name.strip():
        raise UpdateFailed(f"The source delivers a {kind} without a name.")


def group_name(written: str) -> str:
    """A group's name; slashes, and the names "." and "..", become underscores: bundles make files of them.

    Raises UpdateFailed for Jinja, as AWX does.
    """
    _no_jinja(written, "group")
    name = _SLASHES.sub("_", written)
    return "_" * len(name) if name in (".", "..") else name


def host_name_and_port(written: str) -> tuple[str, int | None]:
    """A host's name, and the port behind it if any: `h:22` and `[v6]:22` (AWX). Raises UpdateFailed for Jinja."""
    _no_jinja(written, "host")
    bracketed = _BRACKETED.match(written)
    if bracketed:
        return bracketed[1], int(bracketed[2])
    name, colon, port = written.partition(":")
    if colon and name.strip() and port.isascii() and port.isdecimal() and int(port) < 65536:
        return name, int(port)
    return written, None

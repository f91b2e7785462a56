"""AWX's named URLs: `/inventories/Production++Acme/` in place of `/inventories/7/`, for every path below it."""

import re
from collections.abc import Sequence
from urllib.parse import unquote

from starlette.types import ASGIApp, Receive, Scope, Send

from craton_inv.api.context import AppContext
from craton_inv.db.session import unit_of_work
from craton_inv.repositories.named import LEVELS, find_named_id

_ID = re.compile(r"[0-9]+\Z")
_PLUS = "\0"  # stands for an escaped plus while the name is split; no name holds it
NOBODY = "0"


class NamedUrls:
    """Pure ASGI around a mounted dialect: replaces a name by its id before the routes are asked.

    The row is looked up whoever asks, and then read within the caller's scope: a name that is not his to see is as
    absent to him as one that does not exist (404).
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Rewrite the path when its second part is a name."""
        if scope["type"] == "http":
            found = named_part(scope)
            if found is not None:
                prefix, plural, names, rest = found
                scope = {**scope, "path": "/".join((prefix, plural, await self._id_of(scope, plural, names), *rest))}
        await self.app(scope, receive, send)

    @staticmethod
    async def _id_of(scope: Scope, plural: str, names: Sequence[str]) -> str:
        context: AppContext = scope["app"].state.context
        async with unit_of_work(context.session_factory) as session:
            row_id = await find_named_id(session, plural, names)
        return NOBODY if row_id is None else str(row_id)


def named_part(scope: Scope) -> tuple[str, str, list[str], list[str]] | None:
    """Prefix, plural, names and the rest of a path that names an object; None for any other path."""
    prefix = str(scope.get("root_path", ""))
    path = scope["path"].removeprefix(prefix).lstrip("/")
    plural, _, below = path.partition("/")
    if plural not in LEVELS:
        return None
    # Read from the raw path: a name may hold an encoded slash.
    raw = scope.get("raw_path", b"").decode("latin-1").partition("?")[0]
    parts = raw.partition(f"/{plural}/")[2].split("/") if raw else below.split("/")
    if not parts or not parts[0] or _ID.match(parts[0]):
        return None
    names = [unquote(name).replace(_PLUS, "+") for name in unquote_plus_sign(parts[0]).split("++")]
    if len(names) != LEVELS[plural]:
        return None
    rest = [unquote(part) for part in parts[1:] if part]
    return prefix, plural, names, [*rest, ""]


def unquote_plus_sign(name: str) -> str:
    """`[+]`, plain or percent-encoded, becomes the stand-in of a plus that belongs to a name."""
    return re.sub(r"(?:\[|%5B)(?:\+|%2B)(?:\]|%5D)", _PLUS, name, flags=re.IGNORECASE)

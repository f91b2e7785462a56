"""NDJSON bodies: JSON values one a line, read as strictly as a JSON body, without ever holding the whole."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import ClientDisconnect, Request

from craton_inv.api.body import NDJSON, content_type
from craton_inv.api.strict_json import read_json_text
from craton_inv.errors import BadRequest, TooLarge, UnsupportedMediaType

# Bytes that are parsed before other requests get their turn.
TURN = 256 * 1024


def require_ndjson(request: Request) -> None:
    """Raise UnsupportedMediaType unless the body is declared as NDJSON."""
    kind = content_type(request)
    if kind not in NDJSON:
        raise UnsupportedMediaType(f'Unsupported media type "{kind or "none"}" in request; send {NDJSON[0]}.')


async def read_rows(request: Request, *, limit: int, depth: int) -> AsyncIterator[tuple[int, Any]]:
    """(number of the line from 1, value) of every line that is not blank. `limit`: bytes of a line.

    Raises BadRequest with the line, TooLarge for a long line or, by the guard in front, a long body.
    """
    number = parsed = 0
    async for line in _lines(request, limit):
        number += 1
        if not line.strip():
            continue
        parsed += len(line)
        if parsed > TURN:
            parsed = 0
            await asyncio.sleep(0)
        if len(line) > limit:
            raise _long(number, limit)
        try:
            yield number, read_json_text(line, depth=depth)
        except BadRequest as error:
            raise BadRequest(f"Line {number}: {error.message}", code=error.code) from error


async def _lines(request: Request, limit: int) -> AsyncIterator[bytes]:
    """The lines of a body without their ends; the last one may lack its end."""
    rest = bytearray()
    number = 0
    try:
        async for piece in request.stream():
            rest += piece
            *lines, tail = rest.split(b"\n")
            rest = tail
            for line in lines:
                number += 1
                yield bytes(line)
            if len(rest) > limit:
                raise _long(number + 1, limit)
    except ClientDisconnect as error:
        raise BadRequest("The body ended in the middle.") from error
    if rest:
        yield bytes(rest)


def _long(number: int, limit: int) -> TooLarge:
    return TooLarge(f"Line {number} is longer than {limit} bytes.")

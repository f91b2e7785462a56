"""Every JSON body is measured and read strictly before Pydantic sees it; other bodies are only measured.

Refused with the place: more than the size limit (413), nesting deeper than the limit, a key twice in one object, NaN
and Infinity, numbers beyond a double or 308 digits, half surrogate pairs and NUL (PostgreSQL stores neither), text
that is not UTF-8. A compressed body of any kind is a 415.
"""

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from craton_inv.api.errors import RenderBody, respond
from craton_inv.api.strict_json import read_json_text
from craton_inv.errors import BadRequest, CratonInvError, TooLarge, UnsupportedMediaType

# Many JSON values, one a line: read line by line by the routes that take it (`api.ndjson`).
NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl")


def content_type(request: Request) -> str:
    """The Content-Type without its parameters, in lower case; "" when there is none."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _is_json(kind: str) -> bool:
    return kind == "application/json" or kind.endswith("+json")


class BodyGuard:
    """Pure ASGI, inside a dialect, so that its refusals have the dialect's shape."""

    def __init__(
        self, app: ASGIApp, *, render: RenderBody, limit: int, upload_limit: int, ndjson_limit: int, depth: int
    ) -> None:
        self.app = app
        self.render = render
        self.limit = limit
        self.upload_limit = upload_limit
        self.ndjson_limit = ndjson_limit
        self.depth = depth

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, then hand the body on unchanged."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        try:
            checked = await self._checked(request, receive)
        except CratonInvError as error:
            await respond(error, request, self.render)(scope, receive, send)
            return
        await self.app(scope, checked, send)

    async def _checked(self, request: Request, receive: Receive) -> Receive:
        check_target(request)
        refuse_encoding(request)
        kind = content_type(request)
        if not _is_json(kind):
            return _measured(request, receive, self.ndjson_limit if kind in NDJSON else self.upload_limit)
        body = await self._read(request, receive)
        if body:
            read_json_text(body, depth=self.depth)
        return _replay(body, receive)

    async def _read(self, request: Request, receive: Receive) -> bytes:
        refuse_length(request, self.limit)
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return b"".join(chunks)
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > self.limit:
                raise too_large(self.limit)
            chunks.append(chunk)
            if not message.get("more_body", False):
                return b"".join(chunks)


def _measured(request: Request, receive: Receive, limit: int) -> Receive:
    refuse_length(request, limit)
    size = 0

    async def measured() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > limit:
            raise too_large(limit)
        return message

    return measured


def check_target(request: Request) -> None:
    """Raise BadRequest for a NUL in the path or query: no name holds one, and PostgreSQL takes none."""
    if "\0" in request.scope["path"]:
        raise BadRequest("The path holds the character NUL.")
    if b"%00" in request.scope["query_string"]:
        raise BadRequest("The query holds the character NUL (%00).")


def refuse_encoding(request: Request) -> None:
    """Raise UnsupportedMediaType for a compressed body: a few bytes may be gigabytes, and limits are of what comes."""
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity") and request.method not in ("GET", "HEAD", "OPTIONS"):
        raise UnsupportedMediaType(f'Content-Encoding "{encoding[:100]}" is not read; send the body as it is.')


def refuse_length(request: Request, limit: int) -> None:
    """Raise TooLarge by the Content-Length alone, before a byte is read."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > limit:
        raise too_large(limit)


def too_large(limit: int) -> TooLarge:
    """The refusal, with the limit in it."""
    return TooLarge(f"The body is larger than the limit of {limit} bytes.")


def _replay(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay

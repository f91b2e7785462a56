"""The last net of a dialect: what no handler took becomes an answer of its shape, never a trace."""

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from craton_inv.api.errors import RenderBody, respond, translate


class Faults:
    """Pure ASGI. An error after the answer began cannot be answered: it is logged and breaks the connection."""

    def __init__(self, app: ASGIApp, *, render: RenderBody) -> None:
        self.app = app
        self.render = render

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the dialect; answer what it raises."""
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception as error:
            if scope["type"] != "http":
                raise
            request = Request(scope)
            known = translate(error, request)
            if started:
                raise
            await respond(known, request, self.render)(scope, receive, send)

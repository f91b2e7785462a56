"""What can go wrong when talking to the service, each with a sentence to show."""

from typing import Any


class ClientError(Exception):
    """The service refused. `status`: its HTTP status, 0 when there was no answer; `body`: its JSON, or its text."""

    def __init__(self, message: str, *, status: int = 0, body: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.body = body


class ServiceUnreachable(ClientError):
    """Nobody answers at the address, or not in time."""


class UpdateNotFinished(ClientError):
    """An inventory update did not end within the time that its caller was ready to wait."""


def refusal_text(body: Any) -> str:
    """The sentences of an error body, in any of the shapes the dialects have.

    /v1: {"message", "errors": {field: [text]}}; /v2: {"detail"}, {"error"}, {"msg"},
    {"__all__": [text]}, {field: [text]}.
    """
    if isinstance(body, str):
        return body.strip()[:500]
    if isinstance(body, list):
        return "; ".join(filter(None, (refusal_text(item) for item in body)))
    if not isinstance(body, dict):
        return ""
    for key in ("message", "detail", "error", "msg", "__all__"):
        if body.get(key):
            sentence = refusal_text(body[key])
            fields = refusal_text(body["errors"]) if body.get("errors") else ""
            return f"{sentence} ({fields})" if fields and fields not in sentence else sentence
    return "; ".join(f"{name}: {text}" for name, value in body.items() if (text := refusal_text(value)))

"""The OpenAPI document of a dialect: no 422 (refusals are 400), one server, unique and stable operation ids."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

_NEVER_SENT = ("HTTPValidationError", "ValidationError")


def install_openapi(app: FastAPI, prefix: str) -> None:
    """Let `app.openapi()` give the document of a dialect served below `prefix`, made once."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = make_document(app, prefix)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def make_document(app: FastAPI, prefix: str) -> dict[str, Any]:
    """FastAPI's document without the 422 that it declares and our handlers never send."""
    made = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        servers=[{"url": prefix}],
    )
    for operations in made["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
    schemas = made.get("components", {}).get("schemas", {})
    for name in _NEVER_SENT:
        schemas.pop(name, None)
    return made

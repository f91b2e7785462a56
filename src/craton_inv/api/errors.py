"""Whatever is raised while a request is served becomes one error of the tree, rendered by the dialect at hand."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException

from craton_inv import errors
from craton_inv.api.database_errors import translate_database_error
from craton_inv.api.validation import translate_validation
from craton_inv.errors import CratonInvError
from craton_inv.logs import get_logger

log = get_logger(__name__)

PROBLEM = "application/problem+json"
Body = Mapping[str, Any]
RenderBody = Callable[[CratonInvError, str], tuple[int, Body]]
"""From an error and the request's id to the status and the JSON body of a dialect."""

_BY_STATUS: dict[int, type[CratonInvError]] = {
    400: errors.BadRequest,
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    413: errors.TooLarge,
    415: errors.UnsupportedMediaType,
}


class Problem(BaseModel):
    """RFC 9457, for callers whose Accept asks for application/problem+json."""

    title: str = Field(description="The status in words.")
    status: int
    detail: str
    code: str = Field(description="A stable name of the cause.")
    errors: dict[str, list[str]] | None = Field(None, description="Complaints by field.")
    request_id: str


def request_id_of(request: Request) -> str:
    """The id that the request log and the answer carry."""
    return str(request.scope.get("craton_inv.request_id", ""))


def translate(error: Exception, request: Request) -> CratonInvError:
    """The error of our tree that `error` means. What nobody foresaw is logged in full and becomes a bare 500."""
    if isinstance(error, CratonInvError):
        return error
    if isinstance(error, RequestValidationError):
        return translate_validation(error, request)
    if isinstance(error, HTTPException):
        return _from_http(error)
    known = translate_database_error(error)
    if known is None:
        log.error("unhandled_error", method=request.method, path=request.url.path, exc_info=error)
        return CratonInvError("Something went wrong inside the service; its log has the cause under this request's id.")
    if isinstance(error, DBAPIError) or known.status >= 500:
        log.warning("database_error", code=known.code, error=type(error).__name__, cause=str(error)[:500])
    return known


def _from_http(error: HTTPException) -> CratonInvError:
    if isinstance(error.__cause__, CratonInvError):
        return error.__cause__  # FastAPI wraps what is raised while it reads a form
    message = "Not found." if error.status_code == 404 else str(error.detail)
    kind = _BY_STATUS.get(error.status_code)
    if kind is not None:
        return kind(message, headers=error.headers)
    made = CratonInvError(message, code=HTTPStatus(error.status_code).name.lower(), headers=error.headers)
    made.status = error.status_code
    return made


def respond(error: CratonInvError, request: Request, render: RenderBody) -> Response:
    """The answer: the dialect's shape, or a problem document when the caller asks for one."""
    request_id = request_id_of(request)
    status, body = render(error, request_id)
    if PROBLEM in request.headers.get("accept", ""):
        problem = Problem(
            title=HTTPStatus(status).phrase,
            status=status,
            detail=error.message,
            code=error.code,
            errors=error.fields or None,
            request_id=request_id,
        )
        return JSONResponse(problem.model_dump(exclude_none=True), status, error.headers, media_type=PROBLEM)
    return JSONResponse(body, status, error.headers)


def install(app: FastAPI, render: RenderBody) -> None:
    """Let `app` answer what its routes and Starlette's router raise in the shape of its dialect."""

    async def handle(request: Request, error: Exception) -> Response:
        return respond(translate(error, request), request, render)

    for kind in (CratonInvError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, handle)


def declared(model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a dialect: every refusal that any of its routes may give."""
    texts = {
        400: "What was sent makes no sense.",
        401: "No or no valid credentials.",
        403: "The caller may see but not do this.",
        404: "Absent, or not for the caller to see.",
        405: "The object cannot do this, or the route knows no such method.",
        409: "Clashes with what is stored.",
        412: "If-Match names a stale generation.",
        413: "The body is too large.",
        415: "The body is not JSON.",
        503: "A part that the service stands on is away.",
    }
    return {status: {"model": model, "description": text} for status, text in texts.items()}

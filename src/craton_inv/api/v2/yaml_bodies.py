"""Objects as JSON or YAML, in and out: by Content-Type and by Accept."""

import json
from typing import Annotated, Any

import yaml
from fastapi import Depends, Request, Response
from fastapi.responses import JSONResponse

from craton_inv.ansible.variables_text import parse_variables
from craton_inv.api.body import too_large
from craton_inv.api.deps import ContextDep
from craton_inv.errors import BadRequest, InvalidField, UnsupportedMediaType

YAML = "application/yaml"
_YAMLS = frozenset({YAML, "application/x-yaml", "text/yaml", "text/x-yaml"})
_OBJECT = {"schema": {"type": "object", "additionalProperties": True}}
CONTENT = {"application/json": _OBJECT, YAML: _OBJECT}
REQUEST_BODY = {"requestBody": {"required": True, "content": CONTENT}}
RESPONSES: dict[int | str, dict[str, Any]] = {200: {"description": "The object.", "content": CONTENT}}


async def read_object(request: Request, context: ContextDep) -> dict[str, Any]:
    """The object in the body. Raises InvalidField, TooLarge, UnsupportedMediaType."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await request.body()
    if len(body) > context.settings.body_limit:
        raise too_large(context.settings.body_limit)
    if kind in _YAMLS:
        try:
            return parse_variables(body.decode(), "body")
        except UnicodeDecodeError as error:
            raise InvalidField("body", "The text is not UTF-8.") from error
    if kind != "application/json" and not kind.endswith("+json"):
        raise UnsupportedMediaType(
            f'Unsupported media type "{kind or "none"}" in request; send application/json or {YAML}.'
        )
    if not body:
        raise BadRequest("JSON parse error - the body is empty.")
    value = json.loads(body)  # the guard in front has read it strictly
    if not isinstance(value, dict):
        raise InvalidField("body", "Expected an object.")
    return value


ObjectDep = Annotated[dict[str, Any], Depends(read_object)]


def answer_object(request: Request, value: dict[str, Any]) -> Response:
    """The object in the form that the caller accepts: YAML when he names it, else JSON."""
    accepted = {part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "").split(",")}
    if accepted & _YAMLS:
        text = yaml.safe_dump(value, allow_unicode=True, sort_keys=False)
        return Response(text, media_type=YAML)
    return JSONResponse(value)

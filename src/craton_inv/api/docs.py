"""/docs of a dialect: its OpenAPI document as one page, without a script, a style or a font from anywhere."""

from collections.abc import Mapping
from html import escape
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}"
    "code,pre{font:14px/1.4 ui-monospace,monospace}summary{cursor:pointer;padding:.3rem 0}"
    "details{border-bottom:1px solid #8884}th,td{text-align:left;padding:.1rem 1rem .1rem 0;vertical-align:top}"
    ".verb{display:inline-block;min-width:4.5rem;font-weight:600}"
)


def install_docs(app: FastAPI) -> None:
    """Add /docs to `app`."""

    @app.get("/docs", include_in_schema=False)
    async def get_docs(request: Request) -> HTMLResponse:
        document = app.openapi()
        page = render_page(document, request.scope.get("root_path", ""))
        return HTMLResponse(page, headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"})


def render_page(document: Mapping[str, Any], root: str) -> str:
    """The whole page."""
    info = document["info"]
    operations = "".join(
        _operation(root + path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    )
    schemas = "".join(
        _schema(name, schema) for name, schema in sorted(document.get("components", {}).get("schemas", {}).items())
    )
    title = escape(info["title"])
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
        f"<h1>{title} {escape(info['version'])}</h1><p>{escape(info.get('description', ''))}</p>"
        f'<p><a href="{escape(root)}/openapi.json">OpenAPI document</a></p>'
        f"<h2>Operations</h2>{operations}<h2>Schemas</h2>{schemas}</html>"
    )


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> str:
    rows = [
        (parameter["name"], parameter["in"], _type(parameter.get("schema", {})), parameter.get("description", ""))
        for parameter in operation.get("parameters", [])
    ]
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        rows.append(("body", kind, _type(content.get("schema", {})), ""))
    for status, response in operation["responses"].items():
        contents = response.get("content", {}).values()
        kind = " or ".join(_type(content.get("schema", {})) for content in contents)
        rows.append((status, "answer", kind, response.get("description", "")))
    return (
        f'<details id="{escape(operation["operationId"])}"><summary><span class="verb">{escape(method.upper())}</span>'
        f"<code>{escape(path)}</code> {escape(operation.get('summary', ''))}</summary>"
        f"<p>{escape(operation.get('description', ''))}</p>{_table(rows)}</details>"
    )


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    required = set(schema.get("required", ()))
    rows = [
        (field, "required" if field in required else "", _type(part), part.get("description", ""))
        for field, part in schema.get("properties", {}).items()
    ]
    return (
        f'<details id="schema-{escape(name)}"><summary><code>{escape(name)}</code></summary>'
        f"<p>{escape(schema.get('description', ''))}</p>{_table(rows)}</details>"
    )


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in schema:
        return " or ".join(_type(part) for part in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("type", "any"))


def _table(rows: list[tuple[str, str, str, str]]) -> str:
    cells = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>{cells}</table>"

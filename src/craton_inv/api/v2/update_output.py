"""inventory_updates/:id/stdout/: the output of a run as JSON, text or a file to keep."""

from html import escape
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse

from craton_inv.api.ids import PathId
from craton_inv.api.v2.present.base import ViewerDep
from craton_inv.repositories.inventory_updates import InventoryUpdateRepository
from craton_inv.schemas.v2.inventory_updates import Stdout, StdoutRange
from craton_inv.services.update_output import Lines, plain, some_lines

router = APIRouter(prefix="/inventory_updates", tags=["inventory_updates"])
UpdateId = Annotated[PathId, Path(alias="id")]
Format = Literal["api", "html", "txt", "ansi", "json", "txt_download", "ansi_download"]
SHOWN = 1_048_576
TOO_LARGE = f"Standard Output too large to display, only download supported for sizes over {SHOWN} bytes."


@router.get(
    "/{id}/stdout/",
    operation_id="get_inventory_update_stdout",
    response_class=Response,
    responses={
        200: {
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/Stdout"}},
                "text/plain": {"schema": {"type": "string"}},
                "text/html": {"schema": {"type": "string"}},
            },
            "model": Stdout,
        }
    },
)
async def get_inventory_update_stdout(
    update_id: UpdateId,
    viewer: ViewerDep,
    wanted: Annotated[Format, Query(alias="format", description="`…_download` answers with a file.")] = "json",
    start_line: Annotated[int, Query(ge=0, description="The first line, from 0.")] = 0,
    end_line: Annotated[int | None, Query(ge=0, description="The line before which to stop.")] = None,
) -> Response:
    """The output of a run. More than 1 MiB is only given as a download."""
    repository = InventoryUpdateRepository(viewer.session, viewer.scope)
    update = await repository.get(update_id)
    download = wanted.endswith("_download")
    text, cut = await repository.stdout(update, None if download else SHOWN)
    lines = some_lines(TOO_LARGE if cut else text, start_line, end_line)
    if wanted == "json":
        return _json(lines)
    if wanted in ("html", "api"):
        return HTMLResponse(f"<!doctype html><title>stdout</title><pre>{escape(plain(lines.content))}</pre>")
    content = lines.content if wanted.startswith("ansi") else plain(lines.content)
    headers = {"Content-Disposition": f'attachment; filename="inventory_update_{update.id}.txt"'} if download else None
    return PlainTextResponse(content, headers=headers)


def _json(lines: Lines) -> Response:
    where = StdoutRange(start=lines.start, end=lines.end, absolute_end=lines.total)
    return JSONResponse(Stdout(range=where, content=lines.content).model_dump())

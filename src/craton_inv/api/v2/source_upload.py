"""inventory_sources/:id/upload/: the inventory file of a source of kind `file`, as multipart or as the bare body."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.datastructures import UploadFile

from craton_inv.api.ids import PathId
from craton_inv.api.v2.present.base import ViewerDep
from craton_inv.errors import InvalidField, NotFound
from craton_inv.providers.base import Upload
from craton_inv.repositories.inventory_sources import InventorySourceRepository
from craton_inv.schemas.v2.inventory_sources import Uploaded
from craton_inv.services import inventory_sources as service

router = APIRouter(prefix="/inventory_sources", tags=["inventory_sources"])
SourceId = Annotated[PathId, Path(alias="id")]
_BINARY = {"type": "string", "format": "binary"}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {"type": "object", "required": ["file"], "properties": {"file": _BINARY}}
            },
            "application/octet-stream": {"schema": _BINARY},
        },
    }
}


@router.post("/{id}/upload/", operation_id="upload_inventory", status_code=201, openapi_extra=_BODY)
async def upload_inventory(
    source_id: SourceId,
    request: Request,
    viewer: ViewerDep,
    filename: Annotated[str, Query(description="The file's name when the body is the bare file.")] = "inventory",
) -> Uploaded:
    """Upload the inventory file of a source, in place of an earlier one. The next update reads it."""
    repository = InventorySourceRepository(viewer.session, viewer.scope)
    repository.authorize(await repository.get(source_id))
    # A slow client would hold the row and a connection of the pool, which are for everybody.
    await viewer.session.commit()
    upload = await _read(request, filename)
    row = await repository.get(source_id, lock=True)
    repository.authorize(row)
    await service.save_upload(viewer.session, viewer.scope, row, upload)
    return await _stored(repository, row.id)


@router.get("/{id}/upload/", operation_id="get_upload")
async def get_upload(source_id: SourceId, viewer: ViewerDep) -> Uploaded:
    """What is uploaded now."""
    repository = InventorySourceRepository(viewer.session, viewer.scope)
    row = await repository.get(source_id)
    return await _stored(repository, row.id)


@router.delete("/{id}/upload/", operation_id="delete_upload", status_code=204)
async def delete_upload(source_id: SourceId, viewer: ViewerDep) -> None:
    """Forget the uploaded file."""
    repository = InventorySourceRepository(viewer.session, viewer.scope)
    row = await repository.get(source_id, lock=True)
    repository.authorize(row)
    await service.delete_upload(viewer.session, viewer.scope, row)


async def _read(request: Request, filename: str) -> Upload:
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return Upload(filename, await request.body())
    async with request.form(max_files=1, max_fields=10) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise InvalidField("file", "No file was submitted; its part is called file.")
        return Upload((file.filename or filename).replace("\\", "/").rsplit("/", 1)[-1], await file.read())


async def _stored(repository: InventorySourceRepository, source_id: int) -> Uploaded:
    stored = (await repository.uploads([source_id])).get(source_id)
    if stored is None:
        raise NotFound("Nothing is uploaded to this source.")
    return Uploaded(filename=stored.filename, sha256=stored.sha256, size=stored.size)

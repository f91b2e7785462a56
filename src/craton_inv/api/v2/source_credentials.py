"""inventory_sources/:id/credentials/ and inventory_updates/:id/credentials/: what a source, and a run, logs in with."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from sqlalchemy import ColumnElement

from craton_inv import models
from craton_inv.api.ids import PathId
from craton_inv.api.v2.associating import Wish, linked, wish_of
from craton_inv.api.v2.below import list_below
from craton_inv.api.v2.kinds import CREDENTIALS
from craton_inv.api.v2.present.base import ViewerDep
from craton_inv.errors import BadRequest
from craton_inv.repositories.credentials import CredentialRepository, of_source, of_update
from craton_inv.repositories.inventory_sources import InventorySourceRepository
from craton_inv.repositories.inventory_updates import InventoryUpdateRepository
from craton_inv.schemas.v2.credentials import CredentialLink
from craton_inv.services.source_credentials import attach, detach

router = APIRouter(tags=["credentials"])
SourceId = Annotated[PathId, Path(alias="id")]
UpdateId = Annotated[PathId, Path(alias="id")]


@list_below(router, "/inventory_sources/{id}/credentials/", InventorySourceRepository, CREDENTIALS)
def list_inventory_source_credentials(source: models.InventorySource) -> ColumnElement[bool]:
    """List the credential of a source: one at most."""
    return of_source(source)


@router.post(
    "/inventory_sources/{id}/credentials/", operation_id="associate_inventory_source_credentials", status_code=204
)
async def associate_inventory_source_credentials(
    source_id: SourceId, body: CredentialLink, viewer: ViewerDep
) -> Response:
    """Attach a credential to a source, or detach it. Credentials are made elsewhere."""
    session, scope = viewer.session, viewer.scope
    source = await InventorySourceRepository(session, scope).get(source_id, lock=True)
    wish = wish_of(body)
    if wish is Wish.CREATE:
        InventorySourceRepository(session, scope).authorize(source)
        raise BadRequest("Credential 'id' field is missing.", key="msg")
    credential = await linked(CredentialRepository(session, scope), body)
    change = attach if wish is Wish.ATTACH else detach
    await change(session, scope, source, credential)
    return Response(status_code=204)


@list_below(router, "/inventory_updates/{id}/credentials/", InventoryUpdateRepository, CREDENTIALS)
def list_inventory_update_credentials(update: models.InventoryUpdate) -> ColumnElement[bool]:
    """List the credential that a run logged in with."""
    return of_update(update)

"""inventories/:id/input_inventories/: what a constructed inventory is put together from, in order; attach only."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from craton_inv.api.ids import PathId
from craton_inv.api.v2.associating import Wish, linked, wish_of
from craton_inv.api.v2.listing import WindowDep, listed
from craton_inv.api.v2.present import InventoryPresenter
from craton_inv.api.v2.present.base import ViewerDep
from craton_inv.errors import BadRequest
from craton_inv.repositories import input_inventories
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.schemas.v2.inventories import InventoryList
from craton_inv.schemas.v2.links import InputInventoryLink
from craton_inv.services.constructed_inventories import attach_input, detach_input

router = APIRouter(prefix="/inventories", tags=["inventories"])
InventoryId = Annotated[PathId, Path(alias="id")]


@router.get("/{id}/input_inventories/", operation_id="list_input_inventories", response_model_exclude_unset=True)
async def list_input_inventories(inventory_id: InventoryId, viewer: ViewerDep, window: WindowDep) -> InventoryList:
    """List the inventories that a constructed one is put together from, in their order: the later one wins."""
    repository = InventoryRepository(viewer.session, viewer.scope)
    inventory = await repository.get(inventory_id)
    return await listed(
        window,
        repository,
        InventoryPresenter(viewer),
        InventoryList,
        input_inventories.inputs_of(inventory.id),
        order=input_inventories.order_in(inventory.id),
    )


@router.post("/{id}/input_inventories/", operation_id="associate_input_inventories", status_code=204)
async def associate_input_inventories(
    inventory_id: InventoryId, body: InputInventoryLink, viewer: ViewerDep
) -> Response:
    """Attach an input at the end, or detach one. None is made here."""
    repository = InventoryRepository(viewer.session, viewer.scope)
    inventory = await repository.get(inventory_id, lock=True)
    repository.authorize(inventory)
    wish = wish_of(body)
    if wish is Wish.CREATE:
        raise BadRequest("Inventory 'id' field is missing.", key="msg")
    given = await linked(repository, body)
    change = attach_input if wish is Wish.ATTACH else detach_input
    await change(viewer.session, viewer.scope, inventory, given)
    return Response(status_code=204)

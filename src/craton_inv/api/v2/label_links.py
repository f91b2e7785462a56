"""inventories/:id/labels/ and hosts/:id/labels/: the labels that one bears, attached and detached by AWX's rule."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from sqlalchemy import ColumnElement

from craton_inv import models
from craton_inv.api.ids import PathId
from craton_inv.api.v2.associating import Wish, linked, new_content, wish_of
from craton_inv.api.v2.below import list_below
from craton_inv.api.v2.kinds import LABELS
from craton_inv.api.v2.present import LabelPresenter
from craton_inv.api.v2.present.base import Viewer, ViewerDep
from craton_inv.repositories import labels
from craton_inv.repositories.hosts import HostRepository
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.repositories.labels import Bearer, LabelRepository
from craton_inv.schemas.v2.labels import Label
from craton_inv.schemas.v2.links import LabelLink
from craton_inv.services.labels import attach_label, attach_named_label, detach_label

router = APIRouter(tags=["labels"])
InventoryId = Annotated[PathId, Path(alias="id")]
HostId = Annotated[PathId, Path(alias="id")]
LINKED: dict[int | str, dict[str, Any]] = {204: {"description": "Attached or detached."}}


@list_below(router, "/inventories/{id}/labels/", InventoryRepository, LABELS)
def list_inventory_labels(inventory: models.Inventory) -> ColumnElement[bool]:
    """List the labels of an inventory."""
    return labels.of_inventory(inventory.id)


@router.post(
    "/inventories/{id}/labels/",
    operation_id="associate_inventory_labels",
    status_code=201,
    response_model=Label,
    responses=LINKED,
)
async def associate_inventory_labels(
    inventory_id: InventoryId, body: LabelLink, viewer: ViewerDep, response: Response
) -> Any:
    """Attach a label to an inventory, by id or by name, or detach it; what nothing bears any more is deleted."""
    inventory = await InventoryRepository(viewer.session, viewer.scope).get(inventory_id)
    return await _associate(inventory, body, viewer, response)


@list_below(router, "/hosts/{id}/labels/", HostRepository, LABELS)
def list_host_labels(host: models.Host) -> ColumnElement[bool]:
    """List the labels of a host."""
    return labels.of_host(host.id)


@router.post(
    "/hosts/{id}/labels/",
    operation_id="associate_host_labels",
    status_code=201,
    response_model=Label,
    responses=LINKED,
)
async def associate_host_labels(host_id: HostId, body: LabelLink, viewer: ViewerDep, response: Response) -> Any:
    """Attach a label to a host, by id or by name, or detach it; what nothing bears any more is deleted."""
    host = await HostRepository(viewer.session, viewer.scope).get(host_id)
    return await _associate(host, body, viewer, response)


async def _associate(bearer: Bearer, body: LabelLink, viewer: Viewer, response: Response) -> Any:
    session, scope = viewer.session, viewer.scope
    wish = wish_of(body)
    if wish is Wish.CREATE:
        values = new_content(body)
        label, made = await attach_named_label(session, scope, bearer, values["name"], values.get("tenant_id"))
        if made:
            response.headers["Location"] = viewer.links.to("label", label.id)
            return await LabelPresenter(viewer).one(label)
        return Response(status_code=204)
    label = await linked(LabelRepository(session, scope), body)
    change = attach_label if wish is Wish.ATTACH else detach_label
    await change(session, scope, bearer, label)
    return Response(status_code=204)

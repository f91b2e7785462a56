"""inventories/:id/labels/ and hosts/:id/labels/: the labels that one bears, attached and detached by AWX's rule."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from craton_inv.api.ids import PathId
from craton_inv.api.v2.associating import Wish, linked, new_content, wish_of
from craton_inv.api.v2.listing import WindowDep, listed
from craton_inv.api.v2.present import LabelPresenter
from craton_inv.api.v2.present.base import Viewer, ViewerDep
from craton_inv.repositories import labels
from craton_inv.repositories.hosts import HostRepository
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.repositories.labels import Bearer, LabelRepository
from craton_inv.schemas.v2.labels import Label, LabelList
from craton_inv.schemas.v2.links import LabelLink
from craton_inv.services.labels import attach_label, attach_named_label, detach_label

router = APIRouter(tags=["labels"])
InventoryId = Annotated[PathId, Path(alias="id")]
HostId = Annotated[PathId, Path(alias="id")]
LINKED: dict[int | str, dict[str, Any]] = {204: {"description": "Attached or detached."}}


@router.get("/inventories/{id}/labels/", operation_id="list_inventory_labels", response_model_exclude_unset=True)
async def list_inventory_labels(inventory_id: InventoryId, viewer: ViewerDep, window: WindowDep) -> LabelList:
    """List the labels of an inventory."""
    inventory = await InventoryRepository(viewer.session, viewer.scope).get(inventory_id)
    repository = LabelRepository(viewer.session, viewer.scope)
    return await listed(window, repository, LabelPresenter(viewer), LabelList, labels.of_inventory(inventory.id))


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


@router.get("/hosts/{id}/labels/", operation_id="list_host_labels", response_model_exclude_unset=True)
async def list_host_labels(host_id: HostId, viewer: ViewerDep, window: WindowDep) -> LabelList:
    """List the labels of a host."""
    host = await HostRepository(viewer.session, viewer.scope).get(host_id)
    repository = LabelRepository(viewer.session, viewer.scope)
    return await listed(window, repository, LabelPresenter(viewer), LabelList, labels.of_host(host.id))


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

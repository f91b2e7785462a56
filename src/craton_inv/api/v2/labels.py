"""labels/: single labels and the list of all. There is no DELETE: a label goes with its last link (AWX)."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from craton_inv.api.ids import PathId
from craton_inv.api.preconditions import require_match, tell_etag
from craton_inv.api.v2.getting import referred
from craton_inv.api.v2.listing import WindowDep, listed
from craton_inv.api.v2.present import LabelPresenter
from craton_inv.api.v2.present.base import ViewerDep
from craton_inv.errors import Forbidden
from craton_inv.repositories.labels import LabelRepository
from craton_inv.repositories.tenants import OrganizationRepository
from craton_inv.schemas.v2.labels import Label, LabelCreate, LabelList, LabelPatch, LabelReplace
from craton_inv.services import labels as service

router = APIRouter(prefix="/labels", tags=["labels"])
LabelId = Annotated[PathId, Path(alias="id")]


@router.get("/", operation_id="list_labels", response_model_exclude_unset=True)
async def list_labels(viewer: ViewerDep, window: WindowDep) -> LabelList:
    """List labels."""
    repository = LabelRepository(viewer.session, viewer.scope)
    return await listed(window, repository, LabelPresenter(viewer), LabelList)


@router.post("/", operation_id="create_label", status_code=201)
async def create_label(body: LabelCreate, viewer: ViewerDep, response: Response) -> Label:
    """Create a label, which nothing bears yet."""
    tenants = OrganizationRepository(viewer.session, viewer.scope)
    tenant = await referred(tenants, "organization", body.organization)
    row = await service.create_label(viewer.session, viewer.scope, tenant, body.name)
    response.headers["Location"] = viewer.links.to("label", row.id)
    return await LabelPresenter(viewer).one(row)


@router.get("/{id}/", operation_id="get_label")
async def get_label(label_id: LabelId, viewer: ViewerDep, response: Response) -> Label:
    """Read a label."""
    row = await LabelRepository(viewer.session, viewer.scope).get(label_id)
    tell_etag(response, row)
    return await LabelPresenter(viewer).one(row)


@router.put("/{id}/", operation_id="replace_label")
async def replace_label(label_id: LabelId, body: LabelReplace, viewer: ViewerDep, request: Request) -> Label:
    """Replace a label."""
    return await _change(label_id, body, viewer, request)


@router.patch("/{id}/", operation_id="update_label")
async def update_label(label_id: LabelId, body: LabelPatch, viewer: ViewerDep, request: Request) -> Label:
    """Change a label."""
    return await _change(label_id, body, viewer, request)


async def _change(label_id: int, body: LabelReplace | LabelPatch, viewer: ViewerDep, request: Request) -> Label:
    row = await LabelRepository(viewer.session, viewer.scope).get(label_id, lock=True)
    require_match(request, row)
    if "organization" in body.model_fields_set and body.organization != row.tenant_id:
        raise Forbidden("Unable to change organization on a label.", code="organization.fixed")
    values = body.model_dump(exclude_unset=True, exclude={"organization"})
    await service.change_label(viewer.session, viewer.scope, row, values)
    return await LabelPresenter(viewer).one(row)

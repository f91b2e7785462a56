"""Labels: made, renamed, attached to inventories and hosts, gone with their last link. AWX's rules and sentences."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.errors import BadRequest, InvalidField
from craton_inv.models import Host, Inventory, Label, Tenant
from craton_inv.repositories.activity import record
from craton_inv.repositories.base import Repository
from craton_inv.repositories.hosts import HostRepository
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.repositories.labels import Bearer, LabelLinks, LabelRepository
from craton_inv.repositories.scope import Scope

MAX_LABELS = 100


async def create_label(session: AsyncSession, scope: Scope, tenant: Tenant, name: str) -> Label:
    """Make a label that nothing bears yet. Raises Duplicate, Forbidden."""
    return await LabelRepository(session, scope).create({"tenant_id": tenant.id, "name": name})


async def change_label(session: AsyncSession, scope: Scope, label: Label, values: Mapping[str, Any]) -> Label:
    """Rename a label got with `lock=True`; its organization cannot change. Raises Duplicate, Forbidden."""
    return await LabelRepository(session, scope).change(label, values)


async def attach_label(session: AsyncSession, scope: Scope, bearer: Bearer, label: Label) -> None:
    """Attach a label to an inventory or host of its organization; again is no error.

    Raises BadRequest for a label of another organization, one that went meanwhile, or one more than `MAX_LABELS`.
    """
    links = await _links(session, scope, bearer)
    if label.tenant_id != bearer.tenant_id:
        raise BadRequest("Cannot associate a label of another organization.", code="cross_organization")
    if await LabelRepository(session, scope).hold(label.id) is None:
        raise BadRequest("Label matching query does not exist.", code="unknown_reference")
    await _add(links, bearer, label)


async def attach_named_label(
    session: AsyncSession, scope: Scope, bearer: Bearer, name: str, tenant_id: int | None = None
) -> tuple[Label, bool]:
    """Attach the label of that name in the bearer's organization, made when there is none.

    Returns it, and whether it was made. `tenant_id`: the organization that the caller named, if he did.
    Raises InvalidField when that is another one, BadRequest as `attach_label`.
    """
    links = await _links(session, scope, bearer)
    if tenant_id not in (None, bearer.tenant_id):
        raise InvalidField("organization", f"The labels of this {_kind(bearer)} are those of its own organization.")
    label, made = await LabelRepository(session, scope).hold_named(bearer.tenant_id, name)
    await _add(links, bearer, label)
    return label, made


async def detach_label(session: AsyncSession, scope: Scope, bearer: Bearer, label: Label) -> None:
    """Detach a label; one that is not attached is no error. A label that nothing bears any more is deleted (AWX)."""
    links = await _links(session, scope, bearer)
    if label.tenant_id != bearer.tenant_id:
        return
    labels = LabelRepository(session, scope)
    locked = await labels.find(label.id, lock=True)
    if locked is not None:
        await links.remove(locked)
        await record(session, "disassociate", bearer, locked)
        await labels.delete_unused(locked.id)


async def _links(session: AsyncSession, scope: Scope, bearer: Bearer) -> LabelLinks:
    owner: Repository[Any] = (
        InventoryRepository(session, scope) if isinstance(bearer, Inventory) else HostRepository(session, scope)
    )
    owner.authorize(bearer)
    links = LabelLinks(session, bearer)
    await links.lock_bearer()
    return links


async def _add(links: LabelLinks, bearer: Bearer, label: Label) -> None:
    if await links.is_attached(label):
        return
    if await links.count() >= MAX_LABELS:
        raise BadRequest(f"Maximum number of labels for {_kind(bearer)} reached.", code="labels.too_many", key="msg")
    await links.add(label)
    await record(links.session, "associate", bearer, label)


def _kind(bearer: Bearer) -> str:
    return "host" if isinstance(bearer, Host) else "inventory"

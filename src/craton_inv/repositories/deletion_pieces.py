"""What goes with a source, an inventory, a region or a tenant, in the order in which it goes, and how much at once.

Children come before what they refer to: a cascade, or a link that is emptied, then finds next to nothing left. A new
table that refers to one of these owners belongs here, unless it has a handful of rows an owner.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from craton_inv.models import (
    ActivityStream,
    Credential,
    CredentialType,
    Disk,
    FactPath,
    Flavor,
    Group,
    GroupEdge,
    GroupSource,
    Host,
    HostSource,
    Hypervisor,
    Image,
    Inventory,
    InventoryChangePart,
    InventorySource,
    InventoryUpdate,
    InventoryUpdateEvent,
    InventoryUpdateTarget,
    Job,
    Label,
    Membership,
    Network,
    NetworkPort,
    Project,
    ProjectTree,
    ProjectUpdate,
    Region,
    Resource,
    Schedule,
    ScheduleFire,
    SmartInventoryMembership,
    SourceEvent,
    UnconnectedLink,
    UpdateDeliveryChunk,
)
from craton_inv.repositories.deletions import Of, Piece

MANY = 2000
SOME = 500  # hosts that are written, groups with all their members, runs
FEW = 20  # packed rows: of a thousand changes, of a megabyte
OBJECTS = (Disk, NetworkPort, Resource, Hypervisor, Flavor, Image, Network)


def _by(column: Any) -> Of:
    """Rows whose column names the owner."""
    return lambda owner_id: column == owner_id


def _in(column: Any, query: Callable[[int], Select[Any]]) -> Of:
    """Rows whose column names one of what belongs to the owner."""
    return lambda owner_id: column.in_(query(owner_id))


def _ids(model: Any, column: Any) -> Callable[[int], Select[Any]]:
    """Ids of what belongs to the owner by a column."""
    return lambda owner_id: select(model.id).where(column == owner_id)


def _runs(of_run: Any, of_source: Callable[[Any], Of]) -> tuple[Piece, ...]:
    """Runs with all that is kept of them. `of_run`: the column of a run that names the owner."""
    runs = _ids(InventoryUpdate, of_run)
    return (
        Piece(SourceEvent, MANY, of_source(SourceEvent.inventory_source_id)),
        Piece(UnconnectedLink, MANY, of_source(UnconnectedLink.inventory_source_id)),
        Piece(InventoryUpdateEvent, MANY, _in(InventoryUpdateEvent.inventory_update_id, runs)),
        Piece(InventoryUpdateTarget, MANY, _in(InventoryUpdateTarget.inventory_update_id, runs)),
        Piece(InventoryChangePart, FEW, _in(InventoryChangePart.update_id, runs)),
        Piece(UpdateDeliveryChunk, FEW, _in(UpdateDeliveryChunk.update_id, runs)),
        Piece(InventoryUpdate, SOME, _by(of_run)),
    )


def _delivered(link: Any) -> Of:
    """Links that a source delivers."""

    def of(source_id: int) -> ColumnElement[bool]:
        inventory = select(InventorySource.inventory_id).where(InventorySource.id == source_id).scalar_subquery()
        mine: ColumnElement[bool] = (link.inventory_id == inventory) & link.source_ids.contains([source_id])
        return mine

    return of


def _released(link: Any) -> Piece:
    """Links stay when their source goes: another one may let them go later."""
    return Piece(
        link, SOME, _delivered(link), lambda source_id: {"source_ids": func.array_remove(link.source_ids, source_id)}
    )


def _emptied(column: Any, target: Any) -> Piece:
    """Columns of rows that stay and refer to what goes with a source."""
    return Piece(
        column.class_, SOME, _in(column, _ids(target, target.inventory_source_id)), lambda source_id: {column.key: None}
    )


_FIRES_OF_SOURCE = _in(ScheduleFire.schedule_id, _ids(Schedule, Schedule.inventory_source_id))
_FIRES_OF_INVENTORY = _in(ScheduleFire.schedule_id, _ids(Schedule, Schedule.inventory_id))

OF_SOURCE = (
    _released(Membership),
    _released(GroupEdge),
    Piece(HostSource, MANY, _by(HostSource.inventory_source_id)),
    Piece(GroupSource, MANY, _by(GroupSource.inventory_source_id)),
    _emptied(Host.parent_host_id, Hypervisor),
    _emptied(Host.flavor_id, Flavor),
    _emptied(Host.image_id, Image),
    _emptied(NetworkPort.network_id, Network),
    *(Piece(model, MANY, _by(model.inventory_source_id)) for model in OBJECTS),
    Piece(ScheduleFire, MANY, _FIRES_OF_SOURCE),
    *_runs(InventoryUpdate.inventory_source_id, _by),
)
OF_INVENTORY = (
    Piece(Host, MANY, _by(Host.inventory_id)),
    Piece(Group, SOME, _by(Group.inventory_id)),
    *(Piece(model, MANY, _by(model.inventory_id)) for model in OBJECTS),
    Piece(ScheduleFire, MANY, _FIRES_OF_INVENTORY),
    *_runs(
        InventoryUpdate.inventory_id,
        lambda column: _in(column, _ids(InventorySource, InventorySource.inventory_id)),
    ),
    Piece(SmartInventoryMembership, MANY, _by(SmartInventoryMembership.inventory_id)),
)
# Hosts of other inventories that stand in it.
OF_REGION = (Piece(Host, SOME, _by(Host.region_id), lambda region_id: {"region_id": None}),)
# Once its inventories are empty.
OF_TENANT = (
    Piece(Region, SOME, _by(Region.tenant_id)),
    Piece(Inventory, SOME, lambda tenant_id: (Inventory.tenant_id == tenant_id) & Inventory.pending_deletion),
    Piece(ActivityStream, MANY, _by(ActivityStream.tenant_id)),
    Piece(ProjectUpdate, SOME, _by(ProjectUpdate.tenant_id)),
    Piece(ProjectTree, FEW, _in(ProjectTree.project_id, _ids(Project, Project.tenant_id))),
    Piece(Project, SOME, _by(Project.tenant_id)),
    Piece(Credential, SOME, _by(Credential.tenant_id)),
    Piece(CredentialType, SOME, _by(CredentialType.tenant_id)),
    Piece(Label, MANY, _by(Label.tenant_id)),
    Piece(FactPath, MANY, _by(FactPath.tenant_id)),
    Piece(Job, MANY, _by(Job.tenant_id)),
)

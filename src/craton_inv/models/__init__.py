"""The tables: one dense graph, spoken by /v1 and /v2 alike. Below services and repositories, above the machines.

tenants ─< regions            every tenant-owned table carries tenant_id: the scope of a caller is one predicate
tenants ─< inventories ─< hosts >─< groups >─< groups
                       └< inventory_sources ─< inventory_updates ─< inventory_update_events
tenants ─< labels >─< inventories and hosts of the same tenant
A host or group belongs to one inventory, a region to the inventory's tenant: composite foreign keys refuse all else.
"""

from craton_inv.db.base import Base
from craton_inv.models.fact_path import FactPath
from craton_inv.models.group import Group, GroupEdge, GroupSource
from craton_inv.models.host import Host, HostFacts, HostSource, Membership
from craton_inv.models.inventory import Inventory
from craton_inv.models.inventory_source import InventorySource, InventorySourceUpload
from craton_inv.models.inventory_update import InventoryUpdate, InventoryUpdateEvent
from craton_inv.models.label import HostLabel, InventoryLabel, Label
from craton_inv.models.refresh_target import InventoryUpdateTarget, SourceEvent
from craton_inv.models.region import Region
from craton_inv.models.smart_membership import SmartInventoryMembership, SmartMembershipChange
from craton_inv.models.tenant import Tenant
from craton_inv.models.user import Grant, Token, User
from craton_inv.queue.models import Job

__all__ = [
    "Base",
    "FactPath",
    "Grant",
    "Group",
    "GroupEdge",
    "GroupSource",
    "Host",
    "HostFacts",
    "HostLabel",
    "HostSource",
    "Inventory",
    "InventoryLabel",
    "InventorySource",
    "InventorySourceUpload",
    "InventoryUpdate",
    "InventoryUpdateEvent",
    "InventoryUpdateTarget",
    "Job",
    "Label",
    "Membership",
    "Region",
    "SmartInventoryMembership",
    "SmartMembershipChange",
    "SourceEvent",
    "Tenant",
    "Token",
    "User",
]

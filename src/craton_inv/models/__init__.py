"""The tables: one dense graph, spoken by /v1 and /v2 alike. Below services and repositories, above the machines.

tenants ─< regions            every tenant-owned table carries tenant_id: the scope of a caller is one predicate
tenants ─< inventories ─< hosts >─< groups >─< groups
                       └< inventory_sources ─< inventory_updates ─< inventory_update_events, inventory_change_parts
                          inventory_updates ─ update_deliveries ─< update_delivery_chunks
tenants ─< activity_stream, which refers to nothing else of theirs
inventory_sources ─< schedules ─< schedule_fires
inventory_sources ─< hypervisors, flavors, images, networks, disks, network_ports, resources
                     hypervisors, flavors, images ─< hosts ─< disks, network_ports >─ networks
tenants ─< labels >─< inventories and hosts of the same tenant
tenants ─< credentials ─< inventory_sources of the same tenant; their secrets are sealed under tenant_keys
A host or group belongs to one inventory, a region to the inventory's tenant: composite foreign keys refuse all else.
"""

from craton_inv.db.base import Base
from craton_inv.models.activity import ActivityStream
from craton_inv.models.change_set import InventoryChange, InventoryChangePart, UpdateDelivery, UpdateDeliveryChunk
from craton_inv.models.credential import Credential, CredentialType
from craton_inv.models.disk import Disk
from craton_inv.models.fact_path import FactPath
from craton_inv.models.flavor import Flavor
from craton_inv.models.group import Group, GroupEdge, GroupSource
from craton_inv.models.host import Host, HostFacts, HostSource, Membership
from craton_inv.models.hypervisor import Hypervisor
from craton_inv.models.image import Image
from craton_inv.models.input_inventory import InputInventory
from craton_inv.models.inventory import Inventory
from craton_inv.models.inventory_source import InventorySource, InventorySourceState, InventorySourceUpload
from craton_inv.models.inventory_update import InventoryUpdate, InventoryUpdateEvent
from craton_inv.models.key import RootKey, TenantKey
from craton_inv.models.label import HostLabel, InventoryLabel, Label
from craton_inv.models.network import Network
from craton_inv.models.network_port import NetworkPort
from craton_inv.models.project import Project, ProjectTree, ProjectUpdate
from craton_inv.models.refresh_target import InventoryUpdateTarget, SourceEvent
from craton_inv.models.region import Region
from craton_inv.models.resource import Resource
from craton_inv.models.schedule import Schedule, ScheduleFire
from craton_inv.models.smart_membership import SmartInventoryMembership, SmartMembershipChange
from craton_inv.models.tenant import Tenant
from craton_inv.models.unconnected_link import UnconnectedLink
from craton_inv.models.user import Grant, Token, User
from craton_inv.queue.models import Job

__all__ = [
    "ActivityStream",
    "Base",
    "Credential",
    "CredentialType",
    "Disk",
    "FactPath",
    "Flavor",
    "Grant",
    "Group",
    "GroupEdge",
    "GroupSource",
    "Host",
    "HostFacts",
    "HostLabel",
    "HostSource",
    "Hypervisor",
    "Image",
    "InputInventory",
    "Inventory",
    "InventoryChange",
    "InventoryChangePart",
    "InventoryLabel",
    "InventorySource",
    "InventorySourceState",
    "InventorySourceUpload",
    "InventoryUpdate",
    "InventoryUpdateEvent",
    "InventoryUpdateTarget",
    "Job",
    "Label",
    "Membership",
    "Network",
    "NetworkPort",
    "Project",
    "ProjectTree",
    "ProjectUpdate",
    "Region",
    "Resource",
    "RootKey",
    "Schedule",
    "ScheduleFire",
    "SmartInventoryMembership",
    "SmartMembershipChange",
    "SourceEvent",
    "Tenant",
    "TenantKey",
    "Token",
    "UnconnectedLink",
    "UpdateDelivery",
    "UpdateDeliveryChunk",
    "User",
]

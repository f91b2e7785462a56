"""Rows as /v2 shows them. A presenter takes a page's rows and loads their neighbours in a few statements."""

from craton_inv.api.v2.present.constructed_inventories import ConstructedInventoryPresenter
from craton_inv.api.v2.present.credential_types import CredentialTypePresenter
from craton_inv.api.v2.present.credentials import CredentialPresenter
from craton_inv.api.v2.present.groups import GroupPresenter
from craton_inv.api.v2.present.hosts import HostPresenter
from craton_inv.api.v2.present.inventories import InventoryPresenter
from craton_inv.api.v2.present.inventory_sources import InventorySourcePresenter
from craton_inv.api.v2.present.inventory_updates import InventoryUpdatePresenter
from craton_inv.api.v2.present.labels import LabelPresenter
from craton_inv.api.v2.present.organizations import OrganizationPresenter
from craton_inv.api.v2.present.projects import ProjectPresenter, ProjectUpdatePresenter
from craton_inv.api.v2.present.schedules import SchedulePresenter
from craton_inv.api.v2.present.users import UserPresenter

__all__ = [
    "ConstructedInventoryPresenter",
    "CredentialPresenter",
    "CredentialTypePresenter",
    "GroupPresenter",
    "HostPresenter",
    "InventoryPresenter",
    "InventorySourcePresenter",
    "InventoryUpdatePresenter",
    "LabelPresenter",
    "OrganizationPresenter",
    "ProjectPresenter",
    "ProjectUpdatePresenter",
    "SchedulePresenter",
    "UserPresenter",
]

"""The kinds of rows that lists below objects show: where the rows come from, who presents them, and in what."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from craton_inv.api.v2.listing import Presenter
from craton_inv.api.v2.present import (
    CredentialPresenter,
    GroupPresenter,
    InventoryPresenter,
    InventorySourcePresenter,
    InventoryUpdatePresenter,
    LabelPresenter,
    ProjectPresenter,
    ProjectUpdatePresenter,
    SchedulePresenter,
)
from craton_inv.api.v2.present.activity import ActivityStreamPresenter
from craton_inv.api.v2.present.base import Viewer
from craton_inv.repositories.activity import ActivityStreamRepository
from craton_inv.repositories.base import Repository
from craton_inv.repositories.credentials import CredentialRepository
from craton_inv.repositories.groups import GroupRepository
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.repositories.inventory_sources import InventorySourceRepository
from craton_inv.repositories.inventory_updates import InventoryUpdateRepository
from craton_inv.repositories.labels import LabelRepository
from craton_inv.repositories.projects import ProjectRepository, ProjectUpdateRepository
from craton_inv.repositories.schedules import ScheduleRepository
from craton_inv.schemas.v2.activity import ActivityStreamList
from craton_inv.schemas.v2.credentials import CredentialList
from craton_inv.schemas.v2.groups import GroupList
from craton_inv.schemas.v2.inventories import InventoryList
from craton_inv.schemas.v2.inventory_sources import InventorySourceList
from craton_inv.schemas.v2.inventory_updates import InventoryUpdateList
from craton_inv.schemas.v2.labels import LabelList
from craton_inv.schemas.v2.projects import ProjectList, ProjectUpdateList
from craton_inv.schemas.v2.schedules import ScheduleList


@dataclass(frozen=True)
class Kind:
    """One kind of rows."""

    repository: type[Repository[Any]]
    presenter: Callable[[Viewer], Presenter]
    envelope: type[BaseModel]


ACTIVITY = Kind(ActivityStreamRepository, ActivityStreamPresenter, ActivityStreamList)
CREDENTIALS = Kind(CredentialRepository, CredentialPresenter, CredentialList)
GROUPS = Kind(GroupRepository, GroupPresenter, GroupList)
INVENTORIES = Kind(InventoryRepository, InventoryPresenter, InventoryList)
INVENTORY_SOURCES = Kind(InventorySourceRepository, InventorySourcePresenter, InventorySourceList)
INVENTORY_UPDATES = Kind(InventoryUpdateRepository, InventoryUpdatePresenter, InventoryUpdateList)
LABELS = Kind(LabelRepository, LabelPresenter, LabelList)
PROJECTS = Kind(ProjectRepository, ProjectPresenter, ProjectList)
PROJECT_UPDATES = Kind(ProjectUpdateRepository, ProjectUpdatePresenter, ProjectUpdateList)
SCHEDULES = Kind(ScheduleRepository, SchedulePresenter, ScheduleList)

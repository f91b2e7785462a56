"""/api/v2/, ping/ and config/: what AWX's clients ask first, and the empty lists that they must find."""

import socket
from collections.abc import Callable, Coroutine
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel

from craton_inv import __version__
from craton_inv.api.deps import ScopeDep
from craton_inv.api.v2.dialect import PRODUCT
from craton_inv.schemas.v2.envelope import Page

router = APIRouter(tags=["root"])
AWX_VERSION = PRODUCT["X-API-Product-Version"]

# The keys become awxkit's commands. It must not find `inventories`: that name is taken by its own parser.
SERVED = {
    "ping": "ping",
    "config": "config",
    "me": "me",
    "organizations": "organizations",
    "users": "users",
    "tokens": "tokens",
    "inventory": "inventories",
    "constructed_inventory": "constructed_inventories",
    "inventory_sources": "inventory_sources",
    "inventory_updates": "inventory_updates",
    "groups": "groups",
    "hosts": "hosts",
    "host_filters": "host_filters",
    "labels": "labels",
    "activity_stream": "activity_stream",
    "projects": "projects",
    "project_updates": "project_updates",
    "schedules": "schedules",
    "credential_types": "credential_types",
    "credentials": "credentials",
    "hypervisors": "hypervisors",
    "flavors": "flavors",
    "images": "images",
    "networks": "networks",
    "disks": "disks",
    "network_ports": "network_ports",
    "resources": "resources",
}
# `awx import` and `awx export` look each of these up, whether they are used or not: their lists are empty.
EMPTY = (
    "applications",
    "execution_environments",
    "job_templates",
    "notification_templates",
    "system_job_templates",
    "teams",
    "workflow_job_templates",
)


class Nothing(BaseModel):
    """Stands for objects that this service does not keep."""

    id: int
    name: str


class NothingList(Page[Nothing]):
    """An empty list."""


class Ping(BaseModel):
    """That the service is there."""

    ha: bool
    version: str
    active_node: str
    instances: list[dict[str, Any]]
    instance_groups: list[dict[str, Any]]


class Config(BaseModel):
    """Versions, in the words of AWX's clients."""

    version: str
    ansible_version: str
    craton_inv_version: str
    license_info: dict[str, Any]


@router.get("/", operation_id="get_root")
async def get_root(request: Request) -> dict[str, str]:
    """The resources by name. Anonymous: clients ask before they log in."""
    prefix = str(request.scope.get("root_path", "")).rstrip("/")
    return {
        name: f"{prefix}/{path}/" for name, path in sorted({**SERVED, **dict(zip(EMPTY, EMPTY, strict=True))}.items())
    }


@router.get("/ping/", operation_id="get_ping")
async def get_ping() -> Ping:
    """That the service is there. Anonymous."""
    return Ping(ha=False, version=AWX_VERSION, active_node=socket.gethostname(), instances=[], instance_groups=[])


@router.get("/config/", operation_id="get_config")
async def get_config(scope: ScopeDep) -> Config:
    """Versions of the service, of the AWX release whose clients it serves, and of Ansible."""
    return Config(
        version=AWX_VERSION,
        ansible_version=version("ansible-core"),
        craton_inv_version=__version__,
        license_info={"license_type": "open", "valid_key": True, "product_name": "AWX"},
    )


def _empty(name: str) -> Callable[[Any], Coroutine[Any, Any, NothingList]]:
    async def endpoint(scope: ScopeDep) -> NothingList:
        return NothingList(count=0, next=None, previous=None, results=[])

    endpoint.__doc__ = f"No {name.replace('_', ' ')}: this service keeps none."
    return endpoint


for _name in EMPTY:
    router.add_api_route(
        f"/{_name}/", _empty(_name), methods=["GET"], name=f"list_{_name}", operation_id=f"list_{_name}",
        response_model=NothingList, include_in_schema=False,
    )  # fmt: skip

"""Regions: where hosts stand, each with the inventory it owns."""

from typing import Any

from pydantic import BaseModel, Field

from craton_inv.schemas.names import Name
from craton_inv.schemas.v1.base import Body, Link, Shown, Text, Variables


class Region(Shown):
    """A region. Hosts posted with its id and no `inventory_id` land in `inventory_id`."""

    tenant_id: int
    inventory_id: int
    name: str
    description: str
    variables: dict[str, Any]


class RegionList(BaseModel):
    """A page of regions."""

    regions: list[Region]
    links: list[Link]


class RegionCreate(Body):
    """What a region is made from; its inventory is made with it and named after it."""

    name: Name
    description: Text = ""
    variables: Variables = Field(default_factory=dict)


class RegionUpdate(Body):
    """What may change, each field by itself."""

    name: Name = ""
    description: Text = ""
    variables: Variables = Field(default_factory=dict)

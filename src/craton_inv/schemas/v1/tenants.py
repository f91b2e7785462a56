"""Tenants: who owns inventories; /v2's organizations."""

from typing import Any

from pydantic import BaseModel, Field

from craton_inv.schemas.names import Name
from craton_inv.schemas.v1.base import Body, Link, Shown, Text, Variables


class Tenant(Shown):
    """A tenant."""

    name: str
    description: str
    customer: str
    variables: dict[str, Any]


class TenantList(BaseModel):
    """A page of tenants."""

    tenants: list[Tenant]
    links: list[Link]


class TenantCreate(Body):
    """What a tenant is made from."""

    name: Name
    description: Text = ""
    customer: Text = ""
    variables: Variables = Field(default_factory=dict)


class TenantUpdate(Body):
    """What may change, each field by itself."""

    name: Name = ""
    description: Text = ""
    customer: Text = ""
    variables: Variables = Field(default_factory=dict)

"""Organizations: the same rows as the tenants of /v1."""

from pydantic import BaseModel, Field

from craton_inv.schemas.names import Name
from craton_inv.schemas.v2.envelope import Named, Page
from craton_inv.schemas.v2.fields import Text, unset


class Organization(Named):
    """An organization."""

    pending_deletion: bool = Field(description="Whether a worker is deleting it with all that it has.")


class OrganizationList(Page[Organization]):
    """A page of organizations."""


class OrganizationCreate(BaseModel):
    """A new organization, or all of one that is there."""

    name: Name
    description: Text = ""


class OrganizationPatch(BaseModel):
    """What to change of an organization."""

    name: Name = unset()
    description: Text = unset()

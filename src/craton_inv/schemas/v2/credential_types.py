"""Credential types."""

from typing import Annotated, Any

from pydantic import BaseModel, Field, WithJsonSchema

from craton_inv.schemas.names import Name
from craton_inv.schemas.v2.envelope import Named, Page
from craton_inv.schemas.v2.fields import Id, Text, unset

# Taken as it comes and checked by hand: no complaint may repeat what somebody put there.
Object = Annotated[Any, WithJsonSchema({"type": "object"})]


class CredentialType(Named):
    """Which inputs a credential of the type has, and where they go. Managed types are AWX's and cannot be changed."""

    organization: int | None = Field(description="Whose type it is; null for one that all organizations have.")
    kind: str
    namespace: str | None = Field(description="AWX's short name of a managed type.")
    managed: bool
    inputs: dict[str, Any]
    injectors: dict[str, Any]


class CredentialTypeList(Page[CredentialType]):
    """A page of credential types."""


class CredentialTypeCreate(BaseModel):
    """A new type. Without an organization it is one for all, which only system administrators make."""

    name: Name
    description: Text = ""
    kind: Text = Field(description="cloud or net.")
    organization: Id | None = None
    inputs: Object = Field(default_factory=dict, description="`fields` and `required`, as AWX writes them.")
    injectors: Object = Field(default_factory=dict, description="`env`, `file` and `extra_vars` with templates.")


class CredentialTypePatch(BaseModel):
    """What to change of a type. Its organization cannot change."""

    name: Name = unset()
    description: Text = unset()
    kind: Text = unset()
    organization: Id | None = unset(int)
    inputs: Object = unset(dict)
    injectors: Object = unset(dict)


class CredentialTypeReplace(CredentialTypePatch):
    """All of a type that is there."""

    name: Name
    kind: Text

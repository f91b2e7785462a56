"""Credentials. Secret inputs never leave the service: `$encrypted$` stands for them."""

from typing import Any

from pydantic import BaseModel, Field

from craton_inv.schemas.names import Name
from craton_inv.schemas.v2.credential_types import Object
from craton_inv.schemas.v2.envelope import Named, Page
from craton_inv.schemas.v2.fields import Id, Text, unset
from craton_inv.schemas.v2.links import Link

_INPUTS = "By the fields of its type. `$encrypted$` keeps the secret that is stored."


class Credential(Named):
    """What a source logs in with."""

    organization: int
    credential_type: int
    managed: bool
    inputs: dict[str, Any] = Field(description="Secret inputs show as `$encrypted$`.")
    kind: str | None = Field(description="The namespace of its type; null for a custom one.")
    cloud: bool
    kubernetes: bool


class CredentialList(Page[Credential]):
    """A page of credentials."""


class CredentialContent(BaseModel):
    """A credential without saying whose: for the list below an organization."""

    name: Name
    description: Text = ""
    credential_type: Id
    inputs: Object = Field(default_factory=dict, description=_INPUTS)


class CredentialCreate(CredentialContent):
    """A new credential."""

    organization: Id


class CredentialPatch(BaseModel):
    """What to change of a credential. `inputs` are replaced as a whole; organization and type cannot change."""

    name: Name = unset()
    description: Text = unset()
    organization: Id = unset(int)
    credential_type: Id = unset(int)
    inputs: Object = Field(default_factory=dict, description=_INPUTS)


class CredentialReplace(CredentialPatch):
    """All of a credential that is there."""

    name: Name


class CredentialLink(Link):
    """Which credential to attach or detach."""

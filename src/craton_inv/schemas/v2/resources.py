"""Resources: objects of collections that a provider defines itself."""

from typing import Any

from pydantic import Field

from craton_inv.schemas.v2.envelope import Page
from craton_inv.schemas.v2.source_objects import SourceObject


class Resource(SourceObject):
    """An object of the provider's own collection."""

    collection: str
    attributes: dict[str, Any]
    links: dict[str, Any] = Field(
        description='What it belongs to, as {"host": {"collection": "hosts", "ref": "web1"}}.'
    )


class ResourceList(Page[Resource]):
    """A page of resources."""

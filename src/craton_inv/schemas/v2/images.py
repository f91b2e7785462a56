"""Images."""

from pydantic import Field

from craton_inv.schemas.v2.envelope import Page
from craton_inv.schemas.v2.fields import Time
from craton_inv.schemas.v2.source_objects import SourceObject


class Image(SourceObject):
    """What machines were started from."""

    architecture: str | None
    os_family: str | None
    size: int | None = Field(description="Bytes.")
    state: str | None
    created_on: Time | None = Field(description="When the provider says it was made.")
    location: str | None


class ImageList(Page[Image]):
    """A page of images."""

"""Flavors."""

from pydantic import Field

from craton_inv.schemas.v2.envelope import Page
from craton_inv.schemas.v2.source_objects import SourceObject


class Flavor(SourceObject):
    """A size that a provider offers machines in."""

    cpus: int | None
    memory_mb: int | None = Field(description="MiB.")
    root_disk_gb: int | None = Field(description="GiB.")
    ephemeral_gb: int | None = Field(description="GiB.")
    gpus: int | None


class FlavorList(Page[Flavor]):
    """A page of flavors."""

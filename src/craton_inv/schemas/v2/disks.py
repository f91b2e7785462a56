"""Disks."""

from pydantic import Field

from craton_inv.schemas.v2.envelope import Page
from craton_inv.schemas.v2.source_objects import SourceObject


class Disk(SourceObject):
    """A disk of a host."""

    host: int
    device: str | None
    size: int | None = Field(description="Bytes.")
    disk_type: str | None
    state: str | None
    bootable: bool | None
    encrypted: bool | None


class DiskList(Page[Disk]):
    """A page of disks."""

"""Hypervisors."""

from pydantic import Field

from craton_inv.schemas.v2.envelope import Page
from craton_inv.schemas.v2.source_objects import SourceObject


class Hypervisor(SourceObject):
    """A machine that runs others: the `parent_host` of its hosts."""

    hypervisor_type: str | None
    hostname: str | None
    ip_address: str | None
    state: str | None
    cpus: int | None = Field(description="Logical ones.")
    memory_mb: int | None = Field(description="MiB.")
    region: str | None
    availability_zone: str | None


class HypervisorList(Page[Hypervisor]):
    """A page of hypervisors."""

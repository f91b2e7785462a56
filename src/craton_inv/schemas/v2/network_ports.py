"""Network ports."""

from pydantic import Field

from craton_inv.schemas.v2.envelope import Page
from craton_inv.schemas.v2.source_objects import SourceObject


class NetworkPort(SourceObject):
    """A port of a host."""

    host: int
    network: int | None
    mac_address: str | None
    ip_address: str | None = Field(description="The first of its addresses.")
    ip_addresses: list[str]
    status: str | None


class NetworkPortList(Page[NetworkPort]):
    """A page of network ports."""

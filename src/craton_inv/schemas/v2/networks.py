"""Networks."""

from pydantic import Field

from craton_inv.schemas.v2.envelope import Page
from craton_inv.schemas.v2.source_objects import SourceObject


class Network(SourceObject):
    """A network that ports are in."""

    cidr: str | None
    status: str | None
    mtu: int | None = Field(description="Bytes.")
    external: bool | None


class NetworkList(Page[Network]):
    """A page of networks."""

"""Networks that ports of hosts are in."""

from ipaddress import IPv4Interface, IPv6Interface
from typing import TYPE_CHECKING

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column

from craton_inv.db.base import Base, HasGeneration, HasId, HasTimestamps
from craton_inv.models.parts import SourceObject, of_source
from craton_inv.models.relations import to_many

if TYPE_CHECKING:
    from craton_inv.models.network_port import NetworkPort


class Network(HasId, HasTimestamps, HasGeneration, SourceObject, Base):
    """A network. `cidr`: its addresses, as 10.0.0.0/16; `mtu`: bytes; `external`: whether it leads out."""

    __tablename__ = "networks"
    __table_args__ = (
        UniqueConstraint("inventory_source_id", "ref"),
        UniqueConstraint("id", "inventory_id"),
        of_source(),
        Index("ix_networks_tenant_id", "tenant_id", "inventory_id"),
    )
    __search_fields__ = ("name",)
    __filter_names__ = {"organization": "tenant"}  # noqa: RUF012

    cidr: Mapped[IPv4Interface | IPv6Interface | None] = mapped_column(INET)
    status: Mapped[str | None] = mapped_column()
    mtu: Mapped[int | None] = mapped_column()
    external: Mapped[bool | None] = mapped_column()

    network_ports: Mapped[list["NetworkPort"]] = to_many("Network", "NetworkPort.network_id")

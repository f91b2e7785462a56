"""Network ports of hosts: their interfaces, as a provider tells them."""

from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import INET, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from craton_inv.db.base import Base, HasGeneration, HasId, HasTimestamps
from craton_inv.filters.paths import JsonRoot
from craton_inv.models.network import Network
from craton_inv.models.parts import SourceObject, of_same_inventory, of_source
from craton_inv.models.relations import to_one

if TYPE_CHECKING:
    from craton_inv.models.host import Host


class NetworkPort(HasId, HasTimestamps, HasGeneration, SourceObject, Base):
    """A port of one host. `ip_addresses`: all, as texts; `ip_address`: the first, which compares as an address."""

    __tablename__ = "network_ports"
    __table_args__ = (
        UniqueConstraint("inventory_source_id", "ref"),
        of_source(),
        of_same_inventory("host_id", "hosts", ondelete="CASCADE"),
        of_same_inventory("network_id", "networks"),
        Index("ix_network_ports_host_id", "host_id"),
        Index("ix_network_ports_network_id", "network_id", postgresql_where=text("network_id IS NOT NULL")),
        Index("ix_network_ports_mac_address", "mac_address"),
        Index("ix_network_ports_tenant_id", "tenant_id", "inventory_id"),
    )
    __search_fields__ = ("name", "mac_address")
    __filter_names__ = {"organization": "tenant"}  # noqa: RUF012
    __filter_json__ = {"ip_addresses": lambda model: JsonRoot(model.ip_addresses, array=True)}  # noqa: RUF012

    host_id: Mapped[int] = mapped_column()
    network_id: Mapped[int | None] = mapped_column()
    mac_address: Mapped[str | None] = mapped_column()
    ip_address: Mapped[IPv4Address | IPv6Address | None] = mapped_column(INET)
    ip_addresses: Mapped[list[str]] = mapped_column(JSONB, server_default="[]")
    status: Mapped[str | None] = mapped_column()

    host: Mapped["Host"] = to_one("NetworkPort.host_id", "Host")
    network: Mapped[Network | None] = to_one("NetworkPort.network_id", "Network")

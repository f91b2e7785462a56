"""Hypervisors: the machines that run virtual ones (a host's `parent_host`), as a provider tells them."""

from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column

from craton_inv.db.base import Base, HasGeneration, HasId, HasTimestamps
from craton_inv.models.parts import SourceObject, of_source
from craton_inv.models.relations import to_many

if TYPE_CHECKING:
    from craton_inv.models.host import Host


class Hypervisor(HasId, HasTimestamps, HasGeneration, SourceObject, Base):
    """A machine that runs others. `hostname`: its name in the network; `cpus`: logical ones; `memory_mb`: MiB."""

    __tablename__ = "hypervisors"
    __table_args__ = (
        UniqueConstraint("inventory_source_id", "ref"),
        UniqueConstraint("id", "inventory_id"),
        of_source(),
        Index("ix_hypervisors_tenant_id", "tenant_id", "inventory_id"),
    )
    __search_fields__ = ("name", "hostname")
    __filter_names__ = {"organization": "tenant"}  # noqa: RUF012

    hypervisor_type: Mapped[str | None] = mapped_column()
    hostname: Mapped[str | None] = mapped_column()
    ip_address: Mapped[IPv4Address | IPv6Address | None] = mapped_column(INET)
    state: Mapped[str | None] = mapped_column()
    cpus: Mapped[int | None] = mapped_column()
    memory_mb: Mapped[int | None] = mapped_column()
    region: Mapped[str | None] = mapped_column()
    availability_zone: Mapped[str | None] = mapped_column()

    hosts: Mapped[list["Host"]] = to_many("Hypervisor", "Host.parent_host_id")

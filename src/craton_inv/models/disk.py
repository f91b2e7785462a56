"""Disks of hosts: volumes, as a provider tells them."""

from typing import TYPE_CHECKING

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from craton_inv.db.base import Base, HasGeneration, HasId, HasTimestamps
from craton_inv.models.parts import SourceObject, of_same_inventory, of_source
from craton_inv.models.relations import to_one

if TYPE_CHECKING:
    from craton_inv.models.host import Host


class Disk(HasId, HasTimestamps, HasGeneration, SourceObject, Base):
    """A disk of one host. `device`: where the host sees it, as /dev/sda; `size`: bytes."""

    __tablename__ = "disks"
    __table_args__ = (
        UniqueConstraint("inventory_source_id", "ref"),
        of_source(),
        of_same_inventory("host_id", "hosts", ondelete="CASCADE"),
        Index("ix_disks_host_id", "host_id"),
        Index("ix_disks_tenant_id", "tenant_id", "inventory_id"),
    )
    __search_fields__ = ("name", "device")
    __filter_names__ = {"organization": "tenant"}  # noqa: RUF012

    host_id: Mapped[int] = mapped_column()
    device: Mapped[str | None] = mapped_column()
    size: Mapped[int | None] = mapped_column()
    disk_type: Mapped[str | None] = mapped_column()
    state: Mapped[str | None] = mapped_column()
    bootable: Mapped[bool | None] = mapped_column()
    encrypted: Mapped[bool | None] = mapped_column()

    host: Mapped["Host"] = to_one("Disk.host_id", "Host")

"""Flavors: the sizes a provider offers machines in (instance types)."""

from typing import TYPE_CHECKING

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from craton_inv.db.base import Base, HasGeneration, HasId, HasTimestamps
from craton_inv.models.parts import SourceObject, of_source
from craton_inv.models.relations import to_many

if TYPE_CHECKING:
    from craton_inv.models.host import Host


class Flavor(HasId, HasTimestamps, HasGeneration, SourceObject, Base):
    """A size of machines. `memory_mb`: MiB; `root_disk_gb` and `ephemeral_gb`: GiB, as providers count them."""

    __tablename__ = "flavors"
    __table_args__ = (
        UniqueConstraint("inventory_source_id", "ref"),
        UniqueConstraint("id", "inventory_id"),
        of_source(),
        Index("ix_flavors_tenant_id", "tenant_id", "inventory_id"),
    )
    __search_fields__ = ("name",)
    __filter_names__ = {"organization": "tenant"}  # noqa: RUF012

    cpus: Mapped[int | None] = mapped_column()
    memory_mb: Mapped[int | None] = mapped_column()
    root_disk_gb: Mapped[int | None] = mapped_column()
    ephemeral_gb: Mapped[int | None] = mapped_column()
    gpus: Mapped[int | None] = mapped_column()

    hosts: Mapped[list["Host"]] = to_many("Flavor", "Host.flavor_id")

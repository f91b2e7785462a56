"""Images: what machines were started from."""

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from craton_inv.db.base import Base, HasGeneration, HasId, HasTimestamps
from craton_inv.models.parts import SourceObject, of_source
from craton_inv.models.relations import to_many

if TYPE_CHECKING:
    from craton_inv.models.host import Host


class Image(HasId, HasTimestamps, HasGeneration, SourceObject, Base):
    """An image. `size`: bytes; `created_on`: when the provider says it was made; `location`: where it is kept."""

    __tablename__ = "images"
    __table_args__ = (
        UniqueConstraint("inventory_source_id", "ref"),
        UniqueConstraint("id", "inventory_id"),
        of_source(),
        Index("ix_images_tenant_id", "tenant_id", "inventory_id"),
    )
    __search_fields__ = ("name",)
    __filter_names__ = {"organization": "tenant"}  # noqa: RUF012

    architecture: Mapped[str | None] = mapped_column()
    os_family: Mapped[str | None] = mapped_column()
    size: Mapped[int | None] = mapped_column()
    state: Mapped[str | None] = mapped_column()
    created_on: Mapped[datetime | None] = mapped_column()
    location: Mapped[str | None] = mapped_column()

    hosts: Mapped[list["Host"]] = to_many("Image", "Host.image_id")

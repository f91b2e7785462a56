"""Resources: objects of collections that a provider defines itself, all in one table."""

from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from craton_inv.db.base import Base, HasGeneration, HasId, HasTimestamps
from craton_inv.filters.paths import JsonRoot
from craton_inv.models.parts import SourceObject, of_source


class Resource(HasId, HasTimestamps, HasGeneration, SourceObject, Base):
    """An object of the provider's collection `collection`. `attributes` and `links` are the provider's own JSON.

    `links`: name -> what the object belongs to, as {"collection": "hosts", "ref": "web-1"}; nothing resolves them.
    """

    __tablename__ = "resources"
    __table_args__ = (
        UniqueConstraint("inventory_source_id", "collection", "ref"),
        of_source(),
        Index("ix_resources_tenant_id", "tenant_id", "inventory_id"),
        Index(
            "ix_resources_attributes",
            "attributes",
            postgresql_using="gin",
            postgresql_ops={"attributes": "jsonb_path_ops"},
        ),
    )
    __search_fields__ = ("name",)
    __filter_names__ = {"organization": "tenant"}  # noqa: RUF012
    __filter_json__ = {  # noqa: RUF012
        "attributes": lambda model: JsonRoot(model.attributes),
        "links": lambda model: JsonRoot(model.links),
    }

    collection: Mapped[str] = mapped_column()
    attributes: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    links: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")

"""Parts of tables that several models share and that name other tables of ours."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, ForeignKey, ForeignKeyConstraint, LargeBinary
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from craton_inv.db.types import HasAuthors, name_column
from craton_inv.models.relations import to_one

if TYPE_CHECKING:
    from craton_inv.models.inventory import Inventory
    from craton_inv.models.inventory_source import InventorySource
    from craton_inv.models.tenant import Tenant
    from craton_inv.models.user import User


def of_inventory() -> ForeignKeyConstraint:
    """The row's inventory is of the row's tenant; it follows the inventory to another tenant, and out of the world."""
    return ForeignKeyConstraint(
        ["inventory_id", "tenant_id"],
        ["inventories.id", "inventories.tenant_id"],
        onupdate="CASCADE",
        ondelete="CASCADE",
    )


class Authored(HasAuthors):
    """Who made and who last changed the row, as relations that filters reach."""

    @declared_attr
    def created_by(cls) -> Mapped["User | None"]:
        """The maker."""
        return _user(f"{cls.__name__}.created_by_id")  # type: ignore[attr-defined]

    @declared_attr
    def modified_by(cls) -> Mapped["User | None"]:
        """The last who changed it by API."""
        return _user(f"{cls.__name__}.modified_by_id")  # type: ignore[attr-defined]


def _user(column: str) -> Mapped["User | None"]:
    # By its name: users refer to tenants, which are authored themselves.
    return relationship("User", lazy="raise", viewonly=True, foreign_keys=column, info={"filter": True})


def of_source() -> ForeignKeyConstraint:
    """The row is its source's, and of the source's inventory and tenant; it follows and goes with the source.

    One key for three columns: the source itself is held to its inventory and tenant, so no second check is paid a row.
    """
    return ForeignKeyConstraint(
        ["inventory_source_id", "inventory_id", "tenant_id"],
        ["inventory_sources.id", "inventory_sources.inventory_id", "inventory_sources.tenant_id"],
        onupdate="CASCADE",
        ondelete="CASCADE",
    )


def of_same_inventory(column: str, table: str, *, ondelete: str = "") -> ForeignKeyConstraint:
    """What `column` refers to is of the row's inventory. Without `ondelete` the column is emptied when that goes."""
    return ForeignKeyConstraint(
        [column, "inventory_id"],
        [f"{table}.id", f"{table}.inventory_id"],
        ondelete=ondelete or f"SET NULL ({column})",
    )


class SourceObject:
    """A row that one source alone delivers. `ref`: the provider's id of it, unique in the source.

    `collected_at`: when the source was asked for what the row says; null when it did not tell.
    """

    inventory_source_id: Mapped[int] = mapped_column(sort_order=-9)
    inventory_id: Mapped[int] = mapped_column(sort_order=-8)
    tenant_id: Mapped[int] = mapped_column(sort_order=-7)
    ref: Mapped[str] = mapped_column(sort_order=-6)
    name: Mapped[str] = name_column(server_default="", sort_order=-5)
    collected_at: Mapped[datetime | None] = mapped_column(sort_order=890)

    @declared_attr
    def inventory_source(cls) -> Mapped["InventorySource"]:
        """Whose row it is."""
        return to_one(f"{cls.__name__}.inventory_source_id", "InventorySource")  # type: ignore[attr-defined]

    @declared_attr
    def inventory(cls) -> Mapped["Inventory"]:
        """The inventory of its source."""
        return to_one(f"{cls.__name__}.inventory_id", "Inventory")  # type: ignore[attr-defined]

    @declared_attr
    def tenant(cls) -> Mapped["Tenant"]:
        """The tenant of its inventory."""
        return to_one(f"{cls.__name__}.tenant_id", "Tenant")  # type: ignore[attr-defined]


class Delivered:
    """A link between two rows. `source_ids`: the sources that deliver it; `manual`: a person made it."""

    inventory_id: Mapped[int] = mapped_column()
    manual: Mapped[bool] = mapped_column(server_default="true")
    source_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}")


class SourceLayer:
    """What one source says of one row: its variables as a layer, and the digest that tells an unchanged row.

    `collected_at`: when the source was asked for it; null for layers older than this column.
    """

    inventory_source_id: Mapped[int] = mapped_column(
        ForeignKey("inventory_sources.id", ondelete="CASCADE"), primary_key=True, sort_order=-1
    )
    ref: Mapped[str] = mapped_column()
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    variables: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    collected_at: Mapped[datetime | None] = mapped_column()

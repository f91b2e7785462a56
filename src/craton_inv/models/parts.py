"""Parts of tables that several models share and that name other tables of ours."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, ForeignKey, ForeignKeyConstraint, LargeBinary
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from craton_inv.db.types import HasAuthors

if TYPE_CHECKING:
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


class Delivered:
    """A link between two rows. `source_ids`: the sources that deliver it; `manual`: a person made it."""

    inventory_id: Mapped[int] = mapped_column()
    manual: Mapped[bool] = mapped_column(server_default="true")
    source_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}")


class SourceLayer:
    """What one source says of one row: its variables as a layer, and the digest that tells an unchanged row."""

    inventory_source_id: Mapped[int] = mapped_column(
        ForeignKey("inventory_sources.id", ondelete="CASCADE"), primary_key=True, sort_order=-1
    )
    ref: Mapped[str] = mapped_column()
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    variables: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")

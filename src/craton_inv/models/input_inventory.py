"""What constructed inventories are put together from: other inventories of the same tenant, in order."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from craton_inv.db.base import Base

OF_TENANT = ["inventories.id", "inventories.tenant_id"]


class InputInventory(Base):
    """`input_inventory_id` goes into the constructed inventory `inventory_id`; of two inputs the later one wins.

    Both are of `tenant_id`, for good: an inventory with such a row does not move to another tenant.
    """

    __tablename__ = "input_inventories"
    __table_args__ = (
        ForeignKeyConstraint(["inventory_id", "tenant_id"], OF_TENANT, ondelete="CASCADE"),
        ForeignKeyConstraint(["input_inventory_id", "tenant_id"], OF_TENANT, ondelete="CASCADE"),
        CheckConstraint("inventory_id <> input_inventory_id", name="not_itself"),
        Index("ix_input_inventories_input_inventory_id", "input_inventory_id"),
    )

    inventory_id: Mapped[int] = mapped_column(primary_key=True)
    input_inventory_id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[int] = mapped_column()
    position: Mapped[int] = mapped_column()

"""Which hosts are members of which smart inventories, and the changes that may have made this untrue.

Neither table has a foreign key: their checks lock hosts and inventories, in an order that deadlocks with writers.
"""

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ColumnElement, Index, Select, String, Text, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, aliased, mapped_column

from craton_inv.db.base import Base, HasId
from craton_inv.models.inventory import Inventory


class SmartInventoryMembership(Base):
    """Host `host_id` is a member of the smart inventory `inventory_id`, as far as was known when this was written.

    Rows of deleted hosts and inventories may linger: readers join both, and compare their tenants.
    """

    __tablename__ = "smart_inventory_memberships"
    __table_args__ = (Index("ix_smart_inventory_memberships_host_id", "host_id"),)

    inventory_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    host_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class SmartMembershipChange(HasId, Base):
    """Something that a filter may look at has changed (noted by the triggers of the fourth migration).

    `kind` says what `keys` are ids of. Of hosts also the `names` are kept, old and new ones. `what`: tables, or columns
    as table.column. `tenant_id` null: all tenants. `transaction`: whose change it is; null: nobody's any more.
    """

    __tablename__ = "smart_membership_changes"
    __table_args__ = (
        CheckConstraint("kind IN ('host', 'group', 'inventory', 'region', 'tenant', 'smart')", name="kind"),
        Index("ix_smart_membership_changes_transaction", "transaction"),
        Index("ix_smart_membership_changes_tenant_id", "tenant_id", "id"),
    )

    transaction: Mapped[int | None] = mapped_column(server_default=text("(pg_current_xact_id()::text)::bigint"))
    tenant_id: Mapped[int | None] = mapped_column()
    kind: Mapped[str] = mapped_column(String(16))
    keys: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    names: Mapped[list[str]] = mapped_column(ARRAY(Text))
    what: Mapped[list[str]] = mapped_column(ARRAY(Text))


class SmartInventories:
    """The relation `smart_inventories` of filters: as fresh as the table of memberships."""

    name = "smart_inventories"
    target = Inventory

    def __init__(self, host: Any) -> None:
        self.host = host

    def subquery(self, where: ColumnElement[bool]) -> Select[Any]:
        """Ids of the members of matching smart inventories; a row left from before a move to another tenant is none."""
        member = aliased(self.host)
        return (
            select(SmartInventoryMembership.host_id)
            .join(Inventory, Inventory.id == SmartInventoryMembership.inventory_id)
            .join(member, (member.id == SmartInventoryMembership.host_id) & (member.tenant_id == Inventory.tenant_id))
            .where(Inventory.kind == "smart", ~Inventory.pending_deletion, where)
        )

    def related(self, ids: Any) -> Select[Any]:
        """Ids of the smart inventories that the hosts of these ids (a select or a list) are in, by the same rules."""
        member = aliased(self.host)
        return (
            select(SmartInventoryMembership.inventory_id)
            .join(Inventory, Inventory.id == SmartInventoryMembership.inventory_id)
            .join(member, (member.id == SmartInventoryMembership.host_id) & (member.tenant_id == Inventory.tenant_id))
            .where(Inventory.kind == "smart", ~Inventory.pending_deletion, member.id.in_(ids))
            .correlate(None)
        )

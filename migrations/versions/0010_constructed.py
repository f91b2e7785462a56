"""inventories made of inventories"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "input_inventories",
        sa.Column("inventory_id", sa.BigInteger(), nullable=False),
        sa.Column("input_inventory_id", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("inventory_id <> input_inventory_id", name=op.f("ck_input_inventories_not_itself")),
        sa.ForeignKeyConstraint(
            ["inventory_id", "tenant_id"],
            ["inventories.id", "inventories.tenant_id"],
            name=op.f("fk_input_inventories_inventory_id_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["input_inventory_id", "tenant_id"],
            ["inventories.id", "inventories.tenant_id"],
            name=op.f("fk_input_inventories_input_inventory_id_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("inventory_id", "input_inventory_id", name=op.f("pk_input_inventories")),
    )
    op.create_index("ix_input_inventories_input_inventory_id", "input_inventories", ["input_inventory_id"])
    op.create_index(
        "uq_inventory_sources_constructed",
        "inventory_sources",
        ["inventory_id"],
        unique=True,
        postgresql_where=sa.text("source = 'constructed'"),
    )
    op.add_column(
        "inventory_sources",
        sa.Column("trusted_connection_vars", sa.Boolean(), server_default="false", nullable=False),
    )


def downgrade() -> None:
    """Constructed inventories become regular ones with the content they have: what they are made of is gone."""
    op.execute("UPDATE inventory_sources SET source = '' WHERE source = 'constructed'")
    op.execute("UPDATE inventories SET kind = '' WHERE kind = 'constructed'")
    op.drop_column("inventory_sources", "trusted_connection_vars")
    op.drop_index("uq_inventory_sources_constructed", table_name="inventory_sources")
    op.drop_table("input_inventories")

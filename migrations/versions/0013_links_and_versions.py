"""unconnected links, times of collection and archived rows"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

LAYERS = ("host_sources", "group_sources")


def upgrade() -> None:
    """When a source was asked for what a layer says; hosts are found by the provider's id; links that wait."""
    for table in LAYERS:
        op.add_column(table, sa.Column("collected_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_hosts_instance_id", "hosts", ["inventory_id", "instance_id"])
    op.create_table(
        "unconnected_links",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("inventory_source_id", sa.BigInteger(), nullable=False),
        sa.Column("inventory_update_id", sa.BigInteger(), nullable=True),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("object_id", sa.BigInteger(), nullable=True),
        sa.Column("object_ref", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("object_key", sa.Uuid(), nullable=False),
        sa.Column("attribute", sa.Text(), nullable=False),
        sa.Column("target_collection", sa.Text(), nullable=False),
        sa.Column("target_ref", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("target_by", sa.Text(), nullable=False),
        sa.Column("target_key", sa.Text(), server_default="", nullable=False),
        sa.Column("ambiguous", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["inventory_source_id"],
            ["inventory_sources.id"],
            name=op.f("fk_unconnected_links_inventory_source_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["inventory_update_id"],
            ["inventory_updates.id"],
            name=op.f("fk_unconnected_links_inventory_update_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unconnected_links")),
        sa.UniqueConstraint(
            "inventory_source_id", "collection", "attribute", "object_key", name="uq_unconnected_links_attribute"
        ),
    )
    op.create_index(op.f("ix_unconnected_links_inventory_update_id"), "unconnected_links", ["inventory_update_id"])


def downgrade() -> None:
    """The times and the links that wait are lost."""
    op.drop_table("unconnected_links")
    op.drop_index("ix_hosts_instance_id", table_name="hosts")
    for table in LAYERS:
        op.drop_column(table, "collected_at")

"""targets of updates, and the events that ask for them"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "inventory_update_targets",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("inventory_update_id", sa.BigInteger(), nullable=False),
        sa.Column("association", sa.String(length=64), nullable=False),
        sa.Column("manager_ref", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["inventory_update_id"],
            ["inventory_updates.id"],
            name=op.f("fk_inventory_update_targets_inventory_update_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inventory_update_targets")),
        sa.UniqueConstraint(
            "inventory_update_id",
            "association",
            "digest",
            name=op.f("uq_inventory_update_targets_object"),
        ),
    )
    op.create_table(
        "source_events",
        sa.Column("inventory_source_id", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.LargeBinary(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("seen", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("length(uid) = 32 AND length(key) = 32", name=op.f("ck_source_events_digests")),
        sa.ForeignKeyConstraint(
            ["inventory_source_id"],
            ["inventory_sources.id"],
            name=op.f("fk_source_events_inventory_source_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("inventory_source_id", "uid", name=op.f("pk_source_events")),
    )
    op.create_index("ix_source_events_key", "source_events", ["inventory_source_id", "key", "seen"], unique=False)
    op.create_index("ix_source_events_seen", "source_events", ["seen"], unique=False)


def downgrade() -> None:
    """Targeted updates become full ones: what they were to look at is gone with the table."""
    op.drop_table("source_events")
    op.drop_table("inventory_update_targets")
    op.execute("UPDATE inventory_updates SET kind = 'full' WHERE kind = 'targeted'")

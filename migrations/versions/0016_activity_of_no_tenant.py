"""What is done to users and tenants, and events that floods cost."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Entries of no tenant, seen by system administrators alone; how many events of a source were blocked, and when."""
    op.alter_column("activity_stream", "tenant_id", nullable=True)
    op.add_column("inventory_sources", sa.Column("events_blocked", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("inventory_sources", sa.Column("events_blocked_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Entries of no tenant are lost, and the figures."""
    for name in ("events_blocked_at", "events_blocked"):
        op.drop_column("inventory_sources", name)
    op.execute("DELETE FROM activity_stream WHERE tenant_id IS NULL")
    op.alter_column("activity_stream", "tenant_id", nullable=False)

"""unconnected links, times of collection and archived rows"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

LAYERS = ("host_sources", "group_sources")


def upgrade() -> None:
    """When a source was asked for what a layer says; hosts are found by the provider's id."""
    for table in LAYERS:
        op.add_column(table, sa.Column("collected_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_hosts_instance_id", "hosts", ["inventory_id", "instance_id"])


def downgrade() -> None:
    """The times are lost."""
    op.drop_index("ix_hosts_instance_id", table_name="hosts")
    for table in LAYERS:
        op.drop_column(table, "collected_at")

"""sources and tenants that wait for their deletion"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLES = ("inventory_sources", "tenants")


def upgrade() -> None:
    """The mark, as inventories have it. No row is rewritten: the default is a constant."""
    for table in TABLES:
        op.add_column(table, sa.Column("pending_deletion", sa.Boolean(), server_default="false", nullable=False))


def downgrade() -> None:
    """What waits for its deletion is an ordinary row again, like all else that is there."""
    for table in TABLES:
        op.drop_column(table, "pending_deletion")

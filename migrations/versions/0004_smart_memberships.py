"""smart inventories: groups of members, the membership table and what keeps it"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("inventories", sa.Column("include_groups", sa.Boolean(), server_default="false", nullable=False))


def downgrade() -> None:
    op.drop_column("inventories", "include_groups")

"""What else a project fetches, and how."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

FLAGS = ("scm_clean", "scm_delete_on_update")


def upgrade() -> None:
    """A further refspec; AWX's switches for the folder of a project."""
    op.add_column("projects", sa.Column("scm_refspec", sa.String(length=1024), server_default="", nullable=False))
    for name in FLAGS:
        op.add_column("projects", sa.Column(name, sa.Boolean(), server_default="false", nullable=False))


def downgrade() -> None:
    """What was set is lost."""
    for name in (*FLAGS, "scm_refspec"):
        op.drop_column("projects", name)

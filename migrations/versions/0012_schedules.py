"""schedules, and sources whose content may only be read"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def _time(name: str, **options: object) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), **options)


def upgrade() -> None:
    op.create_table(
        "schedules",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("inventory_source_id", sa.BigInteger(), nullable=False),
        sa.Column("inventory_id", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=512), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("rrule", sa.String(length=255), nullable=False),
        _time("dtstart", nullable=False),
        _time("dtend", nullable=True),
        _time("next_run", nullable=True),
        sa.Column("last_error", sa.Text(), server_default="", nullable=False),
        _time("created", server_default=sa.text("now()"), nullable=False),
        _time("modified", server_default=sa.text("now()"), nullable=False),
        sa.Column("generation", sa.BigInteger(), server_default="1", nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ("created_by_id", "modified_by_id")),
        *(
            sa.ForeignKeyConstraint([name], ["users.id"], name=op.f(f"fk_schedules_{name}"), ondelete="SET NULL")
            for name in ("created_by_id", "modified_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["inventory_source_id", "inventory_id", "tenant_id"],
            ["inventory_sources.id", "inventory_sources.inventory_id", "inventory_sources.tenant_id"],
            name=op.f("fk_schedules_inventory_source_id_inventory_id_tenant_id"),
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedules")),
        sa.UniqueConstraint("inventory_source_id", "name", name=op.f("uq_schedules_inventory_source_id_name")),
    )
    op.create_index("ix_schedules_tenant_id", "schedules", ["tenant_id", "id"])
    op.create_index("ix_schedules_due", "schedules", ["next_run"], postgresql_where=sa.text("enabled"))
    op.execute("CREATE TRIGGER touch_row BEFORE UPDATE ON schedules FOR EACH ROW EXECUTE FUNCTION touch_row()")
    op.create_table(
        "schedule_fires",
        sa.Column("schedule_id", sa.BigInteger(), nullable=False),
        _time("tick", nullable=False),
        sa.Column("inventory_update_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["schedules.id"], name=op.f("fk_schedule_fires_schedule_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["inventory_update_id"],
            ["inventory_updates.id"],
            name=op.f("fk_schedule_fires_inventory_update_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("schedule_id", "tick", name=op.f("pk_schedule_fires")),
    )
    op.create_index("ix_schedule_fires_inventory_update_id", "schedule_fires", ["inventory_update_id"])
    op.add_column("inventory_sources", sa.Column("read_only", sa.Boolean(), server_default="false", nullable=False))


def downgrade() -> None:
    op.drop_column("inventory_sources", "read_only")
    op.drop_table("schedule_fires")
    op.drop_table("schedules")

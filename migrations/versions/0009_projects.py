"""projects"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def _times() -> tuple[sa.Column, sa.Column]:
    return (
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("modified", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    )


def _authors(table: str) -> tuple[sa.Column | sa.ForeignKeyConstraint, ...]:
    names = ("created_by_id", "modified_by_id")
    return (
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in names),
        *(
            sa.ForeignKeyConstraint([name], ["users.id"], name=op.f(f"fk_{table}_{name}"), ondelete="SET NULL")
            for name in names
        ),
    )


def _text(name: str, length: int | None = None, default: str = "") -> sa.Column:
    kind = sa.String(length=length) if length else sa.Text()
    return sa.Column(name, kind, server_default=default, nullable=False)


def _flag(name: str) -> sa.Column:
    return sa.Column(name, sa.Boolean(), server_default="false", nullable=False)


def _number(name: str, default: str | None = "0") -> sa.Column:
    return sa.Column(name, sa.BigInteger(), server_default=default, nullable=False)


def upgrade() -> None:
    op.create_table(
        "projects",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=512), nullable=False),
        _text("description"),
        _text("scm_type", 8),
        _text("scm_url", 1024),
        _text("scm_branch", 256),
        _text("scm_revision", 64),
        _flag("allow_override"),
        _flag("scm_update_on_launch"),
        _number("scm_update_cache_timeout"),
        _number("timeout"),
        _text("local_path", 1024),
        sa.Column("credential_id", sa.BigInteger(), nullable=True),
        _text("status", 16, "never updated"),
        sa.Column("last_updated", sa.DateTime(timezone=True), nullable=True),
        _text("last_error"),
        sa.Column("current_update_id", sa.BigInteger(), nullable=True),
        sa.Column("last_update_id", sa.BigInteger(), nullable=True),
        *_times(),
        _number("generation", "1"),
        *_authors("projects"),
        sa.CheckConstraint("scm_type IN ('', 'git')", name=op.f("ck_projects_scm_type")),
        sa.CheckConstraint("scm_update_cache_timeout >= 0", name=op.f("ck_projects_scm_update_cache_timeout")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_projects_tenant_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["credential_id", "tenant_id"],
            ["credentials.id", "credentials.tenant_id"],
            name=op.f("fk_projects_credential_id_tenant_id"),
            ondelete="SET NULL (credential_id)",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
        sa.UniqueConstraint("id", "tenant_id", name=op.f("uq_projects_id_tenant_id")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_projects_tenant_id_name")),
    )
    op.create_table(
        "project_updates",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=512), nullable=False),
        _text("description"),
        _text("launch_type", 32, "manual"),
        _text("status", 16, "pending"),
        _flag("cancel_requested"),
        _text("scm_url", 1024),
        _text("scm_branch", 256),
        _text("scm_revision", 64),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=True) for name in ("started", "finished")),
        sa.Column("canceled_on", sa.DateTime(timezone=True), nullable=True),
        _text("job_explanation"),
        _text("execution_node"),
        _text("output"),
        *_times(),
        *_authors("project_updates"),
        sa.CheckConstraint(
            "status IN ('new', 'pending', 'waiting', 'running', 'successful', 'failed', 'error', 'canceled')",
            name=op.f("ck_project_updates_status"),
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "tenant_id"],
            ["projects.id", "projects.tenant_id"],
            name=op.f("fk_project_updates_project_id_tenant_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_project_updates_job_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project_updates")),
    )
    for column in ("job_id", "project_id", "tenant_id"):
        op.create_index(f"ix_project_updates_{column}", "project_updates", [column])
    for name, statuses in (("waiting", "IN ('new', 'pending', 'waiting')"), ("running", "= 'running'")):
        op.create_index(
            f"uq_project_updates_one_{name}",
            "project_updates",
            ["project_id"],
            unique=True,
            postgresql_where=sa.text(f"status {statuses}"),
        )
    op.create_index("ix_projects_credential_id", "projects", ["credential_id"])
    for column in ("current_update_id", "last_update_id"):
        name = f"fk_projects_{column}"
        op.create_foreign_key(op.f(name), "projects", "project_updates", [column], ["id"], ondelete="SET NULL")
        op.create_index(f"ix_projects_{column}", "projects", [column])
    op.create_table(
        "project_trees",
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.String(length=256), nullable=False),
        sa.Column("revision", sa.String(length=64), nullable=False),
        sa.Column("fetched", sa.DateTime(timezone=True), nullable=False),
        sa.Column("scm_url", sa.String(length=1024), nullable=False),
        _number("size", None),
        sa.Column("files", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        *_times(),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_project_trees_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", "reference", name=op.f("pk_project_trees")),
    )
    op.create_table(
        "inventory_source_states",
        sa.Column("inventory_source_id", sa.BigInteger(), nullable=False),
        _number("generation", None),
        sa.Column("state", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        *_times(),
        sa.ForeignKeyConstraint(
            ["inventory_source_id"],
            ["inventory_sources.id"],
            name=op.f("fk_inventory_source_states_inventory_source_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("inventory_source_id", name=op.f("pk_inventory_source_states")),
    )
    op.add_column("inventory_sources", sa.Column("source_project_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_inventory_sources_source_project_id_tenant_id"),
        "inventory_sources",
        "projects",
        ["source_project_id", "tenant_id"],
        ["id", "tenant_id"],
        ondelete="SET NULL (source_project_id)",
    )
    op.create_index("ix_inventory_sources_source_project_id", "inventory_sources", ["source_project_id"])
    op.add_column("inventory_updates", _text("scm_revision", 64))
    # The bytes are packed already: PostgreSQL need not try again.
    op.execute("ALTER TABLE project_trees ALTER COLUMN content SET STORAGE EXTERNAL")
    op.execute("CREATE TRIGGER touch_row BEFORE UPDATE ON projects FOR EACH ROW EXECUTE FUNCTION touch_row()")


def downgrade() -> None:
    op.drop_column("inventory_updates", "scm_revision")
    op.drop_column("inventory_sources", "source_project_id")
    for column in ("current_update_id", "last_update_id"):
        op.drop_constraint(op.f(f"fk_projects_{column}"), "projects", type_="foreignkey")
    for table in ("inventory_source_states", "project_trees", "project_updates", "projects"):
        op.drop_table(table)

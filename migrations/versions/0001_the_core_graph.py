"""the core graph"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Rows with a generation: every UPDATE moves `generation` and `modified`, whoever writes, bulk or single.
TOUCHED = ("tenants", "regions", "hosts", "groups", "inventory_sources")
# Content of an inventory: a statement that writes some of it moves the inventory's generation, in its transaction.
CONTENT = ("hosts", "groups", "memberships", "group_edges")

TOUCH_ROW = """
CREATE FUNCTION touch_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.generation := OLD.generation + 1;
  NEW.modified := now();
  RETURN NEW;
END $$
"""
# `pending_deletion` and a moved generation alone are no change that a person made: `modified` stays.
TOUCH_INVENTORY = """
CREATE FUNCTION touch_inventory() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.generation = OLD.generation THEN
    NEW.generation := OLD.generation + 1;
    NEW.modified := now();
  END IF;
  RETURN NEW;
END $$
"""
MOVE_GENERATION = """
CREATE FUNCTION move_inventory_generation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE inventories SET generation = generation + 1
  WHERE id IN (SELECT DISTINCT inventory_id FROM changed);
  RETURN NULL;
END $$
"""


def create_triggers() -> None:
    """One function per meaning, then a trigger per table and event."""
    for function in (TOUCH_ROW, TOUCH_INVENTORY, MOVE_GENERATION):
        op.execute(function)
    for table in TOUCHED:
        op.execute(f"CREATE TRIGGER touch_row BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION touch_row()")
    op.execute(
        "CREATE TRIGGER touch_inventory BEFORE UPDATE ON inventories FOR EACH ROW EXECUTE FUNCTION touch_inventory()"
    )
    for table in CONTENT:
        for event, rows in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
            op.execute(
                f"CREATE TRIGGER move_generation_{event.lower()} AFTER {event} ON {table} "
                f"REFERENCING {rows} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION move_inventory_generation()"
            )


def drop_triggers() -> None:
    """The functions; the triggers go with their tables."""
    for function in ("move_inventory_generation", "touch_inventory", "touch_row"):
        op.execute(f"DROP FUNCTION {function}() CASCADE")


def upgrade() -> None:
    # pg_trgm serves name searches; btree_gin stands ready for mixed indexes. Both ship with PostgreSQL.
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gin")
    op.create_table(
        "users",
        sa.Column("username", sa.String(length=150), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("first_name", sa.Text(), server_default="", nullable=False),
        sa.Column("last_name", sa.Text(), server_default="", nullable=False),
        sa.Column("email", sa.Text(), server_default="", nullable=False),
        sa.Column("is_superuser", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("modified", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("username", name=op.f("uq_users_username")),
    )
    op.create_table(
        "tenants",
        sa.Column("name", sa.String(length=512), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("customer", sa.Text(), server_default="", nullable=False),
        sa.Column("variables", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("modified", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("generation", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), nullable=True),
        sa.Column("modified_by_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["users.id"], name=op.f("fk_tenants_created_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["modified_by_id"], ["users.id"], name=op.f("fk_tenants_modified_by_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenants")),
        sa.UniqueConstraint("name", name=op.f("uq_tenants_name")),
    )
    op.create_table(
        "grants",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("modified", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("role IN ('admin', 'operator', 'reader', 'secrets')", name=op.f("ck_grants_role")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_grants_tenant_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_grants_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
        sa.UniqueConstraint("user_id", "tenant_id", "role", name=op.f("uq_grants_user_id_tenant_id_role")),
    )
    op.create_index(op.f("ix_grants_tenant_id"), "grants", ["tenant_id"], unique=False)
    op.create_table(
        "inventories",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=512), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.String(length=32), server_default="", nullable=False),
        sa.Column("host_filter", sa.Text(), nullable=True),
        sa.Column("prevent_instance_group_fallback", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("pending_deletion", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("variables_text", sa.Text(), server_default="", nullable=False),
        sa.Column("variables", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("modified", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("generation", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), nullable=True),
        sa.Column("modified_by_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind <> 'smart' OR host_filter IS NOT NULL", name=op.f("ck_inventories_smart_has_filter")),
        sa.CheckConstraint("kind IN ('', 'smart', 'constructed')", name=op.f("ck_inventories_kind")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["users.id"], name=op.f("fk_inventories_created_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["modified_by_id"], ["users.id"], name=op.f("fk_inventories_modified_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_inventories_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inventories")),
        sa.UniqueConstraint("id", "tenant_id", name=op.f("uq_inventories_id_tenant_id")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_inventories_tenant_id_name")),
    )
    op.create_table(
        "jobs",
        sa.Column("task", sa.String(length=64), nullable=False),
        sa.Column("args", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=True),
        sa.Column("unique_key", sa.Text(), nullable=True),
        sa.Column("status", sa.String(length=16), server_default="queued", nullable=False),
        sa.Column("attempt", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("max_attempts", sa.BigInteger(), nullable=True),
        sa.Column("token", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("run_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'done', 'failed', 'canceled')", name=op.f("ck_jobs_status")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_jobs_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index("ix_jobs_due", "jobs", ["run_at"], unique=False, postgresql_where=sa.text("status = 'queued'"))
    op.create_index(
        "ix_jobs_lease", "jobs", ["lease_until"], unique=False, postgresql_where=sa.text("status = 'running'")
    )
    op.create_index("ix_jobs_tenant_id", "jobs", ["tenant_id"], unique=False)
    op.create_index(
        "uq_jobs_unique_key",
        "jobs",
        ["unique_key"],
        unique=True,
        postgresql_where=sa.text("status IN ('queued', 'running') AND unique_key IS NOT NULL"),
    )
    op.create_table(
        "tokens",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=True),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("scope", sa.Text(), server_default="write", nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("modified", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("scope IN ('read', 'write')", name=op.f("ck_tokens_scope")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_tokens_tenant_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_tokens_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_tokens_secret_hash")),
    )
    op.create_index(op.f("ix_tokens_tenant_id"), "tokens", ["tenant_id"], unique=False)
    op.create_index(op.f("ix_tokens_user_id"), "tokens", ["user_id"], unique=False)
    op.create_table(
        "groups",
        sa.Column("inventory_id", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=512), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("manual", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("variables_text", sa.Text(), server_default="", nullable=False),
        sa.Column("variables", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("modified", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("generation", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), nullable=True),
        sa.Column("modified_by_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["users.id"], name=op.f("fk_groups_created_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["inventory_id", "tenant_id"],
            ["inventories.id", "inventories.tenant_id"],
            name=op.f("fk_groups_inventory_id_tenant_id"),
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["modified_by_id"], ["users.id"], name=op.f("fk_groups_modified_by_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_groups")),
        sa.UniqueConstraint("id", "inventory_id", name=op.f("uq_groups_id_inventory_id")),
        sa.UniqueConstraint("inventory_id", "name", name=op.f("uq_groups_inventory_id_name")),
    )
    op.create_index(
        "ix_groups_name_trgm",
        "groups",
        ["name"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"name": "gin_trgm_ops"},
    )
    op.create_index("ix_groups_tenant_id", "groups", ["tenant_id"], unique=False)
    op.create_table(
        "inventory_sources",
        sa.Column("inventory_id", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=512), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("source", sa.String(length=64), server_default="", nullable=False),
        sa.Column("source_path", sa.String(length=1024), server_default="", nullable=False),
        sa.Column("source_vars", sa.Text(), server_default="", nullable=False),
        sa.Column("scm_branch", sa.String(length=1024), server_default="", nullable=False),
        sa.Column("enabled_var", sa.Text(), server_default="", nullable=False),
        sa.Column("enabled_value", sa.Text(), server_default="", nullable=False),
        sa.Column("host_filter", sa.Text(), server_default="", nullable=False),
        sa.Column("overwrite", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("overwrite_vars", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("timeout", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("verbosity", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("limit", sa.Text(), server_default="", nullable=False),
        sa.Column("update_on_launch", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("update_cache_timeout", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("inventory_vars", sa.Text(), server_default="{}", nullable=False),
        sa.Column("status", sa.String(length=32), server_default="never updated", nullable=False),
        sa.Column("last_updated", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), server_default="", nullable=False),
        sa.Column("current_update_id", sa.BigInteger(), nullable=True),
        sa.Column("last_update_id", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("modified", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("generation", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), nullable=True),
        sa.Column("modified_by_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("update_cache_timeout >= 0", name=op.f("ck_inventory_sources_update_cache_timeout")),
        sa.CheckConstraint("verbosity BETWEEN 0 AND 2", name=op.f("ck_inventory_sources_verbosity")),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["users.id"],
            name=op.f("fk_inventory_sources_created_by_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["inventory_id", "tenant_id"],
            ["inventories.id", "inventories.tenant_id"],
            name=op.f("fk_inventory_sources_inventory_id_tenant_id"),
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["modified_by_id"],
            ["users.id"],
            name=op.f("fk_inventory_sources_modified_by_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inventory_sources")),
        sa.UniqueConstraint("inventory_id", "name", name=op.f("uq_inventory_sources_inventory_id_name")),
    )
    op.create_index("ix_inventory_sources_tenant_id", "inventory_sources", ["tenant_id"], unique=False)
    op.create_table(
        "regions",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("inventory_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=512), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("variables", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("modified", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("generation", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), nullable=True),
        sa.Column("modified_by_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["users.id"], name=op.f("fk_regions_created_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["inventory_id", "tenant_id"],
            ["inventories.id", "inventories.tenant_id"],
            name=op.f("fk_regions_inventory_id_tenant_id"),
        ),
        sa.ForeignKeyConstraint(
            ["modified_by_id"], ["users.id"], name=op.f("fk_regions_modified_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_regions_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_regions")),
        sa.UniqueConstraint("id", "tenant_id", name=op.f("uq_regions_id_tenant_id")),
        sa.UniqueConstraint("inventory_id", name=op.f("uq_regions_inventory_id")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_regions_tenant_id_name")),
    )
    op.create_table(
        "group_edges",
        sa.Column("parent_id", sa.BigInteger(), nullable=False),
        sa.Column("child_id", sa.BigInteger(), nullable=False),
        sa.Column("inventory_id", sa.BigInteger(), nullable=False),
        sa.Column("manual", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("source_ids", postgresql.ARRAY(sa.BigInteger()), server_default="{}", nullable=False),
        sa.CheckConstraint("parent_id <> child_id", name=op.f("ck_group_edges_not_itself")),
        sa.ForeignKeyConstraint(
            ["child_id", "inventory_id"],
            ["groups.id", "groups.inventory_id"],
            name=op.f("fk_group_edges_child_id_inventory_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["parent_id", "inventory_id"],
            ["groups.id", "groups.inventory_id"],
            name=op.f("fk_group_edges_parent_id_inventory_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("parent_id", "child_id", name=op.f("pk_group_edges")),
    )
    op.create_index("ix_group_edges_child_id", "group_edges", ["child_id"], unique=False)
    op.create_index("ix_group_edges_inventory_id", "group_edges", ["inventory_id"], unique=False)
    op.create_table(
        "group_sources",
        sa.Column("inventory_source_id", sa.BigInteger(), nullable=False),
        sa.Column("group_id", sa.BigInteger(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("variables", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["groups.id"], name=op.f("fk_group_sources_group_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["inventory_source_id"],
            ["inventory_sources.id"],
            name=op.f("fk_group_sources_inventory_source_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("inventory_source_id", "group_id", name=op.f("pk_group_sources")),
    )
    op.create_index(op.f("ix_group_sources_group_id"), "group_sources", ["group_id"], unique=False)
    op.create_table(
        "hosts",
        sa.Column("inventory_id", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("region_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=512), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("manual", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("instance_id", sa.String(length=1024), server_default="", nullable=False),
        sa.Column("ip_address", postgresql.INET(), nullable=True),
        sa.Column("ip6_address", postgresql.INET(), nullable=True),
        sa.Column("fqdn", sa.Text(), nullable=True),
        sa.Column("mac_address", sa.Text(), nullable=True),
        sa.Column("asset_id", sa.Text(), nullable=True),
        sa.Column("os_family", sa.Text(), nullable=True),
        sa.Column("device_type", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ansible_facts_modified", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("variables_text", sa.Text(), server_default="", nullable=False),
        sa.Column("variables", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("modified", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("generation", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), nullable=True),
        sa.Column("modified_by_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["users.id"], name=op.f("fk_hosts_created_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["inventory_id", "tenant_id"],
            ["inventories.id", "inventories.tenant_id"],
            name=op.f("fk_hosts_inventory_id_tenant_id"),
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["modified_by_id"], ["users.id"], name=op.f("fk_hosts_modified_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["region_id", "tenant_id"],
            ["regions.id", "regions.tenant_id"],
            name=op.f("fk_hosts_region_id_tenant_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hosts")),
        sa.UniqueConstraint("id", "inventory_id", name=op.f("uq_hosts_id_inventory_id")),
        sa.UniqueConstraint("inventory_id", "name", name=op.f("uq_hosts_inventory_id_name")),
    )
    op.create_index("ix_hosts_name", "hosts", ["name"], unique=False, postgresql_ops={"name": "text_pattern_ops"})
    op.create_index(
        "ix_hosts_name_trgm",
        "hosts",
        ["name"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"name": "gin_trgm_ops"},
    )
    op.create_index("ix_hosts_region_id", "hosts", ["region_id"], unique=False)
    op.create_index("ix_hosts_tenant_id", "hosts", ["tenant_id", "id"], unique=False)
    op.create_index(
        "ix_hosts_variables",
        "hosts",
        ["variables"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"variables": "jsonb_path_ops"},
    )
    op.create_table(
        "inventory_source_uploads",
        sa.Column("inventory_source_id", sa.BigInteger(), nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("modified", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["inventory_source_id"],
            ["inventory_sources.id"],
            name=op.f("fk_inventory_source_uploads_inventory_source_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("inventory_source_id", name=op.f("pk_inventory_source_uploads")),
    )
    op.create_table(
        "inventory_updates",
        sa.Column("inventory_id", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("inventory_source_id", sa.BigInteger(), nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=512), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.String(length=16), server_default="full", nullable=False),
        sa.Column("launch_type", sa.String(length=32), server_default="manual", nullable=False),
        sa.Column("status", sa.String(length=16), server_default="pending", nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("options", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("source_definition", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("started", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished", sa.DateTime(timezone=True), nullable=True),
        sa.Column("canceled_on", sa.DateTime(timezone=True), nullable=True),
        sa.Column("collected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("job_explanation", sa.Text(), server_default="", nullable=False),
        sa.Column("job_args", sa.Text(), server_default="", nullable=False),
        sa.Column("job_cwd", sa.Text(), server_default="", nullable=False),
        sa.Column("job_env", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("execution_node", sa.Text(), server_default="", nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("result_traceback", sa.Text(), server_default="", nullable=False),
        sa.Column("event_processing_finished", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("modified", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), nullable=True),
        sa.Column("modified_by_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('full', 'targeted')", name=op.f("ck_inventory_updates_kind")),
        sa.CheckConstraint(
            "status IN ('new', 'pending', 'waiting', 'running', 'successful', 'failed', 'error', 'canceled')",
            name=op.f("ck_inventory_updates_status"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["users.id"],
            name=op.f("fk_inventory_updates_created_by_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["inventory_id", "tenant_id"],
            ["inventories.id", "inventories.tenant_id"],
            name=op.f("fk_inventory_updates_inventory_id_tenant_id"),
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["inventory_source_id"],
            ["inventory_sources.id"],
            name=op.f("fk_inventory_updates_inventory_source_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_inventory_updates_job_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["modified_by_id"],
            ["users.id"],
            name=op.f("fk_inventory_updates_modified_by_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inventory_updates")),
    )
    op.create_index("ix_inventory_updates_inventory_id", "inventory_updates", ["inventory_id"], unique=False)
    op.create_index(
        "ix_inventory_updates_inventory_source_id", "inventory_updates", ["inventory_source_id"], unique=False
    )
    op.create_index("ix_inventory_updates_tenant_id", "inventory_updates", ["tenant_id"], unique=False)
    op.create_index(
        "uq_inventory_updates_one_running",
        "inventory_updates",
        ["inventory_source_id"],
        unique=True,
        postgresql_where=sa.text("status = 'running'"),
    )
    op.create_index(
        "uq_inventory_updates_one_waiting",
        "inventory_updates",
        ["inventory_source_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('new', 'pending', 'waiting')"),
    )
    op.create_table(
        "host_facts",
        sa.Column("host_id", sa.BigInteger(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["host_id"], ["hosts.id"], name=op.f("fk_host_facts_host_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("host_id", name=op.f("pk_host_facts")),
    )
    op.create_index(
        "ix_host_facts_facts",
        "host_facts",
        ["facts"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"facts": "jsonb_path_ops"},
    )
    op.create_table(
        "host_sources",
        sa.Column("inventory_source_id", sa.BigInteger(), nullable=False),
        sa.Column("host_id", sa.BigInteger(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("variables", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(["host_id"], ["hosts.id"], name=op.f("fk_host_sources_host_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["inventory_source_id"],
            ["inventory_sources.id"],
            name=op.f("fk_host_sources_inventory_source_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("inventory_source_id", "host_id", name=op.f("pk_host_sources")),
    )
    op.create_index(op.f("ix_host_sources_host_id"), "host_sources", ["host_id"], unique=False)
    op.create_table(
        "inventory_update_events",
        sa.Column("inventory_update_id", sa.BigInteger(), nullable=False),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("event", sa.String(length=32), server_default="verbose", nullable=False),
        sa.Column("stdout", sa.Text(), server_default="", nullable=False),
        sa.Column("start_line", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("end_line", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("verbosity", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("event_data", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["inventory_update_id"],
            ["inventory_updates.id"],
            name=op.f("fk_inventory_update_events_inventory_update_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inventory_update_events")),
    )
    op.create_index(
        "uq_inventory_update_events_counter",
        "inventory_update_events",
        ["inventory_update_id", "counter"],
        unique=True,
    )
    op.create_table(
        "memberships",
        sa.Column("group_id", sa.BigInteger(), nullable=False),
        sa.Column("host_id", sa.BigInteger(), nullable=False),
        sa.Column("inventory_id", sa.BigInteger(), nullable=False),
        sa.Column("manual", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("source_ids", postgresql.ARRAY(sa.BigInteger()), server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id", "inventory_id"],
            ["groups.id", "groups.inventory_id"],
            name=op.f("fk_memberships_group_id_inventory_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["host_id", "inventory_id"],
            ["hosts.id", "hosts.inventory_id"],
            name=op.f("fk_memberships_host_id_inventory_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("group_id", "host_id", name=op.f("pk_memberships")),
    )
    op.create_index("ix_memberships_host_id", "memberships", ["host_id"], unique=False)
    op.create_index("ix_memberships_inventory_id", "memberships", ["inventory_id"], unique=False)

    for column in ("current_update_id", "last_update_id"):
        op.create_foreign_key(
            op.f(f"fk_inventory_sources_{column}"),
            "inventory_sources",
            "inventory_updates",
            [column],
            ["id"],
            ondelete="SET NULL",
        )
        op.create_index(op.f(f"ix_inventory_sources_{column}"), "inventory_sources", [column])
    op.create_index(op.f("ix_inventory_updates_job_id"), "inventory_updates", ["job_id"])
    create_triggers()


def downgrade() -> None:
    drop_triggers()
    for column in ("current_update_id", "last_update_id"):
        op.drop_constraint(op.f(f"fk_inventory_sources_{column}"), "inventory_sources", type_="foreignkey")
    op.drop_index("ix_memberships_inventory_id", table_name="memberships")
    op.drop_index("ix_memberships_host_id", table_name="memberships")
    op.drop_table("memberships")
    op.drop_index("uq_inventory_update_events_counter", table_name="inventory_update_events")
    op.drop_table("inventory_update_events")
    op.drop_index(op.f("ix_host_sources_host_id"), table_name="host_sources")
    op.drop_table("host_sources")
    op.drop_index(
        "ix_host_facts_facts",
        table_name="host_facts",
        postgresql_using="gin",
        postgresql_ops={"facts": "jsonb_path_ops"},
    )
    op.drop_table("host_facts")
    op.drop_index(
        "uq_inventory_updates_one_waiting",
        table_name="inventory_updates",
        postgresql_where=sa.text("status IN ('new', 'pending', 'waiting')"),
    )
    op.drop_index(
        "uq_inventory_updates_one_running",
        table_name="inventory_updates",
        postgresql_where=sa.text("status = 'running'"),
    )
    op.drop_index("ix_inventory_updates_tenant_id", table_name="inventory_updates")
    op.drop_index("ix_inventory_updates_inventory_source_id", table_name="inventory_updates")
    op.drop_index("ix_inventory_updates_inventory_id", table_name="inventory_updates")
    op.drop_table("inventory_updates")
    op.drop_table("inventory_source_uploads")
    op.drop_index(
        "ix_hosts_variables",
        table_name="hosts",
        postgresql_using="gin",
        postgresql_ops={"variables": "jsonb_path_ops"},
    )
    op.drop_index("ix_hosts_tenant_id", table_name="hosts")
    op.drop_index("ix_hosts_region_id", table_name="hosts")
    op.drop_index(
        "ix_hosts_name_trgm",
        table_name="hosts",
        postgresql_using="gin",
        postgresql_ops={"name": "gin_trgm_ops"},
    )
    op.drop_index("ix_hosts_name", table_name="hosts", postgresql_ops={"name": "text_pattern_ops"})
    op.drop_table("hosts")
    op.drop_index(op.f("ix_group_sources_group_id"), table_name="group_sources")
    op.drop_table("group_sources")
    op.drop_index("ix_group_edges_inventory_id", table_name="group_edges")
    op.drop_index("ix_group_edges_child_id", table_name="group_edges")
    op.drop_table("group_edges")
    op.drop_table("regions")
    op.drop_index("ix_inventory_sources_tenant_id", table_name="inventory_sources")
    op.drop_table("inventory_sources")
    op.drop_index("ix_groups_tenant_id", table_name="groups")
    op.drop_index(
        "ix_groups_name_trgm",
        table_name="groups",
        postgresql_using="gin",
        postgresql_ops={"name": "gin_trgm_ops"},
    )
    op.drop_table("groups")
    op.drop_index(op.f("ix_tokens_user_id"), table_name="tokens")
    op.drop_index(op.f("ix_tokens_tenant_id"), table_name="tokens")
    op.drop_table("tokens")
    op.drop_index(
        "uq_jobs_unique_key",
        table_name="jobs",
        postgresql_where=sa.text("status IN ('queued', 'running') AND unique_key IS NOT NULL"),
    )
    op.drop_index("ix_jobs_tenant_id", table_name="jobs")
    op.drop_index("ix_jobs_lease", table_name="jobs", postgresql_where=sa.text("status = 'running'"))
    op.drop_index("ix_jobs_due", table_name="jobs", postgresql_where=sa.text("status = 'queued'"))
    op.drop_table("jobs")
    op.drop_table("inventories")
    op.drop_index(op.f("ix_grants_tenant_id"), table_name="grants")
    op.drop_table("grants")
    op.drop_table("tenants")
    op.drop_table("users")

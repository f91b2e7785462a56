"""what each refresh changed, and the activity stream"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Tables whose rows have an id, with what people know a row by.
ROWS = {
    "hosts": "c.name",
    "groups": "c.name",
    "hypervisors": "c.ref",
    "flavors": "c.ref",
    "images": "c.ref",
    "networks": "c.ref",
    "disks": "c.ref",
    "network_ports": "c.ref",
    "resources": "c.collection || '/' || c.ref",
}
# Links: the column of what stands above and its table, then of what stands below.
LINKS = {
    "memberships": ("group_id", "groups", "host_id", "hosts"),
    "group_edges": ("parent_id", "groups", "child_id", "groups"),
}
# Columns of inventories that a person or a source may change.
OF_INVENTORIES = (
    "tenant_id, name, description, kind, host_filter, include_groups, prevent_instance_group_fallback, "
    "variables_text, variables"
)
# Only a refresh notes what it changes, by naming its update in its own transaction.
ON = "coalesce(current_setting('craton_inv.change_set', true), '') <> ''"
UPDATE_ID = "current_setting('craton_inv.change_set')::bigint"
# What moves along with every change and tells nothing, and what says the same twice.
SILENT = "'{modified,generation,collected_at,variables_text}'::text[]"

# Rows are packed: a first refresh makes a hundred thousand of them, and says no more than which.
NOTE_IDENTITIES = """
  INSERT INTO inventory_change_parts (update_id, collection, action, size, row_ids, parent_ids, refs)
  SELECT {update_id}, '{table}', 'created', count(*), array_agg(id), {parents}, {refs}
  FROM (SELECT {id} AS id, {identity} (row_number() OVER () - 1) / 1000 AS part FROM changed c) parts
  GROUP BY part;
"""
# A part holds at most a thousand rows, and some megabyte of them.
NOTE_ROWS = """
  INSERT INTO inventory_change_parts (update_id, collection, action, size, row_ids, parent_ids, refs, changes)
  SELECT {update_id}, '{table}', '{action}', count(*), array_agg(id), {parents}, array_agg(ref), array_agg(told)
  FROM (
    SELECT noted.*, floor(sum(1000 + pg_column_size(told)) OVER (ORDER BY {order}) / 1000000) AS part
    FROM ({told}) noted
    WHERE told IS NOT NULL
  ) parts
  GROUP BY part;
"""
WHOLE = "SELECT {id} AS id, {parent} {ref} AS ref, to_jsonb(c) AS told FROM changed c OFFSET 0"
DIFFERING = """
  SELECT pair.id, {pair_parent} pair.ref,
         (SELECT jsonb_object_agg(field.key, jsonb_build_array(pair.old_row -> field.key, field.value))
          FROM jsonb_each(pair.new_row) field
          WHERE field.value IS DISTINCT FROM pair.old_row -> field.key AND field.key <> ALL ({silent})) AS told
  FROM (
    SELECT {id} AS id, {parent} {ref} AS ref, to_jsonb(o) AS old_row, to_jsonb(c) AS new_row
    FROM before o JOIN changed c ON {same}
    OFFSET 0
  ) pair
  OFFSET 0
"""
NAME = "coalesce((SELECT name FROM {table} WHERE id = c.{column}), '#' || c.{column})"
FUNCTION = """
CREATE FUNCTION capture_{table}_{event}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM changed) THEN
    RETURN NULL;
  END IF;
  {body}
  RETURN NULL;
END $$
"""
CREATED = """IF current_setting('craton_inv.change_rows', true) = 'on' THEN
  {whole}
  ELSE
  {identities}
  END IF;"""
# The inventory itself: row by row, for its triggers fire with every write into it, to move its generation.
CAPTURE_INVENTORY = """
CREATE FUNCTION capture_inventory() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  old_row jsonb := to_jsonb(OLD);
  told jsonb;
BEGIN
  SELECT jsonb_object_agg(field.key, jsonb_build_array(old_row -> field.key, field.value)) INTO told
  FROM jsonb_each(to_jsonb(NEW)) field
  WHERE field.value IS DISTINCT FROM old_row -> field.key AND field.key <> ALL (<silent>);
  IF told IS NOT NULL THEN
    INSERT INTO inventory_change_parts (update_id, collection, action, size, row_ids, refs, changes)
    VALUES (<update_id>, 'inventories', 'updated', 1, ARRAY[NEW.id], ARRAY[NEW.name::text], ARRAY[told]);
  END IF;
  RETURN NULL;
END $$
"""
# A run that was planned on one generation meets no other: each write of its transaction must go on from its own last.
REFUSE_MOVED = """
CREATE FUNCTION refuse_moved_inventory() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.generation <> current_setting('craton_inv.expected_generation')::bigint THEN
    RAISE serialization_failure USING MESSAGE = 'The inventory was changed by somebody else meanwhile.';
  END IF;
  PERFORM set_config('craton_inv.expected_generation', NEW.generation::text, true);
  RETURN NULL;
END $$
"""


def row_parts(table: str, ref: str) -> dict[str, str]:
    """What the templates say of a table whose rows have an id."""
    return {
        "table": table,
        "update_id": UPDATE_ID,
        "silent": SILENT,
        "id": "c.id",
        "parent": "",
        "pair_parent": "",
        "parents": "NULL",
        "identity": f"{ref} AS ref,",
        "ref": ref,
        "refs": "array_agg(ref)",
        "same": "c.id = o.id",
        "order": "id",
    }


def link_parts(table: str, above: str, above_table: str, below: str, below_table: str) -> dict[str, str]:
    """The same of links, which have no id: they are the id of what stands below and that of what stands above."""
    names = [NAME.format(table=of, column=column) for of, column in ((above_table, above), (below_table, below))]
    return {
        "table": table,
        "update_id": UPDATE_ID,
        "silent": SILENT,
        "id": f"c.{below}",
        "parent": f"c.{above} AS parent_id,",
        "pair_parent": "pair.parent_id,",
        "parents": "array_agg(parent_id)",
        "identity": f"c.{above} AS parent_id,",
        "ref": " || ' > ' || ".join(names),
        "refs": "NULL",
        "same": f"(c.{above}, c.{below}) = (o.{above}, o.{below})",
        "order": "parent_id, id",
    }


def create_capture(parts: dict[str, str]) -> None:
    """The three functions and triggers of one table."""
    table = parts["table"]
    whole = WHOLE.format(**parts)
    bodies = {
        "INSERT": CREATED.format(
            whole=NOTE_ROWS.format(action="created", told=whole, **parts), identities=NOTE_IDENTITIES.format(**parts)
        ),
        "UPDATE": NOTE_ROWS.format(action="updated", told=DIFFERING.format(**parts), **parts),
        "DELETE": NOTE_ROWS.format(action="deleted", told=whole, **parts),
    }
    rows = {
        "INSERT": "NEW TABLE AS changed",
        "UPDATE": "OLD TABLE AS before NEW TABLE AS changed",
        "DELETE": "OLD TABLE AS changed",
    }
    for event, body in bodies.items():
        op.execute(FUNCTION.format(table=table, event=event.lower(), body=body))
        op.execute(
            f"CREATE TRIGGER capture_{event.lower()} AFTER {event} ON {table} REFERENCING {rows[event]} "
            f"FOR EACH STATEMENT WHEN ({ON}) EXECUTE FUNCTION capture_{table}_{event.lower()}()"
        )


def captures() -> list[dict[str, str]]:
    """All tables that are captured by statement."""
    return [
        *(row_parts(table, ref) for table, ref in ROWS.items()),
        *(link_parts(table, *columns) for table, columns in LINKS.items()),
    ]


def create_triggers() -> None:
    """Capture what a refresh changes."""
    for parts in captures():
        create_capture(parts)
    op.execute(CAPTURE_INVENTORY.replace("<silent>", SILENT).replace("<update_id>", UPDATE_ID))
    op.execute(
        f"CREATE TRIGGER capture_inventory AFTER UPDATE OF {OF_INVENTORIES} ON inventories FOR EACH ROW WHEN ({ON}) "
        "EXECUTE FUNCTION capture_inventory()"
    )
    op.execute(REFUSE_MOVED)
    op.execute(
        "CREATE TRIGGER refuse_moved AFTER UPDATE ON inventories FOR EACH ROW "
        "WHEN (coalesce(current_setting('craton_inv.expected_generation', true), '') <> '') "
        "EXECUTE FUNCTION refuse_moved_inventory()"
    )


def create_change_tables() -> None:
    """Change sets, and what dry runs had delivered to them."""
    op.create_table(
        "inventory_change_parts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("update_id", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("collection", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("row_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("parent_ids", postgresql.ARRAY(sa.BigInteger()), nullable=True),
        sa.Column("refs", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("changes", postgresql.ARRAY(postgresql.JSONB(astext_type=sa.Text())), nullable=True),
        sa.CheckConstraint(
            "action IN ('created', 'updated', 'deleted')", name=op.f("ck_inventory_change_parts_action")
        ),
        sa.ForeignKeyConstraint(
            ["update_id"],
            ["inventory_updates.id"],
            name=op.f("fk_inventory_change_parts_update_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inventory_change_parts")),
    )
    op.create_index("ix_inventory_change_parts_update_id", "inventory_change_parts", ["update_id", "id"], unique=False)
    op.create_table(
        "update_deliveries",
        sa.Column("update_id", sa.BigInteger(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_by_update_id", sa.BigInteger(), nullable=True),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(
            ["update_id"], ["inventory_updates.id"], name=op.f("fk_update_deliveries_update_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["applied_by_update_id"],
            ["inventory_updates.id"],
            name=op.f("fk_update_deliveries_applied_by_update_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("update_id", name=op.f("pk_update_deliveries")),
    )
    op.create_index(
        op.f("ix_update_deliveries_applied_by_update_id"), "update_deliveries", ["applied_by_update_id"], unique=False
    )
    op.create_index("ix_update_deliveries_expires", "update_deliveries", ["expires"], unique=False)
    op.create_table(
        "update_delivery_chunks",
        sa.Column("update_id", sa.BigInteger(), nullable=False),
        sa.Column("collection", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["update_id"],
            ["update_deliveries.update_id"],
            name=op.f("fk_update_delivery_chunks_update_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("update_id", "collection", "number", name=op.f("pk_update_delivery_chunks")),
    )
    # It is compressed already.
    op.execute("ALTER TABLE update_delivery_chunks ALTER COLUMN content SET STORAGE EXTERNAL")


def create_activity_stream() -> None:
    """Who did what. Rows outlive what they speak of: only the tenant and the actor are referred to."""
    op.create_table(
        "activity_stream",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("timestamp", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("actor_name", sa.Text(), server_default="", nullable=False),
        sa.Column("operation", sa.String(length=16), nullable=False),
        sa.Column("object1", sa.String(length=64), nullable=False),
        sa.Column("object1_id", sa.BigInteger(), nullable=False),
        sa.Column("object1_name", sa.Text(), server_default="", nullable=False),
        sa.Column("object2", sa.String(length=64), server_default="", nullable=False),
        sa.Column("object2_id", sa.BigInteger(), nullable=True),
        sa.Column("object2_name", sa.Text(), server_default="", nullable=False),
        sa.Column("inventory_id", sa.BigInteger(), nullable=True),
        sa.Column("changes", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("action_node", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "operation IN ('create', 'update', 'delete', 'associate', 'disassociate')",
            name=op.f("ck_activity_stream_operation"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_activity_stream_tenant_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["users.id"], name=op.f("fk_activity_stream_actor_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity_stream")),
    )
    op.create_index("ix_activity_stream_tenant_id", "activity_stream", ["tenant_id", "id"], unique=False)
    op.create_index("ix_activity_stream_actor_id", "activity_stream", ["actor_id"], unique=False)
    op.create_index("ix_activity_stream_inventory_id", "activity_stream", ["inventory_id", "id"], unique=False)
    op.create_index("ix_activity_stream_object1", "activity_stream", ["object1", "object1_id", "id"], unique=False)
    op.create_index(
        "ix_activity_stream_object2",
        "activity_stream",
        ["object2", "object2_id", "id"],
        unique=False,
        postgresql_where=sa.text("object2_id IS NOT NULL"),
    )


def upgrade() -> None:
    op.add_column(
        "inventory_updates", sa.Column("purpose", sa.String(length=16), server_default="update", nullable=False)
    )
    op.create_check_constraint(
        op.f("ck_inventory_updates_purpose"), "inventory_updates", "purpose IN ('update', 'dry_run', 'apply')"
    )
    op.add_column("inventory_updates", sa.Column("dry_run_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_inventory_updates_dry_run_id"),
        "inventory_updates",
        "inventory_updates",
        ["dry_run_id"],
        ["id"],
        ondelete="SET NULL",
    )
    op.create_index(
        "ix_inventory_updates_dry_run_id",
        "inventory_updates",
        ["dry_run_id"],
        unique=False,
        postgresql_where=sa.text("dry_run_id IS NOT NULL"),
    )
    # A dry run waits beside the update that waits, and so does the application of one: neither merges with another.
    op.drop_index("uq_inventory_updates_one_waiting", table_name="inventory_updates")
    op.create_index(
        "uq_inventory_updates_one_waiting",
        "inventory_updates",
        ["inventory_source_id", "purpose"],
        unique=True,
        postgresql_where=sa.text("status IN ('new', 'pending', 'waiting')"),
    )
    create_change_tables()
    create_activity_stream()
    create_triggers()


def downgrade() -> None:
    op.execute("DROP FUNCTION refuse_moved_inventory() CASCADE")
    op.execute("DROP FUNCTION capture_inventory() CASCADE")
    for parts in captures():
        for event in ("insert", "update", "delete"):
            op.execute(f"DROP FUNCTION capture_{parts['table']}_{event}() CASCADE")
    op.drop_table("activity_stream")
    op.drop_table("update_delivery_chunks")
    op.drop_table("update_deliveries")
    op.drop_table("inventory_change_parts")
    # Without its column a dry run would look like a run that wrote.
    op.execute(
        "DELETE FROM inventory_updates WHERE purpose = 'dry_run' "
        "OR (purpose = 'apply' AND status IN ('new', 'pending', 'waiting'))"
    )
    op.drop_index("uq_inventory_updates_one_waiting", table_name="inventory_updates")
    op.create_index(
        "uq_inventory_updates_one_waiting",
        "inventory_updates",
        ["inventory_source_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('new', 'pending', 'waiting')"),
    )
    op.drop_index("ix_inventory_updates_dry_run_id", table_name="inventory_updates")
    op.drop_constraint(op.f("fk_inventory_updates_dry_run_id"), "inventory_updates", type_="foreignkey")
    op.drop_column("inventory_updates", "dry_run_id")
    op.drop_constraint(op.f("ck_inventory_updates_purpose"), "inventory_updates", type_="check")
    op.drop_column("inventory_updates", "purpose")

"""smart inventories: groups of members, the membership table and what keeps it"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Changes are noted only on connections of processes that keep the memberships up to date.
ON = "current_setting('craton_inv.rebuild_smart_membership', true) = 'on'"

# New and deleted hosts. Rows of a statement are noted in arrays: a refresh writes a hundred thousand of them.
NOTE_HOSTS = """
CREATE FUNCTION note_hosts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO smart_membership_changes (tenant_id, kind, keys, names, what)
  SELECT tenant_id, 'host', array_agg(id), array_agg(name), ARRAY['hosts']
  FROM (
    SELECT tenant_id, id, name, (row_number() OVER (PARTITION BY tenant_id ORDER BY id) - 1) / 500 AS part
    FROM changed
  ) parts
  GROUP BY tenant_id, part;
  RETURN NULL;
END $$
"""
# A host is noted under its old and its new name, for its old and its new tenant: of equal names one host is a member.
NOTE_HOST_UPDATES = """
CREATE FUNCTION note_host_updates() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO smart_membership_changes (tenant_id, kind, keys, names, what)
  SELECT tenant_id, 'host', array_agg(id), array_agg(name), what
  FROM (
    SELECT places.tenant_id, places.name, differing.id, differing.what,
           (row_number() OVER (PARTITION BY places.tenant_id, differing.what ORDER BY differing.id) - 1) / 500
           AS part
    FROM (
      SELECT pair.id, pair.old_tenant, pair.old_name, pair.new_tenant, pair.new_name,
             (SELECT array_agg('hosts.' || field.key ORDER BY field.key) FROM jsonb_each(pair.new_row) field
              WHERE field.value IS DISTINCT FROM pair.old_row -> field.key) AS what
      FROM (
        SELECT o.id, o.tenant_id AS old_tenant, o.name AS old_name, n.tenant_id AS new_tenant, n.name AS new_name,
               to_jsonb(o) AS old_row, to_jsonb(n) AS new_row
        FROM before o JOIN changed n ON n.id = o.id
        OFFSET 0
      ) pair
    ) differing
    CROSS JOIN LATERAL (
      SELECT differing.old_tenant AS tenant_id, differing.old_name AS name
      UNION SELECT differing.new_tenant, differing.new_name
    ) places
    WHERE differing.what IS NOT NULL
  ) parts
  GROUP BY tenant_id, what, part;
  RETURN NULL;
END $$
"""
# Links between hosts and something else. A host that is gone, or goes in the same statement, is noted by itself.
NOTE_LINKS = """
CREATE FUNCTION note_links() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO smart_membership_changes (tenant_id, kind, keys, names, what)
  SELECT tenant_id, 'host', array_agg(id), array_agg(name), ARRAY[TG_TABLE_NAME::text]
  FROM (
    SELECT h.tenant_id, h.id, h.name, (row_number() OVER (PARTITION BY h.tenant_id ORDER BY h.id) - 1) / 500 AS part
    FROM (SELECT DISTINCT host_id FROM changed) c JOIN hosts h ON h.id = c.host_id
  ) parts
  GROUP BY tenant_id, part;
  RETURN NULL;
END $$
"""
# The same row by row, for tables whose rows are too heavy to be gathered for nothing while nobody notes.
NOTE_HOST_ROW = """
CREATE FUNCTION note_host_row() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  touched bigint := CASE WHEN TG_OP = 'DELETE' THEN OLD.host_id ELSE NEW.host_id END;
BEGIN
  INSERT INTO smart_membership_changes (tenant_id, kind, keys, names, what)
  SELECT h.tenant_id, 'host', ARRAY[h.id], ARRAY[h.name], ARRAY[TG_TABLE_NAME::text]
  FROM hosts h WHERE h.id = touched;
  RETURN NULL;
END $$
"""
# Nesting: what is above the child now reaches other hosts.
NOTE_EDGES = """
CREATE FUNCTION note_edges() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO smart_membership_changes (tenant_id, kind, keys, names, what)
  SELECT g.tenant_id, 'group', array_agg(DISTINCT g.id), '{}', ARRAY['group_edges']
  FROM changed c JOIN groups g ON g.id = c.child_id
  GROUP BY g.tenant_id;
  RETURN NULL;
END $$
"""
# Rows that hosts point at, in some way. Arguments: the kind of the change, the column of its key, that of the tenant.
NOTE_ROW = """
CREATE FUNCTION note_row() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  old_row jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
  new_row jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
  touched jsonb := COALESCE(new_row, old_row);
  differing text[] := ARRAY[TG_TABLE_NAME::text];
BEGIN
  IF TG_OP = 'UPDATE' THEN
    SELECT array_agg(TG_TABLE_NAME || '.' || key) INTO differing
    FROM jsonb_each(new_row) WHERE value IS DISTINCT FROM old_row -> key;
  END IF;
  IF differing IS NOT NULL THEN
    INSERT INTO smart_membership_changes (tenant_id, kind, keys, names, what) VALUES
      ((touched ->> TG_ARGV[2])::bigint, TG_ARGV[0], ARRAY[(touched ->> TG_ARGV[1])::bigint], '{}', differing);
  END IF;
  RETURN NULL;
END $$
"""
# A stored search that is new, other than before, or gone; one that moves is noted for both tenants.
NOTE_SEARCH = """
CREATE FUNCTION note_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    INSERT INTO smart_membership_changes (tenant_id, kind, keys, names, what)
    VALUES (OLD.tenant_id, 'smart', ARRAY[OLD.id], '{}', ARRAY['inventories.host_filter']);
  END IF;
  IF TG_OP = 'INSERT' OR (TG_OP = 'UPDATE' AND NEW.tenant_id <> OLD.tenant_id) THEN
    INSERT INTO smart_membership_changes (tenant_id, kind, keys, names, what)
    VALUES (NEW.tenant_id, 'smart', ARRAY[NEW.id], '{}', ARRAY['inventories.host_filter']);
  END IF;
  RETURN NULL;
END $$
"""
# Instead of foreign keys, whose locks on hosts and inventories would deadlock with writers that hold those rows and
# wait for their turn with the memberships. What is gone needs no check: readers join both sides.
REFUSE_FOREIGN_MEMBERS = """
CREATE FUNCTION refuse_foreign_members() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM added a JOIN inventories i ON i.id = a.inventory_id JOIN hosts h ON h.id = a.host_id
    WHERE i.tenant_id <> h.tenant_id OR i.kind <> 'smart'
  ) THEN
    RAISE check_violation USING
      CONSTRAINT = 'ck_smart_inventory_memberships_same_tenant',
      MESSAGE = 'A host can only be a member of smart inventories of its own tenant.';
  END IF;
  RETURN NULL;
END $$
"""
FUNCTIONS = {
    "note_hosts": NOTE_HOSTS,
    "note_host_updates": NOTE_HOST_UPDATES,
    "note_links": NOTE_LINKS,
    "note_host_row": NOTE_HOST_ROW,
    "note_edges": NOTE_EDGES,
    "note_row": NOTE_ROW,
    "note_search": NOTE_SEARCH,
    "refuse_foreign_members": REFUSE_FOREIGN_MEMBERS,
}
ROWS = {"INSERT": "NEW TABLE AS changed", "DELETE": "OLD TABLE AS changed"}
# A moved generation alone, which every write into an inventory brings, is no change of the inventory.
REAL = ON + (
    " AND to_jsonb(OLD) - '{generation,modified}'::text[]"
    " IS DISTINCT FROM to_jsonb(NEW) - '{generation,modified}'::text[]"
)
OTHER_SEARCH = (
    f"{ON} AND NEW.kind = 'smart' AND (OLD.tenant_id, OLD.pending_deletion, OLD.host_filter) "
    "IS DISTINCT FROM (NEW.tenant_id, NEW.pending_deletion, NEW.host_filter)"
)


def note_statements(table: str, event: str, function: str, rows: str) -> None:
    """Call `function` after each statement that changes rows of `table`."""
    op.execute(
        f"CREATE TRIGGER note_{event.lower()} AFTER {event} ON {table} REFERENCING {rows} "
        f"FOR EACH STATEMENT WHEN ({ON}) EXECUTE FUNCTION {function}()"
    )


def note_rows(table: str, event: str, call: str, when: str = ON) -> None:
    """Call a function after each change of a row of `table`."""
    name = call.partition("(")[0] + "_" + event.lower().replace(" ", "_")
    op.execute(f"CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION {call}")


def create_triggers() -> None:
    """Note all that a filter on hosts can look at."""
    for function in FUNCTIONS.values():
        op.execute(function)
    for event, rows in ROWS.items():
        note_statements("hosts", event, "note_hosts", rows)
        note_statements("memberships", event, "note_links", rows)
        note_statements("host_labels", event, "note_links", rows)
        note_statements("group_edges", event, "note_edges", rows)
        note_rows("host_facts", event, "note_host_row()")
        note_rows("host_sources", event, "note_host_row()")
        note_rows("inventory_sources", event, "note_row('inventory', 'inventory_id', 'tenant_id')")
        note_rows("inventory_labels", event, "note_row('inventory', 'inventory_id', 'tenant_id')")
    note_statements("hosts", "UPDATE", "note_host_updates", "OLD TABLE AS before NEW TABLE AS changed")
    note_rows("host_facts", "UPDATE", "note_host_row()", f"{ON} AND OLD.facts IS DISTINCT FROM NEW.facts")
    note_rows("host_labels", "UPDATE", "note_host_row()")
    note_rows("inventory_labels", "UPDATE", "note_row('inventory', 'inventory_id', 'tenant_id')")
    note_rows("inventory_sources", "UPDATE", "note_row('inventory', 'inventory_id', 'tenant_id')")
    note_rows("inventories", "UPDATE", "note_row('inventory', 'id', 'tenant_id')", REAL)
    note_rows("groups", "UPDATE", "note_row('group', 'id', 'tenant_id')")
    note_rows("regions", "UPDATE", "note_row('region', 'id', 'tenant_id')")
    note_rows("tenants", "UPDATE", "note_row('tenant', 'id', 'id')")
    note_rows("labels", "UPDATE", "note_row('tenant', 'tenant_id', 'tenant_id')")
    # Users belong to no tenant: theirs is null, and all tenants are meant.
    note_rows("users", "UPDATE", "note_row('tenant', 'id', 'no tenant')")
    note_rows("inventories", "INSERT", "note_search()", f"{ON} AND NEW.kind = 'smart'")
    note_rows("inventories", "DELETE", "note_search()", f"{ON} AND OLD.kind = 'smart'")
    op.execute(
        "CREATE TRIGGER note_search_update AFTER UPDATE ON inventories FOR EACH ROW "
        f"WHEN ({OTHER_SEARCH}) EXECUTE FUNCTION note_search()"
    )
    op.execute(
        "CREATE TRIGGER refuse_foreign_members AFTER INSERT ON smart_inventory_memberships "
        "REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION refuse_foreign_members()"
    )


def upgrade() -> None:
    op.add_column("inventories", sa.Column("include_groups", sa.Boolean(), server_default="false", nullable=False))
    op.create_index(
        "ix_inventories_smart", "inventories", ["tenant_id"], unique=False, postgresql_where=sa.text("kind = 'smart'")
    )
    op.create_table(
        "smart_inventory_memberships",
        sa.Column("inventory_id", sa.BigInteger(), nullable=False),
        sa.Column("host_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("inventory_id", "host_id", name=op.f("pk_smart_inventory_memberships")),
    )
    op.create_index("ix_smart_inventory_memberships_host_id", "smart_inventory_memberships", ["host_id"], unique=False)
    op.create_table(
        "smart_membership_changes",
        sa.Column(
            "transaction",
            sa.BigInteger(),
            server_default=sa.text("(pg_current_xact_id()::text)::bigint"),
            nullable=True,
        ),
        sa.Column("tenant_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("keys", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("names", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("what", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "kind IN ('host', 'group', 'inventory', 'region', 'tenant', 'smart')",
            name=op.f("ck_smart_membership_changes_kind"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_smart_membership_changes")),
    )
    op.create_index("ix_smart_membership_changes_transaction", "smart_membership_changes", ["transaction"])
    op.create_index("ix_smart_membership_changes_tenant_id", "smart_membership_changes", ["tenant_id", "id"])
    create_triggers()


def downgrade() -> None:
    for function in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION {function}() CASCADE")
    op.drop_table("smart_membership_changes")
    op.drop_table("smart_inventory_memberships")
    op.drop_index("ix_inventories_smart", table_name="inventories", postgresql_where=sa.text("kind = 'smart'"))
    op.drop_column("inventories", "include_groups")

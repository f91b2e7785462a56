"""the catalogue of fact paths; facts no longer move what they do not change"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# New facts move the generation of their host, which shows when they came, but are no change that a person made.
TOUCH_HOST = """
CREATE FUNCTION touch_host() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.generation := OLD.generation + 1;
  IF NEW.ansible_facts_modified IS NOT DISTINCT FROM OLD.ansible_facts_modified THEN
    NEW.modified := now();
  END IF;
  RETURN NEW;
END $$
"""
# What Ansible reads of an inventory does not hold facts: hosts of which nothing but their time changed leave the
# inventory's generation, and its row, alone. Writers of facts would otherwise wait for each other there.
MOVE_GENERATION_OF_HOSTS = """
CREATE FUNCTION move_inventory_generation_of_hosts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE inventories SET generation = generation + 1
  WHERE id IN (
    SELECT DISTINCT n.inventory_id FROM changed n JOIN before o ON o.id = n.id
    WHERE n.ansible_facts_modified IS NOT DISTINCT FROM o.ansible_facts_modified
       OR to_jsonb(n) - '{generation,modified,ansible_facts_modified}'::text[]
          IS DISTINCT FROM to_jsonb(o) - '{generation,modified,ansible_facts_modified}'::text[]
  );
  RETURN NULL;
END $$
"""
TOUCH = "CREATE TRIGGER touch_row BEFORE UPDATE ON hosts FOR EACH ROW EXECUTE FUNCTION {function}()"
MOVE = (
    "CREATE TRIGGER move_generation_update AFTER UPDATE ON hosts REFERENCING {tables} "
    "FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
)


def upgrade() -> None:
    op.create_table(
        "fact_paths",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.Text(collation="C"), nullable=False),
        sa.Column("kinds", sa.SmallInteger(), nullable=False),
        sa.Column("example", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("last_seen", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_fact_paths_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "path", name=op.f("pk_fact_paths")),
    )
    op.execute(TOUCH_HOST)
    op.execute(MOVE_GENERATION_OF_HOSTS)
    op.execute("DROP TRIGGER touch_row ON hosts")
    op.execute(TOUCH.format(function="touch_host"))
    op.execute("DROP TRIGGER move_generation_update ON hosts")
    op.execute(
        MOVE.format(tables="OLD TABLE AS before NEW TABLE AS changed", function="move_inventory_generation_of_hosts")
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER move_generation_update ON hosts")
    op.execute(MOVE.format(tables="NEW TABLE AS changed", function="move_inventory_generation"))
    op.execute("DROP TRIGGER touch_row ON hosts")
    op.execute(TOUCH.format(function="touch_row"))
    for function in ("move_inventory_generation_of_hosts", "touch_host"):
        op.execute(f"DROP FUNCTION {function}()")
    op.drop_table("fact_paths")

"""labels of inventories and hosts"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# A label goes with the last link to it, however that is lost: detached, deleted with its host or inventory, or given to
# another label when its inventory moved to another tenant. Once a statement, however many links it deletes: cascades of
# its foreign keys are counted in. The first look costs no lock. A label that somebody else holds is being attached, or
# looked at by another deletion: it is left alone, for waiting here, among the locks of a bulk deletion, would end in
# deadlocks. Under the lock a fresh look decides.
DROP_UNUSED_LABELS = """
CREATE FUNCTION drop_unused_labels() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  lost bigint;
BEGIN
  FOR lost IN SELECT DISTINCT label_id FROM gone ORDER BY label_id LOOP
    CONTINUE WHEN EXISTS (SELECT FROM inventory_labels WHERE label_id = lost)
      OR EXISTS (SELECT FROM host_labels WHERE label_id = lost);
    PERFORM FROM labels WHERE id = lost FOR UPDATE SKIP LOCKED;
    IF FOUND THEN
      DELETE FROM labels
      WHERE id = lost
        AND NOT EXISTS (SELECT FROM inventory_labels WHERE label_id = lost)
        AND NOT EXISTS (SELECT FROM host_labels WHERE label_id = lost);
    END IF;
  END LOOP;
  RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "labels",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=512), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("modified", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("generation", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), nullable=True),
        sa.Column("modified_by_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["users.id"], name=op.f("fk_labels_created_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["modified_by_id"], ["users.id"], name=op.f("fk_labels_modified_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_labels_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_labels")),
        sa.UniqueConstraint("id", "tenant_id", name=op.f("uq_labels_id_tenant_id")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_labels_tenant_id_name")),
    )
    op.create_table(
        "inventory_labels",
        sa.Column("inventory_id", sa.BigInteger(), nullable=False),
        sa.Column("label_id", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["inventory_id", "tenant_id"],
            ["inventories.id", "inventories.tenant_id"],
            name=op.f("fk_inventory_labels_inventory_id_tenant_id"),
            ondelete="CASCADE",
            initially="IMMEDIATE",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["label_id", "tenant_id"],
            ["labels.id", "labels.tenant_id"],
            name=op.f("fk_inventory_labels_label_id_tenant_id"),
        ),
        sa.PrimaryKeyConstraint("inventory_id", "label_id", name=op.f("pk_inventory_labels")),
    )
    op.create_index("ix_inventory_labels_label_id", "inventory_labels", ["label_id", "inventory_id"], unique=False)
    op.create_table(
        "host_labels",
        sa.Column("host_id", sa.BigInteger(), nullable=False),
        sa.Column("label_id", sa.BigInteger(), nullable=False),
        sa.Column("inventory_id", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["host_id", "inventory_id"],
            ["hosts.id", "hosts.inventory_id"],
            name=op.f("fk_host_labels_host_id_inventory_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["inventory_id", "tenant_id"],
            ["inventories.id", "inventories.tenant_id"],
            name=op.f("fk_host_labels_inventory_id_tenant_id"),
            ondelete="CASCADE",
            initially="IMMEDIATE",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["label_id", "tenant_id"],
            ["labels.id", "labels.tenant_id"],
            name=op.f("fk_host_labels_label_id_tenant_id"),
        ),
        sa.PrimaryKeyConstraint("host_id", "label_id", name=op.f("pk_host_labels")),
    )
    op.create_index("ix_host_labels_inventory_id", "host_labels", ["inventory_id"], unique=False)
    op.create_index("ix_host_labels_label_id", "host_labels", ["label_id", "host_id"], unique=False)
    op.execute("CREATE TRIGGER touch_row BEFORE UPDATE ON labels FOR EACH ROW EXECUTE FUNCTION touch_row()")
    op.execute(DROP_UNUSED_LABELS)
    for table in ("inventory_labels", "host_labels"):
        for event in ("DELETE", "UPDATE"):
            op.execute(
                f"CREATE TRIGGER drop_unused_labels_{event.lower()} AFTER {event} ON {table} "
                "REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION drop_unused_labels()"
            )


def downgrade() -> None:
    op.execute("DROP FUNCTION drop_unused_labels() CASCADE")
    for table in ("host_labels", "inventory_labels", "labels"):
        op.drop_table(table)

"""hypervisors, flavors, images, disks, networks, ports and resources"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Each after what it refers to.
TABLES = ("hypervisors", "flavors", "images", "networks", "disks", "network_ports", "resources")
# Columns of hosts, and what they lead to.
LINKS = {"parent_host_id": "hypervisors", "flavor_id": "flavors", "image_id": "images"}
# Changes are noted only on connections of processes that keep memberships of smart inventories up to date.
ON = "current_setting('craton_inv.rebuild_smart_membership', true) = 'on'"

# A row of `changed` is another than in `before`: the hosts that it reaches, now or then, are noted with the columns
# that differ, in arrays, for a refresh writes many rows. {reached}: the hosts of `differing`, as host_id.
NOTE_UPDATES = """
CREATE FUNCTION note_{table}_updates() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO smart_membership_changes (tenant_id, kind, keys, names, what)
  SELECT tenant_id, 'host', array_agg(id), array_agg(name), what
  FROM (
    SELECT h.tenant_id, h.id, h.name, touched.what,
           (row_number() OVER (PARTITION BY h.tenant_id, touched.what ORDER BY h.id) - 1) / 500 AS part
    FROM (
      SELECT DISTINCT reached.host_id, differing.what
      FROM (
        SELECT pair.*, (SELECT array_agg('{table}.' || field.key ORDER BY field.key) FROM jsonb_each(pair.new_row) field
                        WHERE field.value IS DISTINCT FROM pair.old_row -> field.key) AS what
        FROM (
          SELECT o.id, to_jsonb(o) AS old_row, to_jsonb(n) AS new_row FROM before o JOIN changed n ON n.id = o.id
          OFFSET 0
        ) pair
      ) differing
      CROSS JOIN LATERAL ({reached}) reached
      WHERE differing.what IS NOT NULL
    ) touched
    JOIN hosts h ON h.id = touched.host_id
  ) parts
  GROUP BY tenant_id, what, part;
  RETURN NULL;
END $$
"""
OF_ITS_OWN = (
    "SELECT (differing.old_row ->> 'host_id')::bigint AS host_id UNION SELECT (differing.new_row ->> 'host_id')::bigint"
)
# What a new row of the others reaches, and what one that goes has reached, is told by the rows that refer to it.
REACHED = {
    "hypervisors": "SELECT id AS host_id FROM hosts WHERE parent_host_id = differing.id",
    "flavors": "SELECT id AS host_id FROM hosts WHERE flavor_id = differing.id",
    "images": "SELECT id AS host_id FROM hosts WHERE image_id = differing.id",
    "networks": "SELECT host_id FROM network_ports WHERE network_id = differing.id",
    "disks": OF_ITS_OWN,
    "network_ports": OF_ITS_OWN,
}


def create_object_table(table: str, *parts: sa.schema.SchemaItem, identity: tuple[str, ...] = ("ref",)) -> None:
    """A table of what sources deliver; `parts`: its own columns and constraints."""
    op.create_table(
        table,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("inventory_source_id", sa.BigInteger(), nullable=False),
        sa.Column("inventory_id", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("name", sa.String(length=512), server_default="", nullable=False),
        *parts,
        sa.Column("collected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("modified", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("generation", sa.BigInteger(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["inventory_source_id", "inventory_id", "tenant_id"],
            ["inventory_sources.id", "inventory_sources.inventory_id", "inventory_sources.tenant_id"],
            name=op.f(f"fk_{table}_inventory_source_id_inventory_id_tenant_id"),
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint(
            "inventory_source_id", *identity, name=op.f(f"uq_{table}_inventory_source_id_{'_'.join(identity)}")
        ),
    )
    # One for lists of a tenant and of an inventory: each further index costs a refresh a tenth of its time.
    op.create_index(f"ix_{table}_tenant_id", table, ["tenant_id", "inventory_id"], unique=False)


def linked(table: str) -> sa.UniqueConstraint:
    """What rows of the same inventory refer to."""
    return sa.UniqueConstraint("id", "inventory_id", name=op.f(f"uq_{table}_id_inventory_id"))


def link(table: str, column: str, target: str, ondelete: str) -> sa.ForeignKeyConstraint:
    """A reference to a row of the same inventory."""
    return sa.ForeignKeyConstraint(
        [column, "inventory_id"],
        [f"{target}.id", f"{target}.inventory_id"],
        name=op.f(f"fk_{table}_{column}_inventory_id"),
        ondelete=ondelete,
    )


def text_columns(*names: str) -> list[sa.Column[str]]:
    """Texts that a provider may leave out."""
    return [sa.Column(name, sa.Text(), nullable=True) for name in names]


def number_columns(*names: str) -> list[sa.Column[int]]:
    """Whole numbers that a provider may leave out."""
    return [sa.Column(name, sa.BigInteger(), nullable=True) for name in names]


def create_tables() -> None:
    """What hosts are linked to first, then what belongs to hosts."""
    create_object_table(
        "hypervisors",
        *text_columns("hypervisor_type", "hostname"),
        sa.Column("ip_address", postgresql.INET(), nullable=True),
        *text_columns("state", "region", "availability_zone"),
        *number_columns("cpus", "memory_mb"),
        linked("hypervisors"),
    )
    create_object_table(
        "flavors",
        *number_columns("cpus", "memory_mb", "root_disk_gb", "ephemeral_gb", "gpus"),
        linked("flavors"),
    )
    create_object_table(
        "images",
        *text_columns("architecture", "os_family", "state", "location"),
        *number_columns("size"),
        sa.Column("created_on", sa.DateTime(timezone=True), nullable=True),
        linked("images"),
    )
    create_object_table(
        "networks",
        sa.Column("cidr", postgresql.INET(), nullable=True),
        *text_columns("status"),
        *number_columns("mtu"),
        sa.Column("external", sa.Boolean(), nullable=True),
        linked("networks"),
    )
    create_object_table(
        "disks",
        sa.Column("host_id", sa.BigInteger(), nullable=False),
        *text_columns("device", "disk_type", "state"),
        *number_columns("size"),
        sa.Column("bootable", sa.Boolean(), nullable=True),
        sa.Column("encrypted", sa.Boolean(), nullable=True),
        link("disks", "host_id", "hosts", "CASCADE"),
    )
    create_object_table(
        "network_ports",
        sa.Column("host_id", sa.BigInteger(), nullable=False),
        *number_columns("network_id"),
        *text_columns("mac_address", "status"),
        sa.Column("ip_address", postgresql.INET(), nullable=True),
        sa.Column("ip_addresses", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        link("network_ports", "host_id", "hosts", "CASCADE"),
        link("network_ports", "network_id", "networks", "SET NULL (network_id)"),
    )
    create_object_table(
        "resources",
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("attributes", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("links", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        identity=("collection", "ref"),
    )


def create_indexes() -> None:
    """Indexes that only some of the tables have."""
    op.create_index("ix_disks_host_id", "disks", ["host_id"], unique=False)
    op.create_index("ix_network_ports_host_id", "network_ports", ["host_id"], unique=False)
    op.create_index("ix_network_ports_mac_address", "network_ports", ["mac_address"], unique=False)
    op.create_index(
        "ix_network_ports_network_id",
        "network_ports",
        ["network_id"],
        unique=False,
        postgresql_where=sa.text("network_id IS NOT NULL"),
    )
    op.create_index(
        "ix_resources_attributes",
        "resources",
        ["attributes"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"attributes": "jsonb_path_ops"},
    )


def link_hosts() -> None:
    """Hosts know what they run on, what size they are and what they were started from."""
    for column, target in LINKS.items():
        op.add_column("hosts", sa.Column(column, sa.BigInteger(), nullable=True))
        op.create_foreign_key(
            op.f(f"fk_hosts_{column}_inventory_id"),
            "hosts",
            target,
            [column, "inventory_id"],
            ["id", "inventory_id"],
            ondelete=f"SET NULL ({column})",
        )
        op.create_index(
            f"ix_hosts_{column}", "hosts", [column], unique=False, postgresql_where=sa.text(f"{column} IS NOT NULL")
        )


def create_triggers() -> None:
    """Generations of the rows and their inventories, and notes for the memberships of smart inventories."""
    for table in TABLES:
        op.execute(f"CREATE TRIGGER touch_row BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION touch_row()")
        for event, rows in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
            op.execute(
                f"CREATE TRIGGER move_generation_{event.lower()} AFTER {event} ON {table} "
                f"REFERENCING {rows} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION move_inventory_generation()"
            )
    for table, reached in REACHED.items():
        op.execute(NOTE_UPDATES.format(table=table, reached=reached))
        op.execute(
            f"CREATE TRIGGER note_update AFTER UPDATE ON {table} REFERENCING OLD TABLE AS before NEW TABLE AS changed "
            f"FOR EACH STATEMENT WHEN ({ON}) EXECUTE FUNCTION note_{table}_updates()"
        )
    for table in ("disks", "network_ports"):
        for event, rows in (("INSERT", "NEW"), ("DELETE", "OLD")):
            op.execute(
                f"CREATE TRIGGER note_{event.lower()} AFTER {event} ON {table} REFERENCING {rows} TABLE AS changed "
                f"FOR EACH STATEMENT WHEN ({ON}) EXECUTE FUNCTION note_links()"
            )


def upgrade() -> None:
    # What the rows of a source refer to, so that one key holds them to the source, its inventory and its tenant.
    op.create_unique_constraint(
        op.f("uq_inventory_sources_id_inventory_id_tenant_id"), "inventory_sources", ["id", "inventory_id", "tenant_id"]
    )
    create_tables()
    create_indexes()
    link_hosts()
    create_triggers()


def downgrade() -> None:
    for column in reversed(LINKS):
        op.drop_index(f"ix_hosts_{column}", table_name="hosts")
        op.drop_constraint(op.f(f"fk_hosts_{column}_inventory_id"), "hosts", type_="foreignkey")
        op.drop_column("hosts", column)
    for table in reversed(TABLES):
        op.drop_table(table)
    for table in REACHED:
        op.execute(f"DROP FUNCTION note_{table}_updates()")
    op.drop_constraint(op.f("uq_inventory_sources_id_inventory_id_tenant_id"), "inventory_sources", type_="unique")

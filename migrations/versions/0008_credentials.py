"""credentials and the keys they are kept under"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# AWX's types that inventories need, the same for everybody: (namespace, kind, name). What they hold is in the code.
MANAGED = (
    ("aws", "cloud", "Amazon Web Services"),
    ("azure_rm", "cloud", "Microsoft Azure Resource Manager"),
    ("controller", "cloud", "Red Hat Ansible Automation Platform"),
    ("gce", "cloud", "Google Compute Engine"),
    ("insights", "insights", "Insights"),
    ("kubernetes_bearer_token", "kubernetes", "OpenShift or Kubernetes API Bearer Token"),
    ("openstack", "cloud", "OpenStack"),
    ("rhv", "cloud", "Red Hat Virtualization"),
    ("satellite6", "cloud", "Red Hat Satellite 6"),
    ("scm", "scm", "Source Control"),
    ("terraform", "cloud", "Terraform backend configuration"),
    ("vmware", "cloud", "VMware vCenter"),
)


def upgrade() -> None:
    _keys()
    _types()
    _credentials()
    op.add_column("inventory_sources", sa.Column("credential_id", sa.BigInteger(), nullable=True))
    op.create_index(op.f("ix_inventory_sources_credential_id"), "inventory_sources", ["credential_id"])
    op.create_foreign_key(
        op.f("fk_inventory_sources_credential_id_tenant_id"),
        "inventory_sources",
        "credentials",
        ["credential_id", "tenant_id"],
        ["id", "tenant_id"],
        ondelete="SET NULL (credential_id)",
    )
    op.add_column("inventory_updates", sa.Column("credential_id", sa.BigInteger(), nullable=True))
    op.create_index(op.f("ix_inventory_updates_credential_id"), "inventory_updates", ["credential_id"])
    op.create_foreign_key(
        op.f("fk_inventory_updates_credential_id"),
        "inventory_updates",
        "credentials",
        ["credential_id"],
        ["id"],
        ondelete="SET NULL",
    )
    # A secret that only moved under another key is the same credential as before.
    changes = {"credential_types": "", "credentials": " OF name, description, inputs, secret_fields, secret_version"}
    for table, columns in changes.items():
        op.execute(
            f"CREATE TRIGGER touch_row BEFORE UPDATE{columns} ON {table} FOR EACH ROW EXECUTE FUNCTION touch_row()"
        )


def downgrade() -> None:
    for table in ("inventory_updates", "inventory_sources"):
        op.drop_column(table, "credential_id")
    for table in ("credentials", "credential_types", "tenant_keys", "root_keys"):
        op.drop_table(table)


def _keys() -> None:
    op.create_table(
        "root_keys",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("retired", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_root_keys")),
    )
    op.create_table(
        "tenant_keys",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("root_key_id", sa.String(length=64), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("retired", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["root_key_id"], ["root_keys.id"], name=op.f("fk_tenant_keys_root_key_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_tenant_keys_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenant_keys")),
        sa.UniqueConstraint("id", "tenant_id", "version", name=op.f("uq_tenant_keys_id_tenant_id_version")),
        sa.UniqueConstraint("tenant_id", "version", name=op.f("uq_tenant_keys_tenant_id_version")),
    )
    op.create_index(op.f("ix_tenant_keys_root_key_id"), "tenant_keys", ["root_key_id"])


def _types() -> None:
    types = op.create_table(
        "credential_types",
        sa.Column("tenant_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=512), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("namespace", sa.String(length=64), nullable=True),
        sa.Column("managed", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("inputs", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("injectors", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        *_common("credential_types"),
        sa.CheckConstraint("managed = (namespace IS NOT NULL)", name=op.f("ck_credential_types_namespace")),
        sa.CheckConstraint("NOT managed OR tenant_id IS NULL", name=op.f("ck_credential_types_managed")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_credential_types_tenant_id"), ondelete="CASCADE"
        ),
        sa.UniqueConstraint("namespace", name=op.f("uq_credential_types_namespace")),
        sa.UniqueConstraint(
            "tenant_id",
            "name",
            "kind",
            name=op.f("uq_credential_types_tenant_id_name_kind"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    rows = [{"namespace": space, "kind": kind, "name": name, "managed": True} for space, kind, name in MANAGED]
    op.bulk_insert(types, rows)


def _credentials() -> None:
    op.create_table(
        "credentials",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("credential_type_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=512), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("inputs", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("secret_fields", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("key_id", sa.BigInteger(), nullable=True),
        sa.Column("key_version", sa.BigInteger(), nullable=True),
        sa.Column("secret_version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=True),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=True),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True),
        *_common("credentials"),
        sa.CheckConstraint(
            "num_nulls(key_id, key_version, nonce, ciphertext, wrapped_key) IN (0, 5)",
            name=op.f("ck_credentials_sealed_whole"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_credentials_tenant_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["credential_type_id"], ["credential_types.id"], name=op.f("fk_credentials_credential_type_id")
        ),
        sa.ForeignKeyConstraint(
            ["key_id", "tenant_id", "key_version"],
            ["tenant_keys.id", "tenant_keys.tenant_id", "tenant_keys.version"],
            name=op.f("fk_credentials_key_id_tenant_id_key_version"),
        ),
        sa.UniqueConstraint(
            "tenant_id", "name", "credential_type_id", name=op.f("uq_credentials_tenant_id_name_credential_type_id")
        ),
        sa.UniqueConstraint("id", "tenant_id", name=op.f("uq_credentials_id_tenant_id")),
    )
    op.create_index("ix_credentials_credential_type_id", "credentials", ["credential_type_id"])
    op.create_index("ix_credentials_key_id", "credentials", ["key_id"])


def _common(table: str) -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("modified", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("generation", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), nullable=True),
        sa.Column("modified_by_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["users.id"], name=op.f(f"fk_{table}_created_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["modified_by_id"], ["users.id"], name=op.f(f"fk_{table}_modified_by_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )

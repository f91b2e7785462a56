"""facts beside their key instead of in slices; indexes of descriptions and addresses"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Compressed facts of some kilobytes fit a page. Out of line, each document read costs a lookup of its slices: a search
# that reads every document takes twice as long, and the planner believes that reading them all is nearly free, since
# the table without them is small. Longer ones still go out of line. The storage holds for new values: `|| '{}'` makes
# those that are there anew, quicker without the index. The facts stay what they are, so triggers that note a change
# are off meanwhile.
REWRITE = (
    "ALTER TABLE host_facts ALTER COLUMN facts SET STORAGE {storage}, DISABLE TRIGGER USER",
    "DROP INDEX ix_host_facts_facts",
    "UPDATE host_facts SET facts = facts || '{{}}'::jsonb",
    "CREATE INDEX ix_host_facts_facts ON host_facts USING gin (facts jsonb_path_ops)",
    "ALTER TABLE host_facts ENABLE TRIGGER USER",
)


def upgrade() -> None:
    _rewrite("MAIN")
    op.create_index(
        "ix_hosts_description_trgm",
        "hosts",
        ["description"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"description": "gin_trgm_ops"},
    )
    # Networks are ranges of a B-tree, too.
    op.create_index("ix_hosts_ip_address", "hosts", ["ip_address"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_hosts_ip_address", table_name="hosts")
    op.drop_index("ix_hosts_description_trgm", table_name="hosts")
    _rewrite("EXTENDED")


def _rewrite(storage: str) -> None:
    for statement in REWRITE:
        op.execute(statement.format(storage=storage))

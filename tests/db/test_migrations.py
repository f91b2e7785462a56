"""The schema: up, down, up again, equal to the models, and safe to ask for twice at once."""

import asyncio

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from craton_inv.db.migrate import alembic_config, current_revision, head_revision, upgrade
from craton_inv.errors import SetupError
from craton_inv.models import Base


async def run_sync(url: str, work):  # type: ignore[no-untyped-def]
    engine = create_async_engine(url, poolclass=pool.NullPool)
    async with engine.begin() as connection:
        result = await connection.run_sync(work)
    await engine.dispose()
    return result


def downgrade(connection: Connection, revision: str = "base") -> None:
    config = alembic_config()
    config.attributes["connection"] = connection
    command.downgrade(config, revision)


# Rows of the first revision, with what later ones look at: facts, a smart inventory, hosts in groups.
CONTENT = (
    "INSERT INTO tenants (name) VALUES ('acme')",
    "INSERT INTO inventories (tenant_id, name, kind, host_filter) SELECT id, kind || 'one', kind, filter FROM tenants,"
    " (VALUES ('', NULL), ('smart', 'name=h1')) each (kind, filter)",
    "INSERT INTO hosts (tenant_id, inventory_id, name, description) SELECT tenant_id, id, 'h' || n, 'made' FROM"
    " inventories, generate_series(1, 300) n WHERE kind = ''",
    "INSERT INTO host_facts (host_id, facts) SELECT id, jsonb_build_object('n', id, 'long', repeat(md5(name), 300))"
    " FROM hosts WHERE id % 3 <> 0",
    "INSERT INTO groups (tenant_id, inventory_id, name) SELECT tenant_id, id, 'g' FROM inventories WHERE kind = ''",
    "INSERT INTO memberships (group_id, host_id, inventory_id)"
    " SELECT g.id, h.id, h.inventory_id FROM hosts h, groups g",
)
# What only later revisions have.
MORE = (
    "INSERT INTO labels (tenant_id, name) SELECT id, 'gold' FROM tenants",
    "INSERT INTO host_labels (host_id, label_id, inventory_id, tenant_id)"
    " SELECT h.id, l.id, h.inventory_id, h.tenant_id FROM hosts h, labels l",
    "INSERT INTO root_keys (id, fingerprint) VALUES ('old', 'f')",
    "INSERT INTO tenant_keys (tenant_id, version, wrapped, root_key_id) SELECT id, 1, 'w', 'old' FROM tenants",
    "INSERT INTO credentials (tenant_id, credential_type_id, name, key_id, key_version, nonce, ciphertext, wrapped_key)"
    " SELECT k.tenant_id, c.id, 'key', k.id, 1, 'n', 'c', 'w' FROM tenant_keys k, credential_types c"
    " WHERE c.namespace = 'aws'",
    "INSERT INTO inventory_sources (inventory_id, tenant_id, name, credential_id)"
    " SELECT i.id, i.tenant_id, 'keyed', c.id FROM inventories i JOIN credentials c USING (tenant_id)",
    "INSERT INTO fact_paths (tenant_id, path, kinds) SELECT id, 'ansible_facts__n', 2 FROM tenants",
    "INSERT INTO smart_inventory_memberships SELECT i.id, min(h.id) FROM inventories i, hosts h"
    " WHERE i.kind = 'smart' GROUP BY i.id",
    "INSERT INTO projects (tenant_id, name, scm_type, scm_url) SELECT id, 'p', 'git', 'https://g' FROM tenants",
    "INSERT INTO project_updates (tenant_id, project_id, name) SELECT tenant_id, id, name FROM projects",
    "UPDATE projects SET last_update_id = u.id FROM project_updates u",
    "INSERT INTO project_trees (project_id, reference, revision, fetched, scm_url, size, files, content)"
    " SELECT id, '', 'abc', now(), scm_url, 1, '[]', 'x' FROM projects",
    "INSERT INTO inventory_sources (tenant_id, inventory_id, name, source, source_project_id)"
    " SELECT p.tenant_id, i.id, 'p', 'scm', p.id FROM projects p, inventories i WHERE i.kind = ''",
    "INSERT INTO inventory_source_states (inventory_source_id, generation, state)"
    " SELECT id, 1, '{}' FROM inventory_sources",
)
# What sources deliver beside hosts and groups.
OBJECTS = (
    "INSERT INTO inventory_sources (tenant_id, inventory_id, name, source) SELECT tenant_id, id, 's', 'file'"
    " FROM inventories WHERE kind = ''",
    *(
        f"INSERT INTO {table} (tenant_id, inventory_id, inventory_source_id, ref)"
        " SELECT tenant_id, inventory_id, id, 'r' FROM inventory_sources"
        for table in ("hypervisors", "flavors", "images", "networks")
    ),
    "UPDATE hosts SET parent_host_id = p.id, flavor_id = f.id, image_id = i.id FROM hypervisors p, flavors f, images i",
    "INSERT INTO disks (tenant_id, inventory_id, inventory_source_id, ref, host_id, size)"
    " SELECT s.tenant_id, s.inventory_id, s.id, h.name, h.id, 10 FROM inventory_sources s, hosts h",
    "INSERT INTO network_ports (tenant_id, inventory_id, inventory_source_id, ref, host_id, network_id)"
    " SELECT s.tenant_id, s.inventory_id, s.id, h.name, h.id, n.id FROM inventory_sources s, hosts h, networks n",
    "INSERT INTO resources (tenant_id, inventory_id, inventory_source_id, collection, ref)"
    " SELECT tenant_id, inventory_id, id, 'stacks', 'r' FROM inventory_sources",
)
TABLES = ("tenants", "inventories", "hosts", "host_facts", "groups", "memberships")
ADDED = ("include_groups", "parent_host_id", "flavor_id", "image_id", "pending_deletion")


def run_all(connection: Connection, statements: tuple[str, ...]) -> None:
    for statement in statements:
        connection.execute(text(statement))


def content(connection: Connection) -> dict[str, list[str]]:
    """The rows of the first revision's tables as text, but for columns that later revisions add."""
    return {
        table: sorted(
            connection.scalars(
                text(f"SELECT (to_jsonb(t) - CAST(:added AS text[]))::text FROM {table} t"), {"added": [*ADDED]}
            )
        )
        for table in TABLES
    }


async def test_the_migrated_schema_equals_the_models(fresh_database_url: str) -> None:
    differences = await run_sync(
        fresh_database_url, lambda c: compare_metadata(MigrationContext.configure(c), Base.metadata)
    )
    assert differences == []


async def test_down_leaves_nothing_and_up_again_works(fresh_database_url: str) -> None:
    await run_sync(fresh_database_url, downgrade)
    left = await run_sync(fresh_database_url, lambda c: inspect(c).get_table_names())
    assert left == ["alembic_version"]
    await upgrade(fresh_database_url)
    assert await current_revision(fresh_database_url) == head_revision()


async def test_rows_of_the_first_revision_stay_what_they_are(fresh_database_url: str) -> None:
    await run_sync(fresh_database_url, lambda c: downgrade(c, "0001"))
    await run_sync(fresh_database_url, lambda c: run_all(c, CONTENT))
    before = await run_sync(fresh_database_url, content)
    assert [len(before[table]) for table in TABLES] == [1, 2, 300, 200, 1, 300]
    await upgrade(fresh_database_url)
    assert await run_sync(fresh_database_url, content) == before
    await run_sync(fresh_database_url, lambda c: run_all(c, MORE))
    await run_sync(fresh_database_url, lambda c: downgrade(c, "0001"))
    assert await run_sync(fresh_database_url, content) == before
    await upgrade(fresh_database_url)
    assert await run_sync(fresh_database_url, content) == before


async def test_objects_of_sources_go_with_their_revision_and_leave_their_hosts(fresh_database_url: str) -> None:
    await run_sync(fresh_database_url, lambda c: run_all(c, (*CONTENT, *OBJECTS)))
    before = await run_sync(fresh_database_url, content)
    await run_sync(fresh_database_url, lambda c: downgrade(c, "0005"))
    assert await run_sync(fresh_database_url, content) == before
    await upgrade(fresh_database_url)
    assert await run_sync(fresh_database_url, content) == before


async def test_what_waits_for_its_deletion_and_what_no_tenant_did_goes_down_and_up(fresh_database_url: str) -> None:
    made = (
        "UPDATE tenants SET pending_deletion = true",
        "UPDATE inventory_sources SET pending_deletion = true, events_blocked = 7, events_blocked_at = now()",
        "UPDATE projects SET scm_refspec = 'refs/pull/7/head', scm_clean = true",
        "INSERT INTO activity_stream (tenant_id, operation, object1, object1_id, object1_name)"
        " SELECT tenant_id, 'delete', 'organization', id, name FROM"
        " (SELECT id AS tenant_id, id, name FROM tenants UNION ALL SELECT NULL, id, name FROM tenants) each",
    )
    await run_sync(fresh_database_url, lambda c: run_all(c, (*CONTENT, *MORE, *made)))
    before = await run_sync(fresh_database_url, content)
    await run_sync(fresh_database_url, lambda c: downgrade(c, "0013"))
    await upgrade(fresh_database_url)
    assert await run_sync(fresh_database_url, content) == before
    query = (
        "SELECT (SELECT count(*) FROM activity_stream WHERE tenant_id IS NOT NULL), (SELECT count(*) FROM"
        " activity_stream WHERE tenant_id IS NULL), (SELECT bool_or(pending_deletion) FROM tenants),"
        " (SELECT max(events_blocked) FROM inventory_sources), (SELECT max(scm_refspec) FROM projects)"
    )
    found = await run_sync(fresh_database_url, lambda c: tuple(c.execute(text(query)).one()))
    assert found == (1, 0, False, 0, "")


async def test_two_upgrades_at_once_wait_for_each_other(fresh_database_url: str) -> None:
    await run_sync(fresh_database_url, downgrade)
    await asyncio.gather(upgrade(fresh_database_url), upgrade(fresh_database_url))
    assert await current_revision(fresh_database_url) == head_revision()


async def test_a_database_of_a_newer_release_is_refused_with_the_way_out(fresh_database_url: str) -> None:
    await run_sync(fresh_database_url, lambda c: c.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(SetupError, match="newer craton-inv wrote it"):
        await upgrade(fresh_database_url)


async def test_every_foreign_key_is_served_by_an_index(fresh_database_url: str) -> None:
    # Without one, a delete of the referred row scans the whole referring table.
    query = text("""
        SELECT c.conrelid::regclass::text || '(' || c.conname || ')' FROM pg_constraint c
        WHERE c.contype = 'f' AND NOT EXISTS (
          SELECT 1 FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = (i.indkey::int2[])[0]
          WHERE i.indrelid = c.conrelid AND a.attnum = ANY (c.conkey)
          AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) = format('(%I IS NOT NULL)', a.attname))
        ) AND c.conname NOT LIKE '%\\_by_id'
    """)
    missing = await run_sync(fresh_database_url, lambda c: list(c.execute(query).scalars()))
    assert missing == []


async def test_constructed_inventories_become_regular_ones_on_the_way_down(fresh_database_url: str) -> None:
    made = (
        "INSERT INTO tenants (name) VALUES ('acme')",
        "INSERT INTO inventories (tenant_id, name, kind) SELECT id, n, k FROM tenants,"
        " (VALUES ('given', ''), ('made', 'constructed')) each (n, k)",
        "INSERT INTO inventory_sources (tenant_id, inventory_id, name, source, source_vars)"
        " SELECT tenant_id, id, 's', 'constructed', 'strict: true' FROM inventories WHERE kind = 'constructed'",
        "INSERT INTO input_inventories (inventory_id, input_inventory_id, tenant_id, position)"
        " SELECT m.id, g.id, m.tenant_id, 1 FROM inventories m, inventories g WHERE m.kind <> '' AND g.kind = ''",
    )
    await run_sync(fresh_database_url, lambda c: run_all(c, made))
    await run_sync(fresh_database_url, lambda c: downgrade(c, "0009"))
    kept = "SELECT i.name, i.kind, s.source, s.source_vars FROM inventories i LEFT JOIN inventory_sources s"
    rows = await run_sync(
        fresh_database_url, lambda c: sorted(map(tuple, c.execute(text(f"{kept} ON s.inventory_id = i.id"))))
    )
    assert rows == [("given", "", None, None), ("made", "", "", "strict: true")]

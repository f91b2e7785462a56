"""A tenant with rows in every table that something of it can be in, for what deletes all of it."""

from dataclasses import dataclass

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Base, Grant, Inventory, InventorySource, Region, Tenant, TenantKey, Token
from tests.factories import (
    make_credential,
    make_credential_type,
    make_inventory,
    make_label,
    make_project,
    make_schedule,
    make_source,
    make_tenant,
    make_user,
    save,
)

# Tables of the whole installation, and what is written by itself where a setting is on.
NOBODYS = {"users", "root_keys", "smart_membership_changes"}
OF_TENANT = (
    "tenants", "regions", "inventories", "credentials", "credential_types", "projects", "project_updates",
    "project_trees", "activity_stream", "fact_paths", "grants", "tokens", "tenant_keys", "labels", "inventory_labels",
    "input_inventories", "smart_inventory_memberships",
)  # fmt: skip
KEPT_BY_SOURCES = ("hosts", "groups", "group_edges", "memberships", "host_facts", "host_labels")
ROWS_OF_A_SOURCE = (
    "INSERT INTO hypervisors (tenant_id, inventory_id, inventory_source_id, ref)"
    " SELECT :tenant, :inventory, :source, 'r' || n FROM generate_series(1, 3) n",
    *(
        f"INSERT INTO {table} (tenant_id, inventory_id, inventory_source_id, ref)"
        " VALUES (:tenant, :inventory, :source, 'r')"
        for table in ("flavors", "images", "networks")
    ),
    "INSERT INTO resources (tenant_id, inventory_id, inventory_source_id, collection, ref)"
    " SELECT :tenant, :inventory, :source, 'stacks', 'r' || n FROM generate_series(1, :hosts) n",
    "INSERT INTO hosts (tenant_id, inventory_id, name, variables, parent_host_id, flavor_id, image_id, manual)"
    " SELECT :tenant, :inventory, 's' || :source || '-' || n, jsonb_build_object('n', n),"
    " (SELECT min(id) + n % 3 FROM hypervisors WHERE inventory_source_id = :source),"
    " (SELECT id FROM flavors WHERE inventory_source_id = :source),"
    " (SELECT id FROM images WHERE inventory_source_id = :source), false FROM generate_series(1, :hosts) n",
    "INSERT INTO host_sources (inventory_source_id, host_id, ref, digest)"
    " SELECT :source, id, name, '' FROM hosts WHERE inventory_id = :inventory AND name LIKE 's' || :source || '-%'",
    "INSERT INTO host_facts (host_id, facts) SELECT host_id, '{\"a\": 1}' FROM host_sources"
    " WHERE inventory_source_id = :source",
    "INSERT INTO host_labels (host_id, label_id, inventory_id, tenant_id)"
    " SELECT host_id, :label, :inventory, :tenant FROM host_sources WHERE inventory_source_id = :source",
    "INSERT INTO disks (tenant_id, inventory_id, inventory_source_id, ref, host_id)"
    " SELECT :tenant, :inventory, :source, ref, host_id FROM host_sources WHERE inventory_source_id = :source",
    "INSERT INTO network_ports (tenant_id, inventory_id, inventory_source_id, ref, host_id, network_id)"
    " SELECT :tenant, :inventory, :source, ref, host_id,"
    " (SELECT id FROM networks WHERE inventory_source_id = :source)"
    " FROM host_sources WHERE inventory_source_id = :source",
    "INSERT INTO groups (tenant_id, inventory_id, name, manual)"
    " SELECT :tenant, :inventory, 's' || :source || '-' || n, false FROM generate_series(1, 4) n",
    "INSERT INTO group_sources (inventory_source_id, group_id, ref, digest)"
    " SELECT :source, id, name, '' FROM groups WHERE inventory_id = :inventory AND name LIKE 's' || :source || '-%'",
    "INSERT INTO group_edges (parent_id, child_id, inventory_id, manual, source_ids)"
    " SELECT min(group_id), max(group_id), :inventory, false, ARRAY[:source] FROM group_sources"
    " WHERE inventory_source_id = :source",
    "INSERT INTO memberships (group_id, host_id, inventory_id, manual, source_ids)"
    " SELECT g.group_id, h.host_id, :inventory, false, ARRAY[:source] FROM host_sources h, group_sources g"
    " WHERE h.inventory_source_id = :source AND g.inventory_source_id = :source AND g.group_id % 2 = h.host_id % 2",
    "INSERT INTO inventory_updates (tenant_id, inventory_id, inventory_source_id, name, status)"
    " SELECT :tenant, :inventory, :source, 'run', 'successful' FROM generate_series(1, 3)",
    "UPDATE inventory_sources SET last_update_id = (SELECT max(id) FROM inventory_updates"
    " WHERE inventory_source_id = :source) WHERE id = :source",
    "INSERT INTO inventory_update_events (inventory_update_id, counter)"
    " SELECT id, n FROM inventory_updates, generate_series(1, :hosts) n WHERE inventory_source_id = :source",
    "INSERT INTO inventory_update_targets (inventory_update_id, association, manager_ref, digest)"
    " SELECT id, 'hosts', '{}', n::text::bytea FROM inventory_updates, generate_series(1, 3) n"
    " WHERE inventory_source_id = :source",
    "INSERT INTO inventory_change_parts (update_id, collection, action, size, row_ids)"
    " SELECT id, 'hosts', 'created', 1, ARRAY[n] FROM inventory_updates, generate_series(1, 3) n"
    " WHERE inventory_source_id = :source",
    "INSERT INTO update_deliveries (update_id, generation, expires)"
    " SELECT id, 1, now() + interval '1 day' FROM inventory_updates WHERE inventory_source_id = :source",
    "INSERT INTO update_delivery_chunks (update_id, collection, number, content)"
    " SELECT id, 'hosts', n, '' FROM inventory_updates, generate_series(1, 3) n WHERE inventory_source_id = :source",
    "INSERT INTO schedule_fires (schedule_id, tick, inventory_update_id)"
    " SELECT s.id, now() - n * interval '1 day', u.last_update_id FROM schedules s"
    " JOIN inventory_sources u ON u.id = s.inventory_source_id, generate_series(1, :hosts) n WHERE u.id = :source",
    "INSERT INTO source_events (inventory_source_id, uid, key)"
    " SELECT :source, decode(repeat(md5(n::text), 2), 'hex'), decode(repeat(md5('k'), 2), 'hex')"
    " FROM generate_series(1, :hosts) n",
    "INSERT INTO unconnected_links (inventory_source_id, inventory_update_id, collection, object_ref, object_key,"
    " attribute, target_collection, target_ref, target_by) SELECT id, last_update_id, 'hosts', '{}',"
    " gen_random_uuid(), 'flavor', 'flavors', '{}', 'ref' FROM inventory_sources, generate_series(1, 3) n"
    " WHERE id = :source",
    "INSERT INTO inventory_source_states (inventory_source_id, generation, state) VALUES (:source, 1, '{}')",
    "INSERT INTO inventory_source_uploads (inventory_source_id, filename, sha256, size, content)"
    " VALUES (:source, 'hosts', '', 0, '')",
)
ROWS_OF_A_TENANT = (
    "INSERT INTO smart_inventory_memberships SELECT :smart, id FROM hosts WHERE inventory_id = :inventory",
    "INSERT INTO input_inventories (inventory_id, input_inventory_id, tenant_id, position)"
    " VALUES (:constructed, :inventory, :tenant, 1)",
    "INSERT INTO project_updates (tenant_id, project_id, name) SELECT tenant_id, id, 'run' FROM projects"
    " WHERE tenant_id = :tenant",
    "INSERT INTO project_trees (project_id, reference, revision, fetched, scm_url, size, files, content)"
    " SELECT id, n::text, 'abc', now(), scm_url, 1, '[]', '' FROM projects, generate_series(1, 3) n"
    " WHERE tenant_id = :tenant",
    "INSERT INTO activity_stream (tenant_id, operation, object1, object1_id)"
    " SELECT :tenant, 'update', 'host', n FROM generate_series(1, :hosts) n",
    "INSERT INTO fact_paths (tenant_id, path, kinds)"
    " SELECT :tenant, 'ansible_facts__' || n, 2 FROM generate_series(1, :hosts) n",
    "INSERT INTO jobs (tenant_id, task, status) SELECT :tenant, 'refresh', 'done' FROM generate_series(1, 3)",
)


@dataclass(frozen=True)
class FullWorld:
    """What was made."""

    tenant: Tenant
    inventory: Inventory
    source: InventorySource
    other_source: InventorySource
    region: Region


async def make_full_world(session: AsyncSession, hosts: int) -> FullWorld:
    """A tenant whose first inventory has two sources with `hosts` hosts each, and all else that there is."""
    tenant = await make_tenant(session)
    inventory = await make_inventory(session, tenant=tenant)
    project = await make_project(session, tenant=tenant)
    kind = await make_credential_type(session, tenant=tenant)
    await session.execute(text("INSERT INTO root_keys (id, fingerprint) VALUES ('old', '') ON CONFLICT DO NOTHING"))
    await save(session, TenantKey(tenant_id=tenant.id, version=1, wrapped=b"", root_key_id="old"))
    credential = await make_credential(session, tenant=tenant, credential_type=kind)
    label = await make_label(session, tenant=tenant, on=[inventory])
    smart = await make_inventory(session, tenant=tenant, kind="smart", host_filter="name=x")
    constructed = await make_inventory(session, tenant=tenant, kind="constructed")
    region = Region(tenant_id=tenant.id, inventory_id=(await make_inventory(session, tenant=tenant)).id, name="r")
    await save(session, region)
    user = await make_user(session)
    await save(session, Grant(user_id=user.id, tenant_id=tenant.id, role="admin"))
    await save(session, Token(user_id=user.id, tenant_id=tenant.id, secret_hash=str(user.id).encode()))
    ids = {"tenant": tenant.id, "inventory": inventory.id, "hosts": hosts, "label": label.id}
    sources = []
    for _ in range(2):
        source = await make_source(
            session, inventory=inventory, source="example", source_vars='{"hosts": 1}',
            credential_id=credential.id, source_project_id=project.id,
        )  # fmt: skip
        await make_schedule(session, source=source)
        for statement in ROWS_OF_A_SOURCE:
            await _run(session, statement, {**ids, "source": source.id})
        sources.append(source)
    ids |= {"smart": smart.id, "constructed": constructed.id}
    for statement in ROWS_OF_A_TENANT:
        await _run(session, statement, ids)
    return FullWorld(tenant, inventory, *sources, region=region)


async def _run(session: AsyncSession, statement: str, ids: dict[str, int]) -> None:
    for name, value in ids.items():
        statement = statement.replace(f":{name}", str(value))
    await session.execute(text(statement.replace("::", "\\:\\:")))


async def counts(session: AsyncSession) -> dict[str, int]:
    """Rows of every table."""
    tables = [table for table in Base.metadata.sorted_tables if table.name not in NOBODYS]
    row = await session.execute(
        select(*(select(func.count()).select_from(table).scalar_subquery().label(table.name) for table in tables))
    )
    return dict(row.mappings().one())


def doomed(what: str, made: dict[str, int]) -> dict[str, int]:
    """How many of the rows of a full world go with its tenant, its first inventory or that one's first source."""
    if what == "tenant":
        return made
    of_tenant = dict.fromkeys(OF_TENANT, 0)
    if what == "inventory":
        return {
            **made,
            **of_tenant,
            **dict.fromkeys(("inventories", "inventory_labels", "input_inventories", "labels"), 1),
        }
    return {**{name: rows // 2 for name, rows in made.items()}, **of_tenant, **dict.fromkeys(KEPT_BY_SOURCES, 0)}

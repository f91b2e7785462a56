"""Every route of /v2 and /api/v2."""

from fastapi import APIRouter

from craton_inv.api.v2 import (
    facts,
    group_members,
    groups,
    host_groups,
    hosts,
    inventories,
    inventory_content,
    inventory_sources,
    inventory_updates,
    organizations,
    root,
    scripts,
    source_content,
    source_updates,
    source_upload,
    tokens,
    update_output,
    users,
    variable_data,
)

ROUTERS: tuple[APIRouter, ...] = (
    root.router,
    organizations.router,
    inventories.router,
    inventory_content.router,
    scripts.router,
    hosts.router,
    host_groups.router,
    facts.router,
    groups.router,
    group_members.router,
    variable_data.router,
    inventory_sources.router,
    source_content.router,
    source_upload.router,
    source_updates.router,
    inventory_updates.router,
    update_output.router,
    users.router,
    tokens.router,
)

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
    organizations,
    scripts,
    tokens,
    variable_data,
)

ROUTERS: tuple[APIRouter, ...] = (
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
    tokens.router,
)

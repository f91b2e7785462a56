"""Every route of /v1."""

from craton_inv.api.v1 import (
    ansible_inventory,
    grants,
    groups,
    hosts,
    jobs,
    keys,
    members,
    regions,
    tenants,
    tokens,
    users,
)

ROUTERS = (
    tenants.router,
    grants.router,
    regions.router,
    hosts.router,
    groups.router,
    members.router,
    tokens.router,
    users.router,
    ansible_inventory.router,
    jobs.router,
    keys.router,
)

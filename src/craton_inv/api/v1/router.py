"""Every route of /v1."""

from craton_inv.api.v1 import tenants

ROUTERS = (tenants.router,)

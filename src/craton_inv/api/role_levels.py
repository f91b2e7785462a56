"""`?role_level=admin_role` on lists: the rows on which the caller has that role of AWX's."""

from typing import Any

from sqlalchemy import ColumnElement

from craton_inv.errors import BadRequest
from craton_inv.repositories.scope import ADMIN, READ, WRITE, Scope

# Which of our roles in a tenant stand for AWX's role on what the tenant owns.
ROLES = {
    "admin_role": WRITE,
    "inventory_admin_role": WRITE,
    "update_role": WRITE,
    "adhoc_role": WRITE,
    "use_role": WRITE,
    "member_role": READ,
    "auditor_role": READ,
    "read_role": READ,
}
# An operator administers inventories, not their organization.
ROLES_ON_TENANTS = ROLES | {"admin_role": ADMIN}


def having_role(name: str, model: Any, scope: Scope) -> ColumnElement[bool]:
    """The condition that keeps the rows of `model` on which the caller has the role. Raises BadRequest.

    Our roles are given per tenant, so the same role holds for all that a tenant owns.
    """
    owned = hasattr(model, "tenant_id") and model.__tablename__ != "tokens"
    if not owned and model.__tablename__ != "tenants":
        raise BadRequest(
            "Cannot apply role_level filter to this list because its model does not use roles for access control."
        )
    known = ROLES_ON_TENANTS if model.__tablename__ == "tenants" else ROLES
    if name not in known:
        raise BadRequest(f"{name[:100]!r} is no role_level; known: {', '.join(sorted(known))}.")
    return scope.where_role(model, known[name])

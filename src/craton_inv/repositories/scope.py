"""Who may see and change what: the one home of the tenant scope.

Every repository is built with a Scope and adds `scope.where(Model)` to each statement, so a row of a foreign tenant is
absent (404), never forbidden (403). Roles: admin (organization admin), operator (inventory admin and update), reader
(auditor), secrets (may reveal).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, false, true

from craton_inv.errors import Forbidden, NotFound

READ = frozenset({"admin", "operator", "reader"})
WRITE = frozenset({"admin", "operator"})
ADMIN = frozenset({"admin"})
NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Scope:
    """The caller's rights. `tenant_id` is set when the token is limited to one tenant; `read_only` for read tokens."""

    user_id: int | None = None
    is_superuser: bool = False
    roles: Mapping[int, frozenset[str]] = field(default_factory=dict)
    tenant_id: int | None = None
    read_only: bool = False

    def tenant_ids(self) -> frozenset[int] | None:
        """The tenants whose rows the caller sees; None means all of them."""
        if self.is_superuser:
            return None if self.tenant_id is None else frozenset({self.tenant_id})
        seen = frozenset(tenant for tenant, roles in self.roles.items() if roles & READ)
        return seen if self.tenant_id is None else seen & {self.tenant_id}

    def where(self, model: Any) -> ColumnElement[bool]:
        """The predicate that keeps rows of visible tenants. `model`: Tenant, or any class with a tenant_id."""
        tenants = self.tenant_ids()
        return true() if tenants is None else _of(model, tenants)

    def where_role(self, model: Any, needed: frozenset[str]) -> ColumnElement[bool]:
        """The predicate that keeps the visible rows of tenants where the caller holds one of these roles."""
        if self.is_superuser:
            return self.where(model)
        return _of(model, frozenset(tenant for tenant in self.roles if self.roles_in(tenant) & needed))

    def roles_in(self, tenant_id: int) -> frozenset[str]:
        """The caller's roles in a tenant; none outside the token's tenant."""
        if self.tenant_id is not None and self.tenant_id != tenant_id:
            return NOTHING
        if self.is_superuser:
            return READ
        return self.roles.get(tenant_id, NOTHING)

    def require(self, tenant_id: int, needed: frozenset[str], thing: str = "this object") -> None:
        """Raise NotFound when the tenant is not visible, Forbidden when it is but no needed role is held."""
        roles = self.roles_in(tenant_id)
        if not roles & READ:
            raise NotFound("Not found.")
        if not roles & needed:
            raise Forbidden("You do not have permission to perform this action.")
        if self.read_only and needed != READ:
            raise Forbidden(f"This token may only read; it cannot change {thing}.")

    def require_superuser(self) -> None:
        """Raise Forbidden unless the caller is a system administrator with an unlimited, writing token."""
        if not self.is_superuser or self.tenant_id is not None or self.read_only:
            raise Forbidden("You do not have permission to perform this action.")


def _of(model: Any, tenants: frozenset[int]) -> ColumnElement[bool]:
    if not tenants:
        return false()
    column: ColumnElement[int] = model.id if model.__tablename__ == "tenants" else model.tenant_id
    return column.in_(sorted(tenants))


SYSTEM = Scope(is_superuser=True)

"""Tokens: made, shown once, kept as a peppered hash."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv import crypto
from craton_inv.errors import InvalidField
from craton_inv.models import Token
from craton_inv.repositories.scope import Scope
from craton_inv.repositories.tenants import TenantRepository
from craton_inv.repositories.tokens import TokenRepository
from craton_inv.repositories.users import UserRepository

SCOPES = ("read", "write")


async def issue_token(session: AsyncSession, key: bytes, scope: Scope, values: Mapping[str, Any]) -> tuple[Token, str]:
    """Make a token and its text `civ_<id>_<secret>`, which is not stored.

    `values`: `description`, `scope` (read or write), `tenant_id` (limits the token), `expires`,
    `user_id` (somebody else's, for system administrators). Raises InvalidField, Forbidden, and NotFound for a tenant or
    user that the caller does not see.
    """
    tenant_id = values.get("tenant_id")
    if tenant_id is None:
        tenant_id = scope.tenant_id  # a limited token never makes one that reaches further
    else:
        await TenantRepository(session, scope).get(tenant_id)
    user_id = values.get("user_id") or scope.user_id
    if user_id is None:
        raise InvalidField("user_id", "This field is required.")
    if user_id != scope.user_id:
        await UserRepository(session, scope).get(user_id)
    secret = crypto.make_secret()
    token = Token(
        user_id=user_id,
        tenant_id=tenant_id,
        description=values.get("description") or "",
        scope=require_scope(values.get("scope") or "write"),
        expires=require_future(values.get("expires")),
        secret_hash=crypto.digest_secret(key, secret),
    )
    await TokenRepository(session, scope).add(token)
    return token, f"civ_{token.id}_{secret}"


def require_scope(scope: str) -> str:
    """`scope`, when it is read or write. Raises InvalidField."""
    if scope not in SCOPES:
        raise InvalidField("scope", f'"{scope[:100]}" is not a valid choice; known: read, write.')
    return scope


def require_future(expires: datetime | None) -> datetime | None:
    """`expires`, when it lies ahead. Raises InvalidField; a time without a zone is UTC."""
    if expires is None:
        return None
    moment = expires if expires.tzinfo is not None else expires.replace(tzinfo=UTC)
    if moment <= datetime.now(UTC):
        raise InvalidField("expires", f"{moment.isoformat()} is in the past.")
    return moment

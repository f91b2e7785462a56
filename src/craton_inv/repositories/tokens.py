"""Tokens in the database: a caller's own, and the look-ups that open the door."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Select, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from craton_inv.errors import Forbidden
from craton_inv.models import Token
from craton_inv.repositories.base import Repository

COARSE = timedelta(minutes=5)


class TokenRepository(Repository[Token]):
    """Tokens of the caller; all tokens for an unlimited system administrator.

    A token that is limited to a tenant sees only tokens limited to that tenant.
    """

    model = Token
    label = "Token"

    def visible_condition(self) -> ColumnElement[bool]:
        """The caller's own tokens, within the limit of the token he uses."""
        scope = self.scope
        if scope.is_superuser and scope.tenant_id is None:
            return Token.id.is_not(None)
        own = Token.user_id == (scope.user_id or 0)
        return own if scope.tenant_id is None else own & (Token.tenant_id == scope.tenant_id)

    def authorize(self, row: Token) -> None:
        """Raise Forbidden for tokens of others, for read tokens, and for a reach beyond the caller's."""
        scope = self.scope
        if scope.read_only:
            raise Forbidden("This token may only read.")
        if scope.tenant_id is not None and row.tenant_id != scope.tenant_id:
            raise Forbidden("A token limited to a tenant can only handle tokens limited to that tenant.")
        if row.user_id != scope.user_id:
            scope.require_superuser()


def _usable() -> Select[Token]:
    alive = or_(Token.expires.is_(None), Token.expires > func.now())
    return select(Token).where(alive).options(joinedload(Token.user))


async def find_token(session: AsyncSession, token_id: int) -> Token | None:
    """The token with its user, unless it is expired."""
    found: Token | None = await session.scalar(_usable().where(Token.id == token_id))
    return found


async def find_token_by_hash(session: AsyncSession, secret_hash: bytes) -> Token | None:
    """The token with this hash and its user, unless it is expired."""
    found: Token | None = await session.scalar(_usable().where(Token.secret_hash == secret_hash))
    return found


async def touch_token(session: AsyncSession, token: Token) -> None:
    """Note that the token was used, at most once in five minutes: a read must not cost a write."""
    if token.last_used is not None and datetime.now(UTC) - token.last_used < COARSE:
        return
    await session.execute(
        update(Token)
        .where(Token.id == token.id, or_(Token.last_used.is_(None), Token.last_used < func.now() - COARSE))
        .values(last_used=func.now())
        .execution_options(synchronize_session=False)
    )

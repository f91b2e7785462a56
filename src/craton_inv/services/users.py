"""Users, their grants, and the administrator of the first start."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv import crypto
from craton_inv.db.locks import lock_transaction
from craton_inv.errors import SetupError
from craton_inv.models import Token, User
from craton_inv.repositories.scope import SYSTEM, Scope
from craton_inv.repositories.users import UserRepository, find_user_named
from craton_inv.services.authentication import MAX_LENGTH
from craton_inv.services.tokens import issue_token
from craton_inv.settings import Settings

ADMIN = "admin"
MIN_TOKEN = 16
FROM_ENVIRONMENT = "CRATON_INV_ADMIN_TOKEN"
_ADMINISTRATORS = select(User).where(User.is_superuser, User.is_active).order_by(User.id)


async def create_user(session: AsyncSession, scope: Scope, values: Mapping[str, Any]) -> User:
    """Make a user; `password` is hashed, without one only tokens open the door. Raises Duplicate, Forbidden."""
    columns = {name: value for name, value in values.items() if name != "password"}
    password = values.get("password")
    if password is not None:
        columns["password_hash"] = crypto.hash_password(password)
    return await UserRepository(session, scope).create(columns)


async def change_user(session: AsyncSession, scope: Scope, user: User, values: Mapping[str, Any]) -> User:
    """Write `values` to a user got with `lock=True`; a `password` is hashed."""
    columns = {name: value for name, value in values.items() if name != "password"}
    if values.get("password") is not None:
        columns["password_hash"] = crypto.hash_password(values["password"])
    return await UserRepository(session, scope).change(user, columns)


async def ensure_admin(session: AsyncSession, settings: Settings) -> str | None:
    """Make the administrator at the first start. Returns a token to be shown once, else None.

    With CRATON_INV_ADMIN_TOKEN set that text is a token of the administrator, also after it is changed, and nothing is
    returned. Two processes that start at once agree. Raises SetupError for a text that cannot be a token.
    """
    given = settings.admin_token.get_secret_value() if settings.admin_token is not None else None
    if given is not None:
        require_token_text(given)
    await lock_transaction(session, "ensure_admin")
    key = crypto.secret_key(settings)
    admin = await session.scalar(_ADMINISTRATORS.limit(1))
    fresh = admin is None
    if admin is None:
        admin = await find_user_named(session, ADMIN)
        if admin is None:
            admin = await create_user(session, SYSTEM, {"username": ADMIN})
        admin.is_superuser = admin.is_active = True
        await session.flush()
    if given is not None:
        await _keep_given_token(session, admin, crypto.digest_secret(key, given))
        return None
    if not fresh:
        return None
    owner = Scope(user_id=admin.id, is_superuser=True)
    _, text = await issue_token(session, key, owner, {"description": "Made at the first start"})
    return text


async def first_administrator(session: AsyncSession) -> User:
    """The oldest active system administrator. Raises SetupError when there is none."""
    admin: User | None = await session.scalar(_ADMINISTRATORS.limit(1))
    if admin is None:
        raise SetupError("There is no administrator yet; start the service once (`craton-inv up`), which makes one.")
    return admin


def require_token_text(text: str) -> None:
    """Raise SetupError for a text that no Authorization header could carry, or that is too short to be a secret."""
    plain = text.isascii() and text.isprintable() and " " not in text
    if not plain or not MIN_TOKEN <= len(text) <= MAX_LENGTH:
        raise SetupError(
            f"{FROM_ENVIRONMENT} must be {MIN_TOKEN} to {MAX_LENGTH} printable ASCII characters without blanks; "
            f"it has {len(text)} characters."
        )


async def _keep_given_token(session: AsyncSession, admin: User, secret_hash: bytes) -> None:
    query = select(Token).where(Token.user_id == admin.id, Token.description == FROM_ENVIRONMENT).limit(1)
    token: Token | None = await session.scalar(query)
    if token is None:
        session.add(Token(user_id=admin.id, description=FROM_ENVIRONMENT, secret_hash=secret_hash))
    elif token.secret_hash != secret_hash:
        token.secret_hash = secret_hash  # the old text stops working with the restart that changed it
    await session.flush()

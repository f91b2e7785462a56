"""From what a caller shows to what he may do: tokens, passwords, grants."""

import asyncio
import re

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv import crypto
from craton_inv.models import Token, User
from craton_inv.repositories.base import MAX_ID
from craton_inv.repositories.scope import Scope
from craton_inv.repositories.tokens import find_token, find_token_by_hash, touch_token
from craton_inv.repositories.users import find_user_named, roles_of

_FORM = re.compile(r"civ_([1-9][0-9]{0,18})_(.+)\Z")
MAX_LENGTH = 512


async def scope_of_token(session: AsyncSession, key: bytes, text: str) -> Scope | None:
    """The scope of a token's bearer; None when it is unknown, expired, or its user is switched off."""
    token = await _find(session, key, text)
    if token is None:
        return None
    await touch_token(session, token)
    return await _scope(session, token.user, tenant_id=token.tenant_id, read_only=token.scope == "read")


async def _find(session: AsyncSession, key: bytes, text: str) -> Token | None:
    if not text or len(text) > MAX_LENGTH or not text.isprintable():
        return None
    form = _FORM.match(text)
    if form and int(form[1]) <= MAX_ID:
        token = await find_token(session, int(form[1]))
        if token is not None and crypto.same_digest(token.secret_hash, crypto.digest_secret(key, form[2])):
            return token
    # A token text that an operator chose (CRATON_INV_ADMIN_TOKEN) has no id in it and is found by its hash.
    return await find_token_by_hash(session, crypto.digest_secret(key, text))


async def find_user(session: AsyncSession, username: str) -> User | None:
    """The user of that name who may log in."""
    return await find_user_named(session, username)


async def check_password(user: User | None, password: str) -> bool:
    """Whether it is the user's password: 50 ms in a thread, as long for no user as for a wrong password."""
    stored = user.password_hash if user is not None else None
    return await asyncio.to_thread(crypto.verify_password, stored, password)


async def scope_of_user(session: AsyncSession, user: User | None) -> Scope | None:
    """The scope of a user with all his rights."""
    return None if user is None else await _scope(session, user)


async def _scope(
    session: AsyncSession, user: User, *, tenant_id: int | None = None, read_only: bool = False
) -> Scope | None:
    if not user.is_active:
        return None
    roles = {} if user.is_superuser else await roles_of(session, user.id)
    return Scope(user.id, user.is_superuser, roles, tenant_id, read_only)

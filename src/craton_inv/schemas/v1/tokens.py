"""Tokens: the text is in the answer to POST and nowhere else."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from craton_inv.schemas.v1.base import Body, Id, Link, Shown, Text


class Token(Shown):
    """A token, without its text."""

    user_id: int
    tenant_id: int | None
    description: str
    scope: str
    expires: datetime | None
    last_used: datetime | None


class TokenMade(Token):
    """A new token. `token` is shown this once."""

    token: str


class TokenList(BaseModel):
    """A page of tokens."""

    tokens: list[Token]
    links: list[Link]


class TokenCreate(Body):
    """`tenant_id` limits the token to one tenant; `user_id` makes one for somebody else (system administrators)."""

    description: Text = ""
    scope: Literal["read", "write"] = "write"
    tenant_id: Id | None = None
    user_id: Id | None = None
    expires: datetime | None = None

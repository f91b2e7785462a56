"""Tokens as AWX shows them: the text once, asterisks afterwards."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from craton_inv.schemas.v2.envelope import Envelope, Page
from craton_inv.schemas.v2.fields import Text, Time

HIDDEN = "************"


class Token(Envelope):
    """A token. `application` and `refresh_token` are always null: there are personal tokens only."""

    description: str
    user: int
    token: str = Field(description="The text, in the answer to POST alone.")
    refresh_token: str | None = None
    application: int | None = None
    expires: Time | None
    scope: str


class TokenList(Page[Token]):
    """A page of tokens."""


class TokenCreate(BaseModel):
    """What awxkit and the collection send: `{"description", "application": null, "scope": "write"}`."""

    description: Text = ""
    application: Any = Field(None, description="Only null: there are personal tokens only.")
    scope: Literal["read", "write"] = "write"
    expires: datetime | None = None

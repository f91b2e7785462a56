"""Who is calling: bearer tokens and basic auth. Identity headers of proxies are never read."""

import binascii
from base64 import b64decode

from fastapi import Request
from fastapi.security import HTTPBasic, HTTPBearer

from craton_inv.api.context import AppContext
from craton_inv.db.session import unit_of_work
from craton_inv.errors import Unauthorized
from craton_inv.repositories.scope import Scope
from craton_inv.services import authentication

CHALLENGE = {"WWW-Authenticate": "Bearer realm=api authorization_url=/api/o/authorize/"}


class DeclaredBearer(HTTPBearer):
    """Names bearer tokens in the OpenAPI document; `authenticate` does the reading."""

    def __init__(self) -> None:
        super().__init__(scheme_name="bearer", description="A token: `civ_<id>_<secret>`.", auto_error=False)

    async def __call__(self, request: Request) -> None:  # type: ignore[override]
        """Nothing: declared only."""


class DeclaredBasic(HTTPBasic):
    """Names basic auth in the OpenAPI document; `authenticate` does the reading."""

    def __init__(self) -> None:
        super().__init__(scheme_name="basic", description="User name and password.", auto_error=False)

    async def __call__(self, request: Request) -> None:  # type: ignore[override]
        """Nothing: declared only."""


async def authenticate(request: Request, context: AppContext) -> Scope:
    """The scope of the caller, read in a transaction of its own before the request's begins. Raises Unauthorized."""
    headers = request.headers.getlist("authorization")
    if not headers:
        raise refused("Authentication credentials were not provided.")
    if len(headers) > 1:
        raise refused("Send one Authorization header.")
    kind, _, value = headers[0].partition(" ")
    value = value.strip()
    match kind.lower():
        case "bearer" | "token":
            async with unit_of_work(context.session_factory) as session:
                scope = await authentication.scope_of_token(session, context.secret, value)
        case "basic":
            username, password = parse_basic(value)
            async with unit_of_work(context.session_factory) as session:
                user = await authentication.find_user(session, username)
            # The slow hash is computed while no connection is held.
            if not await authentication.check_password(user, password):
                raise refused("Invalid username/password.")
            async with unit_of_work(context.session_factory) as session:
                scope = await authentication.scope_of_user(session, user)
        case _:
            raise refused("Authorization must be 'Bearer <token>' or 'Basic <user:password in base64>'.")
    if scope is None:
        raise refused("The token is unknown, expired or revoked, or its user is switched off.")
    return scope


def parse_basic(value: str) -> tuple[str, str]:
    """User name and password of a basic Authorization value. Raises Unauthorized."""
    try:
        text = b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise refused("The credentials of basic authentication are not base64 of UTF-8 text.") from error
    username, colon, password = text.partition(":")
    if not colon or "\0" in text:
        raise refused("Basic authentication needs base64 of 'user:password'.")
    return username, password


def refused(message: str) -> Unauthorized:
    """A 401 with the challenge that AWX sends: bearer is advertised, basic is accepted."""
    return Unauthorized(message, headers=CHALLENGE)

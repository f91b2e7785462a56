"""/v2/tokens/ and /api/v2/tokens/."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from craton_inv.api.deps import ContextDep, ScopeDep, SessionDep
from craton_inv.api.query import PageWindow, page_window
from craton_inv.api.v2.links import Links, links_of
from craton_inv.errors import InvalidField
from craton_inv.models import Token as TokenRow
from craton_inv.repositories import summaries
from craton_inv.repositories.tokens import TokenRepository
from craton_inv.schemas.v2.tokens import HIDDEN, Token, TokenCreate, TokenList
from craton_inv.services.tokens import issue_token

router = APIRouter(prefix="/tokens", tags=["tokens"])


async def present(session: SessionDep, links: Links, rows: Sequence[TokenRow], text: str = HIDDEN) -> list[Token]:
    """Tokens with their users: one statement."""
    users = await summaries.users(session, [row.user_id for row in rows])
    made = []
    for row in rows:
        user = users[row.user_id]
        made.append(
            Token(
                id=row.id,
                type="o_auth2_access_token",
                url=links.to("token", row.id),
                related={"user": links.to("user", row.user_id)},
                summary_fields={
                    "user": {
                        "id": user.id,
                        "username": user.username,
                        "first_name": user.first_name,
                        "last_name": user.last_name,
                    }
                },
                created=row.created,
                modified=row.modified,
                description=row.description,
                user=row.user_id,
                token=text,
                refresh_token=None,
                application=None,
                expires=row.expires,
                scope=row.scope,
            )
        )
    return made


@router.get("/", operation_id="list_tokens", response_model_exclude_unset=True)
async def list_tokens(
    session: SessionDep, scope: ScopeDep, request: Request, window: Annotated[PageWindow, Depends(page_window)]
) -> TokenList:
    """The caller's tokens."""
    found = await window.rows(TokenRepository(session, scope))
    return TokenList(**window.frame(found), results=await present(session, links_of(request), found.items))


@router.post("/", status_code=201, operation_id="create_token")
async def create_token(
    session: SessionDep, scope: ScopeDep, context: ContextDep, body: TokenCreate, request: Request, response: Response
) -> Token:
    """Make a token; its text is shown this once."""
    if body.application is not None:
        raise InvalidField("application", "Only null is taken: there are personal tokens only.")
    values = body.model_dump(exclude_unset=True, exclude={"application"})
    row, text = await issue_token(session, context.secret, scope, values)
    links = links_of(request)
    response.headers["Location"] = links.to("token", row.id)
    return (await present(session, links, [row], text))[0]


@router.get("/{id}/", operation_id="get_token")
async def get_token(session: SessionDep, scope: ScopeDep, id: int, request: Request) -> Token:
    """Read a token."""
    row = await TokenRepository(session, scope).get(id)
    return (await present(session, links_of(request), [row]))[0]


@router.delete("/{id}/", status_code=204, operation_id="delete_token")
async def delete_token(session: SessionDep, scope: ScopeDep, id: int) -> None:
    """Revoke a token."""
    rows = TokenRepository(session, scope)
    await rows.delete(await rows.get(id, lock=True))

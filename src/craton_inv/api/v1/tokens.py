"""/v1/tokens."""

from fastapi import APIRouter, Request, Response

from craton_inv.api.crud import Crud
from craton_inv.api.deps import ContextDep, ScopeDep, SessionDep
from craton_inv.api.v1.dialect import V1
from craton_inv.repositories.tokens import TokenRepository
from craton_inv.schemas.v1.tokens import Token, TokenCreate, TokenList, TokenMade
from craton_inv.services.tokens import issue_token

router = APIRouter(prefix="/tokens", tags=["tokens"])

tokens = Crud(V1, router, TokenRepository, Token, TokenList)
tokens.list()
tokens.read()
tokens.delete()


@router.post("", status_code=201, operation_id="create_token")
async def create_token(
    session: SessionDep, scope: ScopeDep, context: ContextDep, body: TokenCreate, request: Request, response: Response
) -> TokenMade:
    """Make a token; its text is shown this once."""
    token, text = await issue_token(session, context.secret, scope, body.model_dump(exclude_unset=True))
    root = request.scope.get("root_path", "")
    response.headers["Location"] = f"{root}/tokens/{token.id}"
    return TokenMade(**Token.of(token, root).model_dump(), token=text)

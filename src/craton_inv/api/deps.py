"""What routes ask for: a session that commits before the answer is sent, and the caller's scope."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.api.auth import DeclaredBasic, DeclaredBearer, authenticate
from craton_inv.api.context import AppContext, context_of
from craton_inv.db.session import before_commit, unit_of_work
from craton_inv.errors import Forbidden
from craton_inv.queue.jobs import BELL
from craton_inv.repositories.activity import begin_recording
from craton_inv.repositories.scope import Scope
from craton_inv.services.membership_changes import keep_memberships

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

ContextDep = Annotated[AppContext, Depends(context_of)]


@asynccontextmanager
async def writing(context: AppContext) -> AsyncIterator[AsyncSession]:
    """A transaction that may write: it rings for jobs, and keeps the memberships and the activity stream as set."""
    async with unit_of_work(context.session_factory) as session:
        session.info[BELL] = context.bell
        if context.settings.awx_rebuild_smart_membership:
            before_commit(session, keep_memberships(context.settings.filter_statement_timeout))
        if context.settings.activity_stream_enabled:
            begin_recording(session)
        yield session


async def get_session(request: Request, context: ContextDep) -> AsyncIterator[AsyncSession]:
    """One transaction per request. It takes a connection only at its first statement."""
    reading = request.method in SAFE_METHODS
    async with unit_of_work(context.session_factory) if reading else writing(context) as session:
        yield session


# scope="function": the commit happens before the response goes out, so that a 201 never lies (decision 0003).
SessionDep = Annotated[AsyncSession, Depends(get_session, scope="function")]


async def get_reading_scope(
    request: Request,
    context: ContextDep,
    bearer: Annotated[None, Depends(DeclaredBearer())],
    basic: Annotated[None, Depends(DeclaredBasic())],
) -> Scope:
    """The caller's rights where even a POST changes nothing, so that a token that may only read will do."""
    return await authenticate(request, context)


async def get_scope(
    request: Request,
    context: ContextDep,
    bearer: Annotated[None, Depends(DeclaredBearer())],
    basic: Annotated[None, Depends(DeclaredBasic())],
) -> Scope:
    """The caller's rights. Raises Unauthorized; Forbidden when a token that may only read asks for a change."""
    scope = await get_reading_scope(request, context, bearer, basic)
    if scope.read_only and request.method not in SAFE_METHODS:
        raise Forbidden("This token may only read.")
    return scope


ScopeDep = Annotated[Scope, Depends(get_scope)]
ReadingScopeDep = Annotated[Scope, Depends(get_reading_scope)]

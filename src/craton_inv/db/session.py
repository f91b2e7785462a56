"""unit_of_work: one transaction per request or job, committed once, with hooks right before and after the commit."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from craton_inv.logs import get_logger

log = get_logger(__name__)

BeforeCommit = Callable[[AsyncSession], Awaitable[None]]
AfterCommit = Callable[[], Awaitable[None]]
SessionFactory = async_sessionmaker[AsyncSession]

_HOOKS = "after_commit"
_LAST = "before_commit"


def make_session_factory(
    engine: AsyncEngine, before_commit: BeforeCommit | None = None, info: Mapping[str, Any] = MappingProxyType({})
) -> SessionFactory:
    """Sessions that keep their objects readable after the commit: answers are rendered then.

    `before_commit`: the hook of every unit of work of these sessions. `info`: what else each of them is given.
    """
    last = {} if before_commit is None else {_LAST: before_commit}
    return async_sessionmaker(engine, expire_on_commit=False, info={**info, **last})


def before_commit(session: AsyncSession, hook: BeforeCommit) -> None:
    """Run `hook` at the end of the session's transaction, if it has begun one; its error rolls everything back."""
    session.info[_LAST] = hook


async def run_before_commit(session: AsyncSession) -> None:
    """Send what is pending and run the hook of `session`."""
    hook: BeforeCommit | None = session.info.get(_LAST)
    if hook is not None and session.in_transaction():
        await session.flush()
        await hook(session)


def after_commit(session: AsyncSession, hook: AfterCommit) -> None:
    """Run `hook` once the session's transaction is committed; dropped on rollback.

    A failing hook is logged, never raised: what it rings for is committed, and a sweeper rings again.
    """
    session.info.setdefault(_HOOKS, []).append(hook)


async def run_after_commit(session: AsyncSession) -> None:
    """Run and forget the hooks of `session`."""
    for hook in session.info.pop(_HOOKS, []):
        try:
            await hook()
        except Exception as error:
            log.warning("after_commit_hook_failed", error=repr(error))


@asynccontextmanager
async def unit_of_work(factory: SessionFactory) -> AsyncIterator[AsyncSession]:
    """A session whose transaction commits at the end of the block and rolls back on any error."""
    async with factory() as session:
        try:
            yield session
            await run_before_commit(session)
            await session.commit()
        except BaseException:
            session.info.pop(_HOOKS, None)
            await session.rollback()
            raise
        await run_after_commit(session)

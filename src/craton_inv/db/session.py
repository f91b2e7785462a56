"""unit_of_work: one transaction per request or job, committed once, with hooks that run only after the commit."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from craton_inv.logs import get_logger

log = get_logger(__name__)

AfterCommit = Callable[[], Awaitable[None]]
SessionFactory = async_sessionmaker[AsyncSession]

_HOOKS = "after_commit"


def make_session_factory(engine: AsyncEngine) -> SessionFactory:
    """Sessions that keep their objects readable after the commit: answers are rendered then."""
    return async_sessionmaker(engine, expire_on_commit=False)


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
            await session.commit()
        except BaseException:
            session.info.pop(_HOOKS, None)
            await session.rollback()
            raise
        await run_after_commit(session)

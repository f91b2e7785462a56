"""What the jobs that delete share: pieces of an owner, a transaction each, while this worker still has the job."""

from collections.abc import Awaitable, Callable, Iterable

from sqlalchemy import ColumnElement
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.db.locks import lock_transaction
from craton_inv.db.session import unit_of_work
from craton_inv.jobs.context import JobContext
from craton_inv.jobs.faults import is_conflict
from craton_inv.jobs.limits import awake
from craton_inv.queue import jobs
from craton_inv.repositories.deletions import Piece, take

Take = Callable[[AsyncSession], Awaitable[int]]
TRIES = 4  # of a piece in the way of somebody who writes in another order


async def repeat(context: JobContext, take_some: Take, size: int, lock: str = "") -> int:
    """Take rows until fewer than `size` are found, each time in a transaction of its own. Returns how many were found.

    `lock`: waited for before anything else in each of them. One that lost a deadlock is made again: attempts are for
    workers that are gone, and a long deletion would use them up.
    """
    taken = lost = 0
    while True:
        try:
            found = await _once(context, take_some, lock)
        except DBAPIError as error:
            lost += 1
            if lost == TRIES or not is_conflict(error):
                raise
            continue
        lost = 0
        taken += found
        if found < size:
            return taken


async def _once(context: JobContext, take_some: Take, lock: str) -> int:
    async with unit_of_work(context.session_factory) as session:
        await awake(session, context)
        if lock:
            await lock_transaction(session, lock)
        found = await take_some(session)
        # In the same transaction: what a worker that lost its lease took is rolled back.
        await jobs.renew(session, context.claim, context.settings.job_lease)
    return found


async def take_all(
    context: JobContext, pieces: Iterable[Piece], owner_id: int, mark: ColumnElement[bool], lock: str = ""
) -> None:
    """Take all rows of these pieces, one piece after the other."""
    for piece in pieces:

        async def take_some(session: AsyncSession, piece: Piece = piece) -> int:
            return await take(session, piece, owner_id, mark)

        await repeat(context, take_some, piece.size, lock)

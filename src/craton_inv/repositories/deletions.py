"""Deleting much piece by piece: a bounded number of rows a statement, so that nobody waits long for what it locks.

What is large goes in many short transactions under a mark (`pending_deletion`) that keeps new rows out. A piece looks
for the next rows by itself, so whoever comes after a killed worker goes on where that one was.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

PENDING_LIST_KB = "256"

Of = Callable[[int], ColumnElement[bool]]


@dataclass(frozen=True)
class Piece:
    """Rows of one table that go with an owner, or let go of it; `size` of them in one transaction.

    of      which rows, by the owner's id
    values  columns to write instead of deleting the rows, by the owner's id; they must not match `of` any more then
    """

    model: Any
    size: int
    of: Of
    values: Callable[[int], dict[str, Any]] | None = None


def marked(model: Any, row_id: int) -> ColumnElement[bool]:
    """Whether an owner waits for its deletion: of one that does not, nothing goes."""
    return exists().where(model.id == row_id, model.pending_deletion)


async def keep_lists_short(session: AsyncSession) -> None:
    """Have this transaction, which writes many rows again, sort them into the search indexes itself.

    What is new in such an index waits in a list; whoever makes that too long works off all of it. With the usual limit
    of 4 MB this would be some writer of a single row, for a second on a busy machine.
    """
    await session.execute(select(func.set_config("gin_pending_list_limit", PENDING_LIST_KB, True)))


async def take(session: AsyncSession, piece: Piece, owner_id: int, mark: ColumnElement[bool]) -> int:
    """Take the next rows of a piece, what cascades from them too. Returns how many were found; below `size` no more.

    Rows found are counted, not rows deleted: another worker may have been at the same ones.
    """
    table = piece.model.__table__
    keys = tuple(table.primary_key)
    query = select(*keys).where(piece.of(owner_id), mark).limit(piece.size)
    if piece.values is not None:
        # Rows that stay are locked in the order that everybody locks them in.
        query = query.order_by(*keys).with_for_update(of=table, key_share=True)
        await keep_lists_short(session)
    found = query.cte("found")
    same = [key == found.c[key.name] for key in keys]
    done: Any = delete(table) if piece.values is None else table.update().values(piece.values(owner_id))
    statement = select(func.count()).select_from(found).add_cte(done.where(*same).cte("done"))
    return await session.scalar(statement) or 0


async def is_much(session: AsyncSession, pieces: Iterable[Piece], owner_id: int, most: int) -> bool:
    """Whether an owner has more than `most` rows in these pieces: one statement, which counts no further than that."""
    total: Any = literal(0)
    for piece in pieces:
        rows = select(literal(1)).select_from(piece.model.__table__).where(piece.of(owner_id)).limit(most + 1)
        total += select(func.count()).select_from(rows.subquery()).scalar_subquery()
    return (await session.scalar(select(total)) or 0) > most

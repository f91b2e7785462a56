"""Asks both about many filters and tells where they differ."""

import logging
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from sqlalchemy import ColumnElement
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from craton_inv.errors import InvalidFilter
from craton_inv.filters import compile_where, errors, parse
from craton_inv.models import Host
from tests.filters.reference.evaluate import names
from tests.filters.reference.filters import FilterMaker
from tests.filters.reference.grammar import Refused
from tests.filters.reference.rows import World
from tests.filters.reference.stored import ask, store
from tests.filters.reference.worlds import WorldMaker

log = logging.getLogger(__name__)

BATCH = 25
Answer = list[str] | str


@asynccontextmanager
async def stored_world(engine: AsyncEngine, rng: random.Random) -> AsyncIterator[tuple[World, AsyncSession]]:
    """A world that exists for as long as it is asked."""
    world = WorldMaker(rng).world()
    async with engine.connect() as connection, connection.begin() as transaction:
        async with AsyncSession(connection, join_transaction_mode="create_savepoint") as session:
            await store(session, world)
            yield world, session
        await transaction.rollback()


def expected(text: str, world: World) -> Answer:
    """The reference's answer."""
    try:
        return names(text, world)
    except Refused as refusal:
        return f"refused: {refusal}"


async def given(session: AsyncSession, texts: Sequence[str], world: World) -> list[Answer]:
    """The project's answers."""
    answers: list[Answer] = [""] * len(texts)
    compiled: list[tuple[int, ColumnElement[bool]]] = []
    for at, text in enumerate(texts):
        try:
            compiled.append((at, compile_where(parse(text), Host, now=world.now)))
        except InvalidFilter as refusal:
            answers[at] = f"refused: {refusal.message}"
    for start in range(0, len(compiled), BATCH):
        batch = compiled[start : start + BATCH]
        try:
            async with session.begin_nested():
                found: list[Answer] = [*await ask(session, [condition for _, condition in batch])]
        except DBAPIError:
            found = [await _alone(session, texts[at], condition) for at, condition in batch]
        for (at, _), answer in zip(batch, found, strict=True):
            answers[at] = answer
    return answers


async def _alone(session: AsyncSession, text: str, condition: ColumnElement[bool]) -> Answer:
    """One filter by itself: a pattern that PostgreSQL refuses spoils the statement of many."""
    try:
        async with session.begin_nested():
            return (await ask(session, [condition]))[0]
    except DBAPIError as error:
        refusal = errors.refused_by_database(error, parse(text))
        if refusal is None:
            raise
        return f"refused: {refusal.message}"


async def disagreements(engine: AsyncEngine, seed: int, filters: int) -> list[str]:
    """The filters about the world of `seed` that the two answer differently, with both answers."""
    rng = random.Random(seed)
    async with stored_world(engine, rng) as (world, session):
        maker = FilterMaker(rng, world)
        texts = list(dict.fromkeys(maker.filter() for _ in range(filters)))
        wanted = [expected(text, world) for text in texts]
        answers = await given(session, texts, world)
    refused = sum(isinstance(answer, str) for answer in wanted)
    taken = sum(0 < len(answer) < len(world.hosts) for answer in wanted if isinstance(answer, list))
    log.info("seed %d: %d filters, %d refused, %d take some hosts but not all", seed, len(texts), refused, taken)
    return [
        f"seed {seed}: {text!r}\n  reference: {want}\n  craton_inv: {answer}"
        for text, want, answer in zip(texts, wanted, answers, strict=True)
        if differ(want, answer)
    ]


def differ(want: Answer, answer: Answer) -> bool:
    """Different hosts, or one of them refused."""
    return isinstance(want, str) != isinstance(answer, str) or (isinstance(want, list) and want != answer)

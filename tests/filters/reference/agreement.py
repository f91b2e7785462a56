"""Asks both about many filters and tells where they differ."""

import logging
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import ColumnElement, text, true
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from craton_inv.errors import Forbidden, InvalidFilter
from craton_inv.filters import compile_where, list_node, parse
from craton_inv.filters.nodes import Node
from craton_inv.filters.patterns import patterns_of
from craton_inv.filters.refused import refused_by_database
from craton_inv.models import Host
from tests.filters.reference.evaluate import names
from tests.filters.reference.filters import FilterMaker
from tests.filters.reference.grammar import Refused, read
from tests.filters.reference.list_parameters import Parameter, listed
from tests.filters.reference.parameters import ParameterMaker
from tests.filters.reference.rows import World
from tests.filters.reference.stored import ask, judge, store
from tests.filters.reference.worlds import WorldMaker

log = logging.getLogger(__name__)

BATCH = 25
Question = TypeVar("Question")
Answer = list[str] | str


@dataclass(frozen=True)
class Language(Generic[Question]):
    """A way to ask: how questions about a world are made, what the reference says to one, how craton_inv reads it."""

    make: Callable[[random.Random, World], Question]
    reference: Callable[[Question, World], list[str]]
    read: Callable[[Question], Node | None]


HOST_FILTER: Language[str] = Language(lambda rng, world: FilterMaker(rng, world).filter(), names, parse)
PARAMETERS: Language[list[Parameter]] = Language(
    lambda rng, world: ParameterMaker(rng, world).parameters(),
    listed,
    lambda parameters: list_node(parameters, Host),
)


@asynccontextmanager
async def stored_world(engine: AsyncEngine, rng: random.Random) -> AsyncIterator[tuple[World, AsyncSession]]:
    """A world that exists for as long as it is asked."""
    world = WorldMaker(rng).world()
    async with engine.connect() as connection, connection.begin() as transaction:
        async with AsyncSession(connection, join_transaction_mode="create_savepoint") as session:
            await store(session, world)
            # Ten hops over relations planned by the statistics of other tests' rows may take half a minute.
            await session.execute(text("ANALYZE hosts, host_facts, groups, memberships, group_edges, inventories"))
            yield world, session
        await transaction.rollback()


def expected(language: Language[Question], question: Question, world: World) -> Answer:
    """The reference's answer."""
    try:
        return language.reference(question, world)
    except Refused as refusal:
        return f"refused: {refusal}"


async def given(
    language: Language[Question], session: AsyncSession, questions: Sequence[Question], world: World
) -> list[Answer]:
    """The project's answers."""
    answers: list[Answer] = [""] * len(questions)
    compiled: list[tuple[int, Node | None, ColumnElement[bool]]] = []
    for at, question in enumerate(questions):
        try:
            node = language.read(question)
            condition = true() if node is None else compile_where(node, Host, now=world.now)
        except (InvalidFilter, Forbidden) as refusal:
            answers[at] = f"refused: {refusal.message}"
        else:
            compiled.append((at, node, condition))
    for start in range(0, len(compiled), BATCH):
        batch = compiled[start : start + BATCH]
        try:
            async with session.begin_nested():
                await judge(session, [pattern for _, node, _ in batch for pattern in _patterns(node)])
                found: list[Answer] = [*await ask(session, [condition for _, _, condition in batch])]
        except DBAPIError:
            found = [await _alone(session, node, condition) for _, node, condition in batch]
        for (at, _, _), answer in zip(batch, found, strict=True):
            answers[at] = answer
    return answers


def _patterns(node: Node | None) -> list[str]:
    return [term.value.text for term in patterns_of(node, Host)]


async def _alone(session: AsyncSession, node: Node | None, condition: ColumnElement[bool]) -> Answer:
    """One question by itself: a pattern that PostgreSQL refuses spoils the statement of many."""
    try:
        async with session.begin_nested():
            await judge(session, _patterns(node))
            return (await ask(session, [condition]))[0]
    except DBAPIError as error:
        refusal = refused_by_database(error, node)
        if refusal is None:
            raise
        return f"refused: {refusal.message}"


async def disagreements(engine: AsyncEngine, language: Language[Question], *, seed: int, questions: int) -> list[str]:
    """The questions about the world of `seed` that the two answer differently, with both answers."""
    rng = random.Random(seed)
    async with stored_world(engine, rng) as (world, session):
        asked = [language.make(rng, world) for _ in range(questions)]
        wanted = [expected(language, question, world) for question in asked]
        answers = await given(language, session, asked, world)
    refused = sum(isinstance(answer, str) for answer in wanted)
    taken = sum(0 < len(answer) < len(world.hosts) for answer in wanted if isinstance(answer, list))
    log.info("seed %d: %d questions, %d refused, %d take some hosts but not all", seed, len(asked), refused, taken)
    return [
        f"seed {seed}: {question!r}\n  reference: {want}\n  craton_inv: {answer}"
        for question, want, answer in zip(asked, wanted, answers, strict=True)
        if differ(want, answer)
    ]


def misreadings(seed: int, questions: int) -> list[str]:
    """The filters with slips of the pen that one of the two readers takes and the other refuses."""
    rng = random.Random(seed)
    maker = FilterMaker(rng, WorldMaker(rng).world().numbered())
    texts = [maker.mutated(maker.tree(rng.randint(0, 2))) for _ in range(questions)]
    return [f"seed {seed}: {text!r}" for text in texts if _taken(read, text) != _taken(parse, text)]


def _taken(reader: Callable[[str], object], text: str) -> bool:
    try:
        reader(text)
    except (Refused, InvalidFilter):
        return False
    return True


def differ(want: Answer, answer: Answer) -> bool:
    """Different hosts, or one of them refused."""
    return isinstance(want, str) != isinstance(answer, str) or (isinstance(want, list) and want != answer)

"""Whatever is written: it is read and compiled, or refused with a place, in no time worth telling."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.dialects.postgresql import asyncpg

from craton_inv.errors import CratonInvError, Forbidden, InvalidFilter
from craton_inv.filters import compile_where, list_node, order_by_clauses, parse, parse_vars
from craton_inv.filters.nodes import Node, to_text
from craton_inv.filters.parser import MAX_BYTES
from craton_inv.models import Host
from tests.filters.fuzz import Fuzzer
from tests.processor_time import least

log = logging.getLogger(__name__)
SLOWEST = 1.0  # seconds of processor time: what a busy machine adds is no fault of the parser


def ended(call: Callable[[], object], text: str, seed: int) -> float:
    """How long it took, once sure that it did not take long."""
    taken = least(call, SLOWEST)
    assert taken < SLOWEST, (seed, text)
    return taken


def refused(call: Callable[..., Any], *given: Any) -> tuple[Any, CratonInvError | None]:
    """What a call gives, or the refusal it raises. Anything else that it raises fails the test."""
    try:
        return call(*given), None
    except (InvalidFilter, Forbidden) as refusal:
        return None, refusal


def compiles(node: Node) -> bool:
    """Whether a filter fits the model of hosts; then it can be told to the database."""
    condition, refusal = refused(compile_where, node, Host)
    if refusal is not None:
        assert (refusal.status, bool(refusal.message)) == (400, True)
        return False
    str(condition.compile(dialect=asyncpg.dialect()))
    return True


def check(text: str, seed: int) -> tuple[bool, bool]:
    """Read, print and compile one filter, or look at its refusal: whether it was read, and whether it fits."""
    node, refusal = refused(parse, text)
    if refusal is not None:
        assert (refusal.status, refusal.code, refusal.column > 0) == (400, "filter.syntax", True), (seed, text)
        assert len(refusal.message) < 1_000
        return False, False
    printed = to_text(node)
    assert len(printed.encode("utf-8", "surrogatepass")) > MAX_BYTES or parse(printed) == node, (seed, text)
    return True, compiles(node)


def fuzz_parser(seed: int, count: int) -> None:
    """Read that many filters, print and compile what was read, and the same for the other forms now and then."""
    fuzzer = Fuzzer(seed)
    read = fitting = 0
    slowest = 0.0
    for number in range(count):
        text = fuzzer.filter()
        outcomes: list[tuple[bool, bool]] = []
        slowest = max(slowest, ended(lambda text=text, into=outcomes: into.append(check(text, seed)), text, seed))
        was_read, fits = outcomes[0]
        read += was_read
        fitting += fits
        if number % 10 == 0:
            fuzz_others(fuzzer, seed)
    log.info("seed %d: %d filters, %d read, %d fit; slowest %.1f ms", seed, count, read, fitting, slowest * 1000)
    assert count // 10 < read < count
    assert fitting > count // 20


def fuzz_others(fuzzer: Fuzzer, seed: int) -> None:
    """One of Craton's queries, some list parameters and an order."""
    text, parameters = fuzzer.vars(), fuzzer.parameters()
    ended(lambda: check_others(text, parameters, seed), f"{text} {parameters}", seed)


def check_others(text: str, parameters: list[tuple[str, str]], seed: int) -> None:
    """What is read of them fits or is refused, and a refusal has its place."""
    node, refusal = refused(parse_vars, text)
    if refusal is None:
        compiles(node)
    else:
        assert refusal.column > 0, (seed, text)
    node, _ = refused(list_node, parameters, Host)
    if node is not None:
        refused(compile_where, node, Host)
    refused(order_by_clauses, parameters[0][0], Host)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_thousand_filters_are_read_or_refused(seed: int) -> None:
    fuzz_parser(seed, 1_000)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(100, 110))
def test_s18_a_hundred_thousand_filters_are_read_or_refused(seed: int) -> None:
    fuzz_parser(seed, 10_000)

"""Terms joined by and, or and not, whatever a term is: what the compiler binds and what it fuses."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Every(Generic[T]):
    """All parts hold."""

    parts: "tuple[Tree[T], ...]"


@dataclass(frozen=True, slots=True)
class Some(Generic[T]):
    """One part holds at least."""

    parts: "tuple[Tree[T], ...]"


@dataclass(frozen=True, slots=True)
class No(Generic[T]):
    """The part does not hold."""

    part: "Tree[T]"


@dataclass(frozen=True, slots=True)
class One(Generic[T]):
    """A term."""

    term: T


Tree: TypeAlias = Every[T] | Some[T] | No[T] | One[T]


def terms(tree: Tree[T]) -> Iterator[T]:
    """The terms, from left to right."""
    match tree:
        case One(term):
            yield term
        case No(part):
            yield from terms(part)
        case Every(parts) | Some(parts):
            for part in parts:
                yield from terms(part)


def mapped(tree: Tree[T], change: Callable[[T], S]) -> Tree[S]:
    """The same tree of other terms."""
    match tree:
        case One(term):
            return One(change(term))
        case No(part):
            return No(mapped(part, change))
        case Every(parts):
            return Every(tuple(mapped(part, change) for part in parts))
        case Some(parts):
            return Some(tuple(mapped(part, change) for part in parts))


def every(parts: Iterable[Tree[T]]) -> Tree[T]:
    """All parts, those that are conjunctions themselves taken apart, each once."""
    flat = dict.fromkeys(one for part in parts for one in (part.parts if isinstance(part, Every) else (part,)))
    return next(iter(flat)) if len(flat) == 1 else Every(tuple(flat))


def some(parts: Iterable[Tree[T]]) -> Tree[T]:
    """Any part, those that are alternatives themselves taken apart, each once."""
    flat = dict.fromkeys(one for part in parts for one in (part.parts if isinstance(part, Some) else (part,)))
    return next(iter(flat)) if len(flat) == 1 else Some(tuple(flat))


def opposite(tree: Tree[T]) -> Tree[T]:
    """What holds exactly when `tree` does not, with the negations moved to the terms."""
    match tree:
        case One():
            return No(tree)
        case No(part):
            return pushed(part)
        case Every(parts):
            return some(map(opposite, parts))
        case Some(parts):
            return every(map(opposite, parts))


def pushed(tree: Tree[T]) -> Tree[T]:
    """The same with negations at terms only, nested joins taken apart, and no part twice."""
    match tree:
        case One():
            return tree
        case No(part):
            return opposite(part)
        case Every(parts):
            return every(map(pushed, parts))
        case Some(parts):
            return some(map(pushed, parts))


def holds(tree: Tree[T], truth: Callable[[T], bool]) -> bool:
    """Whether `tree` holds when each term has this truth."""
    match tree:
        case One(term):
            return truth(term)
        case No(part):
            return not holds(part, truth)
        case Every(parts):
            return all(holds(part, truth) for part in parts)
        case Some(parts):
            return any(holds(part, truth) for part in parts)

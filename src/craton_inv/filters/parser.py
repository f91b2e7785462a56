"""Reads host_filter text into nodes: LALR, contextual lexer, linear time, no recursion, every refusal placed."""

import re
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path as FilePath
from typing import Any, NamedTuple, TypeAlias

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from craton_inv.filters import errors
from craton_inv.filters.nodes import And, InList, Node, Not, Or, Origin, Part, Path, Term, Value

MAX_BYTES = 4096
MAX_TERMS = 200
MAX_NESTING = 32
MAX_PARTS = 64

NEGATIVE = {"!=": "=", "!~": "~"}
_SLIPS = {"=~": "~", "==": "=", "<>": "!=", "=>": ">="}
_LITERAL = re.compile(r"""(?:"(?P<double>(?:[^"]|"")*)"|'(?P<single>(?:[^']|'')*)')(?P<array>\[\])?(?=__|\Z)""")
_EXPECTED = {
    "PATH": "a field",
    "_IN": "an operator (= != < <= > >= ~ !~ in)",
    "BARE": "a value",
    "ITEM": "a value",
    "_AND": '"and"',
    "_OR": '"or"',
    "RPAR": '")"',
    "COMMA": '","',
    "$END": "the end",
}


# The text being read, for the terms that the rules below make; Lark hands them tokens alone.
_READING: ContextVar[Origin] = ContextVar("host_filter_text")


_Built: TypeAlias = tuple[Node, int, int]
"""A node with what the limits count: how deep it is nested, and its terms."""


class _Refusal(Exception):
    """A problem found by a rule, at an offset."""

    def __init__(self, at: int, problem: str) -> None:
        self.at = at
        self.problem = problem


class _Builder(Transformer[Token, _Built]):
    """Builds nodes while Lark parses; every method is called at the end of its rule."""

    def start(self, children: list[_Built]) -> _Built:
        """start: or_expr"""
        return children[0]

    def either(self, children: list[_Built]) -> _Built:
        """or_expr: and_expr (_OR and_expr)+"""
        return _joined(Or, children)

    def both(self, children: list[_Built]) -> _Built:
        """and_expr: unary (_AND unary)+"""
        return _joined(And, children)

    def negation(self, children: list[_Built]) -> _Built:
        """unary: _NOT unary"""
        node, depth, terms = children[0]
        return _deeper((Not(node), depth, terms))

    def nested(self, children: list[_Built]) -> _Built:
        """unary: "(" or_expr ")" """
        return _deeper(children[0])

    def comparison(self, children: list[Token]) -> _Built:
        """unary: HEAD (QUOTED | BARE)"""
        head, value = children
        at = _start(head)
        path, op, slip = _split_head(str(head))
        if slip:
            raise _Refusal(at + len(head) - len(op), slip)
        if isinstance(path, str):
            raise _Refusal(at, path)
        term = Term(path, NEGATIVE.get(op, op), _value(value), at, _READING.get())
        return (Not(term) if op in NEGATIVE else term), 0, 1

    def items(self, children: list[Token]) -> list[Token]:
        """items: item ("," item)*"""
        return children

    def membership(self, children: list[Any]) -> _Built:
        """unary: PATH _IN "(" items ")" """
        path, items = children
        return InList(_path(path, _start(path)), tuple(map(_value, items)), _start(path), _READING.get()), 0, 1

    def no_membership(self, children: list[Any]) -> _Built:
        """unary: PATH _NOT _IN "(" items ")" """
        node, depth, terms = self.membership(children)
        return Not(node), depth, terms


def _joined(kind: type[And] | type[Or], children: list[_Built]) -> _Built:
    nodes, depths, terms = zip(*children, strict=True)
    return kind(nodes), max(depths), sum(terms)


def _deeper(built: _Built) -> _Built:
    # Counted, not refused here: the parser never recurses, and the whole text is needed for the message.
    node, depth, terms = built
    return node, depth + 1, terms


def _start(token: Token) -> int:
    return token.start_pos or 0


def _value(token: Token) -> Value:
    text = str(token)
    if token.type == "QUOTED":
        quote = text[0]
        return Value(text[1:-1].replace(quote * 2, quote), True, _start(token))
    return Value(text, False, _start(token))


class _Head(NamedTuple):
    """A path, or what is wrong with it; its operator, and the refusal of one that is none."""

    path: Path | str
    op: str
    slip: str = ""


@lru_cache(maxsize=4096)
def _split_head(text: str) -> _Head:
    path = text.rstrip("=<>!~")
    op = text[len(path) :]
    slip = f'"{op}" is no operator; did you mean "{_SLIPS[op]}"?' if op in _SLIPS else ""
    return _Head(split_path(path.rstrip()), op, slip)


def _path(text: str, at: int) -> Path:
    parts = split_path(text)
    if isinstance(parts, str):
        raise _Refusal(at, parts)
    return parts


@lru_cache(maxsize=4096)
def split_path(text: str) -> Path | str:
    """The parts of a path token, or what is wrong with it.

    Quoted as a whole it splits at "__" and keeps "[]", as AWX does; a part quoted inside it is taken literally.
    """
    whole = re.fullmatch(r"\"((?:[^\"]|\"\")*)\"|'((?:[^']|'')*)'", text)
    if whole:
        double, single = whole.groups()
        text = double.replace('""', '"') if double is not None else single.replace("''", "'")
        parts = [_plain(name) for name in text.split("__")]
    elif '"' not in text and "'" not in text:
        parts = [_plain(name) for name in text.split("__")]
    else:
        parts = []
        rest: str | None = text
        while rest is not None:
            literal = _LITERAL.match(rest)
            if literal is not None:
                double, single = literal["double"], literal["single"]
                name = double.replace('""', '"') if double is not None else single.replace("''", "'")
                parts.append(Part(name, literal["array"] is not None, literal=True))
                rest = rest[literal.end() + 2 :] if literal.end() < len(rest) else None
                continue
            name, joined, beyond = rest.partition("__")
            if '"' in name or "'" in name:
                return f"the path {errors.shown(text)} has a quote inside a part or an empty part"
            parts.append(_plain(name))
            rest = beyond if joined else None
    if any(not part.name for part in parts):
        return f'the path {errors.shown(text)} has an empty part; parts are joined by one "__"'
    if len(parts) > MAX_PARTS:
        return f"a path of {len(parts)} parts is too long; at most {MAX_PARTS}"
    return tuple(parts)


def _plain(name: str) -> Part:
    return Part(name[:-2], array=True) if name.endswith("[]") else Part(name)


_LARK = Lark(
    (FilePath(__file__).parent / "host_filter.lark").read_text(encoding="utf-8"),
    parser="lalr",
    lexer="contextual",
    transformer=_Builder(),
    maybe_placeholders=False,
)


def parse(text: str) -> Node:
    """The nodes of a host_filter. Raises InvalidFilter (400) with line, column and what was expected.

    Limits: 4 KiB of UTF-8, 200 terms, 32 levels of parentheses and "not", 64 parts of a path.
    """
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise errors.syntax(Origin(text), MAX_BYTES, f"{size} bytes; at most {MAX_BYTES} are read")
    return _parse(text)


@lru_cache(maxsize=256)
def _parse(text: str) -> Node:
    """Smart inventories ask the same text again and again; nodes are frozen, so sharing them is safe."""
    origin = Origin(text)
    _READING.set(origin)
    try:
        built: _Built = _LARK.parse(text)  # type: ignore[assignment]
    except UnexpectedInput as problem:
        at, what, expected = _explained(text, problem)
        raise errors.syntax(origin, at, what, expected=expected) from None
    except _Refusal as refusal:
        raise errors.syntax(origin, refusal.at, refusal.problem) from None
    node, depth, terms = built
    if terms > MAX_TERMS:
        raise errors.syntax(origin, 0, f"{terms} terms; at most {MAX_TERMS} are read")
    if depth > MAX_NESTING:
        raise errors.syntax(origin, 0, f"nested {depth} deep; at most {MAX_NESTING} levels are read")
    return node


def _explained(text: str, problem: UnexpectedInput) -> tuple[int, str, list[str]]:
    """Offset, problem in plain words, and what was expected there."""
    at: int = len(text.rstrip())
    if isinstance(problem, UnexpectedCharacters):
        wanted: set[str] = set(problem.allowed or ())
        at = problem.pos_in_stream or 0
    elif isinstance(problem, UnexpectedToken):
        wanted = set(problem.accepts or problem.expected)
        if problem.token.type != "$END":
            at = problem.token.start_pos or 0
    else:
        wanted = set()
    expected = [words for name, words in _EXPECTED.items() if name in wanted]
    if len(expected) > 1 and "$END" in wanted:
        expected.remove(_EXPECTED["$END"])
    found = text[at : at + 1]
    if not text.strip():
        return 0, "the filter is empty", expected
    if text[at:].strip().lower() in ("and", "or", "not"):
        return len(text.rstrip()), "the filter ends too early", ["a field"]
    if found and found in "'\"":
        return at, "a quote is opened and not closed, or stands where none may", expected
    if "BARE" in wanted and not found:
        return at, 'a value is missing; an empty text is written ""', expected
    if "ITEM" in wanted:
        return at, "a list needs a value here, as in (a, b)", expected
    if not found:
        return at, "the filter ends too early", expected
    if "_AND" in wanted and found in ")=,(":
        return at, f'a value that holds "{found}" needs quotes, and parentheses come in pairs', expected
    if "_AND" in wanted:
        return at, "a value with blanks needs quotes, and terms are joined by and / or", expected
    return at, f'unexpected "{errors.shown(found)}"', expected

"""Reads a filter by recursive descent, straight from the grammar of the language; as naive as it can be."""

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias


class Refused(Exception):
    """The specification wants a refusal (400) here."""


@dataclass(frozen=True)
class Segment:
    """One part of a path. `array`: any element of it; `literal`: quoted inside the path, so a name and nothing else."""

    name: str
    array: bool = False
    literal: bool = False


@dataclass(frozen=True)
class Written:
    """A value as written, without its quotes."""

    text: str
    quoted: bool = False


@dataclass(frozen=True)
class Comparison:
    """`path op value`."""

    path: tuple[Segment, ...]
    op: str
    value: Written


@dataclass(frozen=True)
class OneOf:
    """`path in (value, …)`."""

    path: tuple[Segment, ...]
    values: tuple[Written, ...]


@dataclass(frozen=True)
class Negation:
    """`not tree`."""

    tree: "Tree"


@dataclass(frozen=True)
class Joined:
    """`tree and tree …` or `tree or tree …`."""

    word: Literal["and", "or"]
    trees: tuple["Tree", ...]


Tree: TypeAlias = Comparison | OneOf | Negation | Joined

_OPERATORS = ("!=", "<=", ">=", "!~", "=", "<", ">", "~")
_SLIPS = ("=~", "==", "<>", "=>")
_NO_PATH = set("()=<>!~'\"")
_NO_BARE = set('()="')


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.terms = 0

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def blanks(self) -> None:
        while self.peek().isspace():
            self.at += 1

    def keyword(self, word: str, followers: str) -> bool:
        """Consume `word` if it stands here, followed by a blank or one of `followers`."""
        end = self.at + len(word)
        follower = self.text[end : end + 1]
        if self.text[self.at : end].lower() == word and follower and (follower.isspace() or follower in followers):
            self.at = end
            return True
        return False

    def quoted(self) -> str:
        """A quoted text, with doubled quotes for single ones."""
        quote, start = self.peek(), self.at + 1
        self.at = start
        while True:
            end = self.text.find(quote, self.at)
            if end < 0:
                raise Refused("a quote is not closed")
            self.at = end + 1
            if self.peek() != quote:
                return self.text[start:end].replace(quote * 2, quote)
            self.at += 1

    def either(self, depth: int) -> Tree:
        return self.joined("or", depth)

    def joined(self, word: Literal["and", "or"], depth: int) -> Tree:
        trees = [self.joined("and", depth) if word == "or" else self.unary(depth)]
        while True:
            self.blanks()
            if not self.keyword(word, "('\""):
                break
            trees.append(self.joined("and", depth) if word == "or" else self.unary(depth))
        return trees[0] if len(trees) == 1 else Joined(word, tuple(trees))

    def unary(self, depth: int) -> Tree:
        if depth > 32:
            raise Refused("nested too deep")
        self.blanks()
        start = self.at
        if self.keyword("not", "("):
            self.blanks()
            if not self.text[self.at : self.at + 2].startswith(("=", "<", ">", "~", "!=", "!~")):
                return Negation(self.unary(depth + 1))
            self.at = start  # a field called not
        if self.peek() == "(":
            self.at += 1
            tree = self.either(depth + 1)
            self.blanks()
            if self.peek() != ")":
                raise Refused("a parenthesis is not closed")
            self.at += 1
            return tree
        return self.term()

    def term(self) -> Tree:
        self.terms += 1
        path = split(self.path())
        self.blanks()
        if self.keyword("in", "("):
            return OneOf(path, self.listed())
        start = self.at
        if self.keyword("not", ""):
            self.blanks()
            if self.keyword("in", "("):
                return Negation(OneOf(path, self.listed()))
            self.at = start
        return self.compared(path)

    def path(self) -> str:
        start = self.at
        while self.peek():
            if self.peek() in "'\"":
                self.quoted()
                # A quoted part ends the path, or goes on with [] and __.
                if not self.text.startswith(("[]", "__", "'", '"'), self.at):
                    break
            elif self.peek().isspace() or self.peek() in _NO_PATH:
                break
            else:
                self.at += 1
        if self.at == start:
            raise Refused("a field is missing")
        return self.text[start : self.at]

    def compared(self, path: tuple[Segment, ...]) -> Tree:
        rest = self.text[self.at : self.at + 2]
        if rest in _SLIPS:
            raise Refused("a slip of an operator")
        op = next((op for op in _OPERATORS if rest.startswith(op)), None)
        if op is None:
            raise Refused("an operator is missing")
        self.at += len(op)
        self.blanks()
        value = self.value("")
        if op in ("!=", "!~"):
            return Negation(Comparison(path, op[1:], value))
        return Comparison(path, op, value)

    def value(self, stops: str) -> Written:
        if self.peek() and self.peek() in "'\"":
            return Written(self.quoted(), quoted=True)
        start = self.at
        while self.peek() and not self.peek().isspace() and self.peek() not in _NO_BARE and self.peek() not in stops:
            self.at += 1
        if self.at == start:
            raise Refused("a value is missing")
        return Written(self.text[start : self.at])

    def listed(self) -> tuple[Written, ...]:
        self.blanks()
        if self.peek() != "(":
            raise Refused("a list is missing")
        values = []
        while True:
            self.at += 1
            self.blanks()
            values.append(self.value(","))
            self.blanks()
            if self.peek() != ",":
                break
        if self.peek() != ")":
            raise Refused("a list is not closed")
        self.at += 1
        return tuple(values)


def split(path: str) -> tuple[Segment, ...]:
    """The parts of a path token: quoted as a whole it still splits, quoted inside it is taken literally."""
    whole = re.fullmatch(r"""(["'])((?:(?!\1).|\1\1)*)\1""", path, re.DOTALL)
    if whole:
        quote, inner = whole.groups()
        return _checked([_segment(part) for part in inner.replace(quote * 2, quote).split("__")])
    segments = []
    rest: str | None = path
    while rest is not None:
        if rest[:1] in ("'", '"'):
            found = re.match(r"""(["'])((?:(?!\1).|\1\1)*)\1(?!\1)(\[\])?""", rest, re.DOTALL)
            if found is None:
                raise Refused("a quote inside a part")
            quote, inner, array = found.groups()
            segments.append(Segment(inner.replace(quote * 2, quote), array is not None, literal=True))
            rest = rest[found.end() :]
            if rest and not rest.startswith("__"):
                raise Refused("a quote inside a part")
            rest = rest[2:] if rest else None
        else:
            part, separator, rest_or_not = rest.partition("__")
            if "'" in part or '"' in part:
                raise Refused("a quote inside a part")
            segments.append(_segment(part))
            rest = rest_or_not if separator else None
    return _checked(segments)


def _segment(part: str) -> Segment:
    return Segment(part[:-2], array=True) if part.endswith("[]") else Segment(part)


def _checked(segments: list[Segment]) -> tuple[Segment, ...]:
    if any(not segment.name for segment in segments):
        raise Refused("an empty part")
    if len(segments) > 64:
        raise Refused("a path too long")
    return tuple(segments)


def read(text: str) -> Tree:
    """The tree of a filter. Raises Refused."""
    if len(text.encode("utf-8", "surrogatepass")) > 4096:
        raise Refused("a filter too long")
    reader = _Reader(text)
    tree = reader.either(0)
    reader.blanks()
    if reader.at != len(text):
        raise Refused("something after the end")
    if reader.terms > 200:
        raise Refused("too many terms")
    return tree

"""Craton's query form, `hardware.disks[*].vendor:"Seagate",os.release:12`, read into the nodes of host_filter.

query : term ("," term)*                a comma means and
term  : key step* ":" value             the key is the name of a host variable, literally
step  : "." name | ".*" | "[n]" | "[*]"     a member, any member, element n from 0, any element
name  : quoted, or bare: 1+ characters, none of: blank . [ ] : , * ( ) = < > ! ~ ' "
value : as in host_filter: quoted, or bare up to a blank or comma: a number, true, false, null or a text
Source: Craton's `vars` parameter, JSON paths of MySQL behind it. Linear time, the limits of host_filter.
"""

import re
from dataclasses import replace

from craton_inv.errors import InvalidFilter
from craton_inv.filters import errors
from craton_inv.filters.lookups import LOOKUPS
from craton_inv.filters.nodes import And, Node, Origin, Part, Term, Value
from craton_inv.filters.parser import MAX_BYTES, MAX_PARTS, MAX_TERMS, parse

ROOT = Part("variables")
_BLANKS = re.compile(r"\s*")
_QUOTED = re.compile(r"\"((?:[^\"]|\"\")*)\"|'((?:[^']|'')*)'")
_NAME = re.compile(r"[^\s.\[\]:,*()=<>!~'\"]+")
_BARE = re.compile(r"[^\s,'\"\[\]{}][^\s,]*")
_ELEMENT = re.compile(r"\[\s*([0-9]{1,9}|\*)\s*\]")


def parse_vars(text: str) -> Node:
    """The nodes of `vars=`: Craton's form, else the text is read as a host_filter. Raises InvalidFilter with column."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise errors.syntax(Origin(text), MAX_BYTES, f"{size} bytes; at most {MAX_BYTES} are read")
    try:
        return _Reader(text).query()
    except InvalidFilter as refusal:
        try:
            return parse(text)
        except InvalidFilter:
            raise refusal from None


class _Reader:
    """Reads one text from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.origin = Origin(text)
        self.at = 0

    def query(self) -> Node:
        """All terms."""
        terms = [self._term()]
        while self._blanks() < len(self.text):
            self._mark(",", "the end or a comma")
            terms.append(self._term())
            if len(terms) > MAX_TERMS:
                raise self._refusal(f"more than {MAX_TERMS} terms")
        return terms[0] if len(terms) == 1 else And(tuple(terms))

    def _term(self) -> Term:
        start = self._blanks()
        path = [ROOT, self._elements(self._name("the name of a variable"))]
        while self.text[self.at : self.at + 1] == ".":
            self.at += 1
            path.append(self._elements(self._member()))
        if sum(1 + len(part.steps) for part in path) > MAX_PARTS:
            raise self._refusal(f"a path of more than {MAX_PARTS} steps is too long")
        self._blanks()
        self._mark(":", 'a ":" and a value')
        return Term(tuple(path), "=", self._value(), start, self.origin)

    def _member(self) -> Part:
        if self.text[self.at : self.at + 1] == "*":
            self.at += 1
            return Part("*", wild=True)
        return self._name('the name of a member, or "*"')

    def _name(self, expected: str) -> Part:
        quoted = self._take(_QUOTED)
        if quoted is not None:
            name = _unquoted(quoted)
        else:
            bare = self._take(_NAME)
            name = bare[0] if bare is not None else ""
        if not name:
            raise self._refusal("a name is missing or not closed", expected)
        return Part(name, literal=quoted is not None or name in LOOKUPS)

    def _elements(self, part: Part) -> Part:
        steps: list[int | None] = []
        while self.text[self.at : self.at + 1] == "[":
            element = self._take(_ELEMENT)
            if element is None:
                raise self._refusal("an element of an array is a number or *", "[n] or [*]")
            steps.append(None if element[1] == "*" else int(element[1]))
        return replace(part, array=True) if steps == [None] else replace(part, steps=tuple(steps))

    def _value(self) -> Value:
        start = self._blanks()
        quoted = self._take(_QUOTED)
        if quoted is not None:
            return Value(_unquoted(quoted), quoted=True, at=start)
        bare = self._take(_BARE)
        if bare is None:
            raise self._refusal('a value is missing or not closed; an empty text is written ""', "a value")
        return Value(bare[0], at=start)

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
        return found

    def _blanks(self) -> int:
        self._take(_BLANKS)
        return self.at

    def _mark(self, mark: str, expected: str) -> None:
        found = self.text[self.at : self.at + 1]
        if found != mark:
            raise self._refusal(
                f'unexpected "{errors.shown(found)}"' if found else "the query ends too early", expected
            )
        self.at += 1

    def _refusal(self, problem: str, expected: str = "") -> InvalidFilter:
        return errors.syntax(self.origin, self.at, problem, expected=[expected] if expected else ())


def _unquoted(quoted: re.Match[str]) -> str:
    double, single = quoted.groups()
    return str(double.replace('""', '"')) if double is not None else str(single.replace("''", "'"))

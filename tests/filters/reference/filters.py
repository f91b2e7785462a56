"""Filters about a world: mostly about values that are in it, written in every style, some of them wrong."""

import random
from datetime import datetime, timedelta
from typing import Any

from tests.filters.reference.fields import LOOKUPS, ORDERS
from tests.filters.reference.odd import ODD
from tests.filters.reference.rows import Plain, Row, World
from tests.filters.reference.schema import KINDS, Kind, Type
from tests.filters.reference.worlds import ADDRESSES, KEYS, NUMBERS, TEXTS
from tests.filters.reference.writing import Piece, Writer

# What looks at the ends of lines.
LINES = ("a.b", "^a.b$", "a[^c]b", "^b", "a$", "^.*$", "^a.*b$")


class FilterMaker(Writer):
    """Makes filters about one world from a seed."""

    def __init__(self, rng: random.Random, world: World) -> None:
        super().__init__(rng)
        self.world = world

    def filter(self) -> str:
        """A filter."""
        text = self.bunch() if self.chance(0.2) else self.tree(self.rng.choice((0, 0, 0, 1, 1, 2, 3)))
        return self.mutated(text) if self.chance(0.03) else text

    def mutated(self, text: str) -> str:
        """A filter with a few slips of the pen."""
        for _ in range(self.rng.randint(1, 3)):
            at = self.rng.randrange(len(text) + 1)
            piece = self.choice(
                ("", "", " ", "(", ")", "=", '"', "'", "_", "__", "[]", ",", "<", "!", "~", "a", " or ")
            )
            text = text[:at] + piece + text[at + self.rng.randint(0, 2) :]
        return text

    def tree(self, depth: int) -> str:
        """A filter nested up to `depth`."""
        if depth == 0:
            return self.term()
        dice = self.rng.random()
        if dice < 0.25:
            return f"{self.choice(('not', 'Not'))} {self.enclosed(self.tree(depth - 1))}"
        word = self.choice(("and", "or", "and", "or", "AND", "Or"))
        parts = [self.tree(depth - 1) for _ in range(self.rng.randint(2, 3))]
        if self.chance(0.7):
            parts = [self.enclosed(part) for part in parts]
        return self.choice((" ", "  ", "\n")).join(f"{word} {part}" if at else part for at, part in enumerate(parts))

    def enclosed(self, text: str) -> str:
        """In parentheses."""
        return f"({text})" if self.chance(0.8) else f"( {text} )"

    def bunch(self) -> str:
        """Many terms over the same relation or into the same document, as they are compiled together."""
        pieces, kind, _ = self.walk()
        form = self.choice([self.cell, self.search, *([self.document] * 2 if kind.documents else [])])
        groups = []
        for _ in range(self.rng.randint(1, 3)):
            rows = self.rng.choices(self.world.rows[kind.name] or [None], k=self.rng.randint(2, 8))
            terms = [f"{self.choice(('', '', 'not '))}{form(pieces, kind, row)}" for row in rows]
            groups.append(self.choice((" and ", " or ")).join(terms))
        outer = self.choice((" and ", " or ", " and not ", " or not "))
        return outer.join(f"({group})" for group in groups)

    def term(self) -> str:
        """One comparison."""
        if self.chance(0.08):
            return self.choice(ODD)
        if self.chance(0.01):
            name, pattern = self.choice(("ansible_facts__a", "variables__a", "state")), self.choice(LINES)
            return f"{name}{self.choice((' ~ ', '__iregex=', ' !~ '))}{self.quoted(pattern)}"
        pieces, kind, row = self.walk()
        forms = [self.cell] * 6 + [self.search] * 2 + [self.related] * 2
        if kind.documents and row is not None:
            forms += [self.document] * (9 if kind.name == "host" else 2)
            forms += [self.raw]
        return self.choice(forms)(pieces, kind, row)

    def walk(self) -> tuple[list[Piece], Kind, Row | None]:
        """Some relations on from a host, and a row at their end if there is one."""
        kind, row = KINDS["host"], self.choice(self.world.hosts)
        pieces: list[Piece] = []
        met: set[tuple[str, str]] = set()
        while self.chance(0.4 if len(pieces) < 3 else 0):
            relations = [name for name in kind.relations if (kind.name, name) not in met]
            if not relations:
                break
            relation = self.choice(relations)
            met.add((kind.name, relation))
            pieces.append(Piece(self.named(kind, relation)))
            near = row.related(relation)
            kind = KINDS[kind.relations[relation]]
            if not near and not self.world.rows[kind.name]:
                return pieces, kind, None
            row = self.choice(near or self.world.rows[kind.name])
        return pieces, kind, row

    def named(self, kind: Kind, name: str) -> str:
        """The name, or another name of the same."""
        others = [other for other, meant in kind.names.items() if meant == name]
        others += ["group"] if name == "groups" else []
        return self.choice(others) if others and self.chance(0.3) else name

    def cell(self, pieces: list[Piece], kind: Kind, row: Row | None) -> str:
        """A term about a field."""
        name = self.choice(list(kind.fields))
        column = kind.fields[name]
        value = row.cells.get(name) if row is not None and self.chance(0.85) else None
        return self.compared([*pieces, Piece(self.named(kind, name))], self.near(column, value), column)

    def near(self, column: Type, value: Any) -> Any:
        """A value of the column's type: this one, or one like it."""
        if self.chance(0.06):
            return self.choice(TEXTS)
        match column:
            case Type.TEXT:
                return self.varied(value if value is not None else self.choice(TEXTS))
            case Type.INTEGER:
                return (value or 0) + self.choice((0, 0, 0, 1, -1, 10**12))
            case Type.BOOLEAN:
                return self.choice(("true", "false", "1", "0", "t", "F", "True", "FALSE"))
            case Type.TIME:
                return self.moment(value)
            case Type.ADDRESS:
                address = str(value or self.choice(ADDRESSES))
                length = self.choice((8, 16, 24, 31, 32) if "." in address else (16, 32, 48, 64, 128))
                return f"{address}/{length}" if self.chance(0.3) else address

    def moment(self, value: datetime | None) -> str:
        """A time as text."""
        if value is None or self.chance(0.3):
            shift = f"{self.choice('-+')}{self.choice((0, 1, 2, 7, 24, 200))}{self.choice('smhdw')}"
            return "now" + (shift if self.chance(0.9) else "")
        value += timedelta(microseconds=self.choice((0, 0, 0, 1, -1)))
        forms = (value.isoformat(), value.isoformat().replace("+00:00", "Z"), value.date().isoformat())
        return self.choice((*forms, value.replace(tzinfo=None).isoformat(" ")))

    def varied(self, text: str) -> str:
        """The text, a part of it, or it in another case."""
        dice = self.rng.random()
        if dice < 0.45:
            return text
        if dice < 0.65 and text:
            start = self.rng.randrange(len(text))
            return text[start : start + self.rng.randint(1, len(text))]
        if dice < 0.85:
            return text.swapcase() if len(text.swapcase()) == len(text) else text
        return self.choice(TEXTS)

    def document(self, pieces: list[Piece], kind: Kind, row: Row | None) -> str:
        """A term about something in a document."""
        name = "ansible_facts" if kind.name == "host" and self.chance(0.75) else "variables"
        keys, value = self.descent(row.documents.get(name, {}) if row is not None else {})
        column = Type.TEXT
        if isinstance(value, dict | list):
            value = self.choice(TEXTS)
        if isinstance(value, bool) or value is None:
            value = {True: "true", False: "false", None: "null"}[value]
        elif isinstance(value, int | float):
            value, column = self.number(value), Type.INTEGER
        else:
            value = self.varied(value)
        return self.compared([*pieces, Piece(name), *keys], value, column, json=True)

    def number(self, value: int | float) -> str:
        """A number as text, in one of its forms where it has several."""
        if self.chance(0.2):
            value = self.choice(NUMBERS)
        text = repr(value) if isinstance(value, int) or abs(value) < 1e15 else format(value, ".1f")
        forms = [text, f"{text}.0" if "." not in text else f"{text}0", text if text.startswith("-") else f"+{text}"]
        return self.choice((text, text, *forms))

    def descent(self, document: Plain) -> tuple[list[Piece], Plain]:
        """Keys into a document, mostly as it is, and what stands there."""
        keys: list[Piece] = []
        while not keys or (self.chance(0.9) and isinstance(document, dict | list)):
            wrong = self.chance(0.08)
            if isinstance(document, dict) and document and not wrong:
                key = self.choice(list(document))
                document = document[key]
                array = isinstance(document, list) and self.chance(0.85)
                if array and isinstance(document, list):
                    document = self.choice(document) if document else None
                keys.append(Piece(key, array, key=True))
            else:
                keys.append(Piece(self.choice(KEYS), self.chance(0.2), key=True))
                document = self.choice(TEXTS)
        return keys, document

    def raw(self, pieces: list[Piece], kind: Kind, row: Row | None) -> str:
        """A term about the text of variables."""
        text = row.texts["variables"] if row is not None else ""
        return self.compared([*pieces, Piece("variables")], self.varied(text), Type.TEXT)

    def search(self, pieces: list[Piece], kind: Kind, row: Row | None) -> str:
        """A search."""
        text = str(row.cells[self.choice(kind.search)]) if row is not None else "a"
        last = pieces[-1].name if pieces else ""
        if last.endswith("s") and self.chance(0.3):
            pieces = [*pieces[:-1], Piece(last[:-1])]
        return f"{self.path([*pieces, Piece('search')])}{self.spaced('=')}{self.value(self.varied(text), bare=True)}"

    def related(self, pieces: list[Piece], kind: Kind, row: Row | None) -> str:
        """A term about a relation itself."""
        relations = list(kind.relations)
        if not relations:
            return self.cell(pieces, kind, row)
        relation = self.choice(relations)
        near = row.related(relation) if row is not None else []
        value = self.choice(near).cells["id"] if near else 0
        pieces = [*pieces, Piece(self.named(kind, relation))]
        dice = self.rng.random()
        if dice < 0.25:
            return f"{self.path(pieces)}{self.choice(('=', ' != '))}null"
        if dice < 0.5:
            return f"{self.path([*pieces, Piece('isnull')])}={self.choice(('true', 'false', '1', 'f'))}"
        return self.compared(pieces, value, Type.INTEGER, relation=True)

    def compared(
        self, pieces: list[Piece], value: Any, column: Type, *, json: bool = False, relation: bool = False
    ) -> str:
        """A term with an operator, a lookup or a list."""
        text = str(value)
        bare = not json or column is Type.INTEGER or not self.chance(0.4)
        dice = self.rng.random()
        if dice < 0.33:
            return f"{self.path(pieces)}{self.spaced(self.choice(('=', '=', '=', '!=')))}{self.value(text, bare=bare)}"
        if dice < 0.45:
            operator = self.choice(("<", "<=", ">", ">="))
            return f"{self.path(pieces)}{self.spaced(operator)}{self.value(text, bare=bare)}"
        if dice < 0.52 and not relation:
            return (
                f"{self.path(pieces)}{self.spaced(self.choice(('~', '!~')))}{self.value(self.pattern(text), bare=True)}"
            )
        if dice < 0.65:
            return f"{self.path(pieces)}{self.choice((' in ', ' not in ', ' IN'))}({self.listed(text, bare)})"
        lookup = self.choice(("exact", "in", *ORDERS) if relation else LOOKUPS)
        if lookup == "isnull":
            text = self.choice(("true", "false", "1", "0", "T", "f"))
        elif lookup == "in":
            text = ",".join([text, *(self.choice(TEXTS) for _ in range(self.rng.randint(0, 2)) if column is Type.TEXT)])
        elif lookup.endswith("regex"):
            text = self.pattern(text)
        return f"{self.path([*pieces, Piece(lookup)])}{self.spaced('=')}{self.value(text, bare=bare)}"

    def listed(self, text: str, bare: bool) -> str:
        """The values of a list, one of them this."""
        values = [self.value(text, bare=bare, inside=True)]
        for _ in range(self.rng.randint(0, 3)):
            other = text if not self.chance(0.5) else self.choice(("null", "8", *TEXTS))
            values.append(self.value(other, bare=True, inside=True))
        self.rng.shuffle(values)
        return self.choice((", ", ",", " , ")).join(values)

    def pattern(self, text: str) -> str:
        """A regular expression like the text, of what Python and PostgreSQL read alike."""
        chars = [f"\\{char}" if char in ".^$*+?()[]{}|\\" else char for char in text[:20]]
        chars = ["." if char == "\n" and self.chance(0.7) else char for char in chars]
        for at in {self.rng.randrange(20) for _ in range(self.rng.randint(0, 2))}:
            if at < len(chars):
                chars[at] = self.choice(
                    (".", f"{chars[at]}+", f"{chars[at]}?", ".*", "[a-c]", "[^a]", "(a|.)", "a{1,2}")
                )
        inner = "".join(chars)
        return f"{self.choice(('', '^', ''))}{inner}{self.choice(('', '$', ''))}"

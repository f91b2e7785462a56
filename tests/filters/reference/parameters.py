"""Query parameters of a list about a world: several at once, often about one related row."""

from tests.filters.reference.fields import LOOKUPS, PARTS
from tests.filters.reference.filters import FilterMaker
from tests.filters.reference.list_parameters import Parameter
from tests.filters.reference.rows import Row
from tests.filters.reference.schema import KINDS, Kind, Type
from tests.filters.reference.worlds import KEYS, TEXTS
from tests.filters.reference.writing import Piece

ODD: tuple[Parameter, ...] = (
    ("page", "2"), ("order_by", "nope"), ("limit", "a"), ("type", "host"), ("format", "json"), ("nmae", "a"), ("", "a"),
    ("nàme", "a"), ("__", "a"), ("name__", "a"), ("__name", "a"), ("name__year", "1"), ("created__year", "2024"),
    ("name__search", "a"), ("groups__parents__parents", "1"), ("created_by__password", "a"), ("id", "abc"),
    ("id", "null"), ("id__int", "x"), ("id__int__gt", "0"), ("id__gt__int", " +0 "), ("enabled", "maybe"),
    ("enabled", "TRUE"), ("enabled__iexact", "true"), ("inventory", "none"), ("region", "NULL"), ("groups", "None"),
    ("groups__isnull", "true"), ("groups__isnull", "0"), ("name__in", ""), ("name__in", "a,b"), ("id__in", "1, 2"),
    ("region__in", "1,none"), ("state", "null"), ("state__isnull", "t"), ("created__gt", "garbage"),
    ("created__gt", "now-7d"), ("name", "a\0"), ("groups__name[]", "a"), ("or__", "a"), ("not__", "a"), ("not", "a"),
    ("chain__not__name", "a"), ("not__chain__name", "a"), ("or__chain__name", "a"), ("not__search", "a"),
    ("or__groups__search", "a"), ("not__groups__search", "a"), ("chain__groups__search", "a,b"), ("search", ""),
    ("search", "a, b"), ("search", '"a b" c'), ("search", "'a b'"), ("search", "é,a"), ("groups__search", "a,b"),
    ("inventory__search", "a"), ("group__search", ""), ("ansible_facts__a__int", "8"), ("ansible_facts__a", "8"),
    ("ansible_facts__a__gt__int", "7"), ("ansible_facts__a[]", "a"), ("variables__icontains", "A"),
    ("variables__search", "a"), ("name__regex", "^a"), ("name__regex", "(a"), ("groups__icontains", "a"),
    ("organization__name__icontains", "a"), ("pk__gt", "0"), ("labels", "x"), ("created_by__search", "a"),
    ("ansible_facts__icontains", "DEBIAN"), ("ansible_facts__contains", '"a": 8'), ("ansible_facts__startswith", "{"),
    ("ansible_facts__regex", "^.{2}a"), ("ansible_facts__gt", "{"), ("ansible_facts__isnull", "false"),
    ("not__ansible_facts__icontains", "a"), ("ansible_facts", "a"),
)  # fmt: skip


class ParameterMaker(FilterMaker):
    """Makes the parameters of one request from a seed."""

    def parameters(self) -> list[Parameter]:
        """A request's parameters."""
        if self.chance(0.6):
            found = self.of_one_relation()
        else:
            found = [self.parameter(*self.walk()) for _ in range(self.rng.randint(1, 3))]
        if self.chance(0.15):
            found.append(self.choice(ODD))
        if self.chance(0.3):
            found.append(self.choice(found))
        if self.chance(0.1):
            found.append(("search", " ".join(self.choice(TEXTS) for _ in range(self.rng.randint(1, 2)))))
        self.rng.shuffle(found)
        return found

    def of_one_relation(self) -> list[Parameter]:
        """Parameters about one relation: of one related row, or of several."""
        pieces, kind, row = self.walk()
        relation = self.choice(list(kind.relations) or ["id"])
        if row is None or relation == "id":
            return [self.parameter(pieces, kind, row)]
        near: list[Row | None] = [*row.related(relation)] or [None]
        path, far = [*pieces, Piece(relation)], KINDS[kind.relations[relation]]
        rows = [self.choice(near) for _ in range(self.rng.randint(2, 3))]
        return [self.about(path, far, other) for other in rows]

    def about(self, path: list[Piece], far: Kind, row: Row | None) -> Parameter:
        """A parameter about a related row: its id, a field of it, or what it is related to."""
        dice = self.rng.random()
        if dice < 0.2:
            lookup = self.choice(("", "", "__gt", "__lte", "__in", "__isnull"))
            value = "false" if lookup == "__isnull" else str(row.cells["id"] if row is not None else 0)
            return self.flagged("__".join(piece.name for piece in path) + lookup), value
        if dice < 0.35 and row is not None:
            step = self.choice(list(far.relations) or ["id"])
            if step != "id" and step not in [piece.name for piece in path] and row.related(step):
                return self.parameter([*path, Piece(step)], KINDS[far.relations[step]], self.choice(row.related(step)))
        return self.parameter(path, far, row)

    def flagged(self, key: str) -> str:
        """The key, perhaps with or__, chain__ and not__."""
        group = self.choice(("", "", "", "", "or__", "chain__"))
        return f"{group}{'not__' if self.chance(0.15) else ''}{key}"

    def parameter(self, pieces: list[Piece], kind: Kind, row: Row | None) -> Parameter:
        """A parameter about a field, a document or a search."""
        path = [piece.name for piece in pieces]
        dice = self.rng.random()
        if dice < 0.12 and pieces:
            text = str(row.cells[kind.search[0]]) if row is not None else "a"
            return "__".join([*path, "search"]), self.choice((self.varied(text), f"{text[:1]},{text[-1:]}"))
        if dice < 0.3 and kind.documents:
            return self.flagged("__".join(path + self.keys(kind, row))), self.choice(TEXTS)
        name = self.choice(list(kind.fields))
        lookup = self.choice(("", "", "", *LOOKUPS))
        value = str(self.near(kind.fields[name], row.cells.get(name) if row is not None else None))
        if lookup == "isnull":
            value = self.choice(("true", "0", "F"))
        elif lookup in PARTS and kind.fields[name] is Type.TEXT:
            value = self.pattern(value) if lookup.endswith("regex") else self.varied(value)
        elif lookup.endswith("regex"):
            value = self.pattern(value)
        suffix = "__int" if kind.fields[name] is Type.INTEGER and self.chance(0.1) else ""
        return self.flagged("__".join([*path, name, *([lookup] if lookup else [])]) + suffix), value

    def keys(self, kind: Kind, row: Row | None) -> list[str]:
        """A path into a document."""
        name = self.choice(sorted(kind.documents))
        document = row.documents.get(name, {}) if row is not None else {}
        keys = (
            [key for key in document if key.isascii() and key and "__" not in key] if isinstance(document, dict) else []
        )
        lookup = self.choice(("", "", "icontains", "gt", "isnull", "startswith"))
        return [name, self.choice([*keys, *KEYS[:4]]), *([lookup] if lookup else [])]

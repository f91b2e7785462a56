"""Which rows a filter takes: a tree becomes a question to one row, or is refused."""

from collections.abc import Callable
from datetime import datetime

from tests.filters.reference.documents import found, written
from tests.filters.reference.fields import LOOKUPS, OPERATORS, Test, cell_test, folded, json_test, one_of
from tests.filters.reference.grammar import (
    Comparison,
    Joined,
    Negation,
    OneOf,
    Refused,
    Segment,
    Tree,
    Written,
    read,
)
from tests.filters.reference.rows import Row, World
from tests.filters.reference.schema import KINDS, Kind, Type
from tests.filters.reference.values import boolean, is_null, text

Question = Callable[[Row], bool]


def names(text: str, world: World) -> list[str]:
    """Names of the hosts that a filter takes, sorted. Raises Refused."""
    question = asked(read(text), world.now)
    return sorted(str(host.cells["name"]) for host in world.hosts if question(host))


def asked(tree: Tree, now: datetime) -> Question:
    """The question that a tree asks a host."""
    match tree:
        case Negation(inner):
            question = asked(inner, now)
            return lambda row: not question(row)
        case Joined(word, trees):
            questions = [asked(inner, now) for inner in trees]
            holds = all if word == "and" else any
            return lambda row: holds(question(row) for question in questions)
        case _:
            return leaf(KINDS["host"], tree, now)


def leaf(kind: Kind, term: Comparison | OneOf, now: datetime) -> Question:
    """The question that one term asks a row of `kind`."""
    hops, question = placed(kind, term, now)
    return through(hops, question)


def through(hops: tuple[str, ...], question: Question) -> Question:
    """Some row at the end of the hops says yes."""
    for hop in reversed(hops):
        question = _some(hop, question)
    return question


def _some(hop: str, question: Question) -> Question:
    return lambda row: any(question(related) for related in row.related(hop))


def placed(
    kind: Kind, term: Comparison | OneOf, now: datetime, *, listed: bool = False
) -> tuple[tuple[str, ...], Question]:
    """The relations on the way of a term, and what it asks a row at their end. `listed`: a parameter of a list."""
    hops: list[str] = []
    met: set[tuple[str, str]] = set()
    path = term.path
    while True:
        head, rest = path[0], path[1:]
        if kind.names.get(head.name, head.name) in kind.secret:
            raise Refused("a secret")
        if head.name in kind.documents:
            if head.array or (head.name == "ansible_facts" and not rest):
                raise Refused("no path into a document")
            if listed and head.name == "ansible_facts" and _is_lookup(rest):
                return tuple(hops), _whole(head.name, _lookup(rest), term, now)
            return tuple(hops), _document(head.name, rest, term, now)
        if head.array:
            raise Refused("[] on what is no JSON")
        if kind.names.get(head.name, head.name) in kind.fields:
            name = kind.names.get(head.name, head.name)
            return tuple(hops), _cell(name, kind.fields[name], _lookup(rest), term, now)
        if head.name == "search" and not head.literal:
            if rest:
                raise Refused("search stands last")
            return tuple(hops), _search(kind, term)
        relation = kind.relation(head.name)
        if relation is None:
            raise Refused("no such field")
        if (kind.name, relation) in met:
            raise Refused("a relation met twice")
        met.add((kind.name, relation))
        far = KINDS[kind.relations[relation]]
        if not rest or _is_lookup(rest):
            return _relation(tuple(hops), relation, _lookup(rest), term, listed)
        hops.append(relation)
        kind, path = far, rest


def _is_lookup(rest: tuple[Segment, ...]) -> bool:
    return len(rest) == 1 and rest[0].name in LOOKUPS and not rest[0].array and not rest[0].literal


def _lookup(rest: tuple[Segment, ...]) -> str:
    """The lookup that the rest of a path names; nothing says none."""
    if rest and not _is_lookup(rest):
        raise Refused("nothing is below a field")
    return rest[0].name if rest else ""


def _said(lookup: str, term: Comparison | OneOf) -> tuple[str, tuple[Written, ...] | Written]:
    """How a term compares, and with what."""
    if isinstance(term, OneOf):
        if lookup:
            raise Refused("two ways to compare")
        return "exact", term.values
    if lookup and term.op != "=":
        raise Refused("two ways to compare")
    return lookup or OPERATORS[term.op], term.value


def _tested(made: Callable[[str, Written], Test], lookup: str, term: Comparison | OneOf) -> Test:
    lookup, value = _said(lookup, term)
    return made(lookup, value) if isinstance(value, Written) else one_of(lambda piece: made(lookup, piece), value)


def _cell(name: str, kind: Type, lookup: str, term: Comparison | OneOf, now: datetime) -> Question:
    test = _tested(lambda how, value: cell_test(kind, how, value, now), lookup, term)
    return lambda row: test(row.cells[name])


def _document(name: str, path: tuple[Segment, ...], term: Comparison | OneOf, now: datetime) -> Question:
    if not path or (name == "variables" and _is_lookup(path)):
        test = _tested(lambda how, value: cell_test(Type.TEXT, how, value, now), _lookup(path), term)
        return lambda row: test(row.texts[name])
    lookup = ""
    if len(path) > 1 and _is_lookup(path[-1:]):
        *inner, last = path
        path, lookup = tuple(inner), last.name
    for segment in path:
        text(Written(segment.name))
    test = _tested(json_test, lookup, term)
    return lambda row: test(found(row.document(name), path))


def _whole(name: str, lookup: str, term: Comparison | OneOf, now: datetime) -> Question:
    """A document as one text; a row without a document has none to look at."""
    test = _tested(lambda how, value: cell_test(Type.TEXT, how, value, now), lookup, term)
    return lambda row: name in row.documents and test(written(row.document(name)))


def _relation(
    hops: tuple[str, ...], relation: str, lookup: str, term: Comparison | OneOf, listed: bool
) -> tuple[tuple[str, ...], Question]:
    """A relation itself is compared by the id of a related row; null: there is none."""

    def none(value: Written) -> bool:
        return value.text.lower() in ("none", "null") if listed else is_null(value)

    def made(how: str, value: Written) -> Question:
        if how == "isnull" or (how == "exact" and none(value)):
            absent = none(value) or boolean(value)
            return lambda row: (not row.related(relation)) is absent
        return _some(relation, by_id(how, value))

    def by_id(how: str, value: Written) -> Question:
        if how not in ("exact", "in", "gt", "gte", "lt", "lte"):
            raise Refused("no lookup of relations")
        test = cell_test(Type.INTEGER, how, value, datetime.min)
        return lambda related: test(related.cells["id"])

    how, value = _said(lookup, term)
    if listed and isinstance(value, Written) and how != "isnull":
        pieces = [Written(piece, quoted=True) for piece in value.text.split(",")] if how == "in" else [value]
        if not any(map(none, pieces)):
            return (*hops, relation), by_id(how, value)
        return hops, one_of(lambda piece: made("exact" if how == "in" else how, piece), pieces)
    return hops, _tested(made, lookup, term)


def _search(kind: Kind, term: Comparison | OneOf) -> Question:
    if isinstance(term, OneOf) or term.op != "=" or is_null(term.value):
        raise Refused("search takes a text")
    wanted = folded(text(term.value))
    return lambda row: any(wanted in folded(str(row.cells[name] or "")) for name in kind.search)

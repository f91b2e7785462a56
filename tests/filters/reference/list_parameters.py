"""Which rows the query parameters of a list take: `[or__|chain__][not__]path[__lookup][__int]=value` and search."""

import re
from collections.abc import Sequence
from datetime import datetime

from tests.filters.reference.evaluate import Question, placed, through
from tests.filters.reference.fields import folded
from tests.filters.reference.grammar import Comparison, Refused, Segment, Written
from tests.filters.reference.rows import Row, World
from tests.filters.reference.schema import KINDS

Parameter = tuple[str, str]
Placed = tuple[tuple[str, ...], Question]

# Names that are no fields; role_level and type are the API's own.
RESERVED = frozenset(
    {"page", "page_size", "format", "order", "order_by", "search", "type", "role_level", "host_filter"}
    | {"count_disabled", "no_truncate", "limit", "validate"}
)


def listed(parameters: Sequence[Parameter], world: World) -> list[str]:
    """Names of the hosts that a list with these parameters shows, sorted. Raises Refused."""
    question = asked(parameters, world.now)
    return sorted(str(host.cells["name"]) for host in world.hosts if question(host))


def asked(parameters: Sequence[Parameter], now: datetime) -> Question:
    """The question that the parameters ask a host together."""
    together: list[Placed] = []
    either: list[Question] = []
    each: list[Question] = []
    searches: dict[tuple[Segment, ...], list[str]] = {}
    for key, text in parameters:
        if key == "search":
            each += [_word(word) for word in words(text)]
        if key in RESERVED:
            continue
        flags, path, value = read(key, text)
        searching = path[-1] == Segment("search") and _relations(path[:-1])
        if searching and not flags:
            searches.setdefault(path, []).append(text)
            continue
        hops, question = placed(KINDS["host"], Comparison(path, "=", value), now, listed=True)
        if not flags:
            together.append((hops, question))
            continue
        alone = _searched(path, [text], now) if searching else through(hops, question)
        alone = _negated(alone) if "not" in flags else alone
        (either if "or" in flags else each).append(alone)
    each += [_searched(path, texts, now) for path, texts in searches.items()]
    if either:
        each.append(lambda row: any(question(row) for question in either))
    each.append(same_row(together))
    return lambda row: all(question(row) for question in each)


def same_row(terms: list[Placed]) -> Question:
    """All terms at once: those that cross one relation hold on one and the same related row."""
    here = [question for hops, question in terms if not hops]
    beyond: dict[str, list[Placed]] = {}
    for hops, question in terms:
        if hops:
            beyond.setdefault(hops[0], []).append((hops[1:], question))
    inner = {relation: same_row(group) for relation, group in beyond.items()}

    def holds(row: Row) -> bool:
        return all(question(row) for question in here) and all(
            any(question(related) for related in row.related(relation)) for relation, question in inner.items()
        )

    return holds


def read(key: str, text: str) -> tuple[set[str], tuple[Segment, ...], Written]:
    """The flags before a path, the path, and the value: a text, unless __int makes it a number."""
    if not key or not key.isascii():
        raise Refused("no name of a field")
    names = key.split("__")
    flags = set()
    if len(names) > 1 and names[0] in ("or", "chain"):
        flags.add(names.pop(0))
    if len(names) > 1 and names[0] == "not":
        flags.add(names.pop(0))
    value = Written(text, quoted=True)
    if len(names) > 1 and names[-1] == "int":
        names.pop()
        if not re.fullmatch(r"\s*[-+]?[0-9]+\s*", text):
            raise Refused("no whole number")
        value = Written(str(int(text)))
    if not all(names):
        raise Refused("an empty part")
    return flags, tuple(Segment(name.removesuffix("[]"), name.endswith("[]")) for name in names), value


def words(text: str) -> list[str]:
    """The words and quoted phrases of a search."""
    found = re.findall(r"""\"([^\"]*)\"|'([^']*)'|([^\s,]+)""", text)
    return [word for word in map("".join, found) if word]


def _word(word: str) -> Question:
    return lambda row: any(folded(word) in folded(str(row.cells[name])) for name in KINDS["host"].search)


def _negated(question: Question) -> Question:
    return lambda row: not question(row)


def _relations(path: tuple[Segment, ...]) -> bool:
    """Whether a path is relations and nothing else."""
    kind = KINDS["host"]
    for segment in path:
        relation = kind.relation(segment.name)
        if relation is None:
            return False
        kind = KINDS[kind.relations[relation]]
    return bool(path)


def _searched(path: tuple[Segment, ...], texts: list[str], now: datetime) -> Question:
    """A search of related rows: any of the texts, or every piece of all when the first has a comma."""
    pieces = [piece.strip() for text in texts for piece in text.split(",")] if "," in texts[0] else texts
    terms = [Comparison(path, "=", Written(piece, quoted=True)) for piece in pieces]
    questions = [through(*placed(KINDS["host"], term, now)) for term in terms]
    if "," in texts[0]:
        return lambda row: all(question(row) for question in questions)
    return lambda row: any(question(row) for question in questions)

"""What the writer of a term may have meant instead: the same value of another type, or in other capitals.

A hint is a condition to count and the sentence to say when some host matches it.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from craton_inv.filters import errors, values
from craton_inv.filters.columns import ColumnField
from craton_inv.filters.compiler import across
from craton_inv.filters.explain import ExplainedTerm, Meant, json_meaning
from craton_inv.filters.facts import JsonField
from craton_inv.filters.nodes import Leaf, Value, to_text
from craton_inv.filters.operands import Condition

_IS = {"string": "is text", "number": "is a number", "boolean": "is a boolean", "null": "is null"}
_ARE = {"string": "are texts", "number": "are numbers", "boolean": "are booleans", "null": "are null"}
# Paths that are offered for an unknown one, and how alike a path must be: a few wrong letters.
SIMILAR = 3
NEAR = 0.8
_THE = {"string": "the text", "number": "the number", "boolean": "the boolean", "null": "the value"}


@dataclass(frozen=True, eq=False)
class Hint:
    """About the term `leaf`. `condition`: hosts to count; `before` and `after`: the sentence around their number.

    Compared by identity, so that it can be a key.
    """

    leaf: Leaf
    condition: Condition
    before: str
    after: str

    def said(self, count: int) -> str:
        """The sentence about so many hosts."""
        hosts = "1 host holds" if count == 1 else f"{count} hosts hold"
        return f"{self.before}; {hosts} {self.after}"


def type_hints(term: ExplainedTerm) -> list[Hint]:
    """For equality in facts and variables: one hint a type that the values could also be of."""
    field = term.field
    if not isinstance(field, JsonField) or term.verb not in ("equals", "one_of"):
        return []
    others: dict[str, list[tuple[Meant, Value, Meant]]] = {}
    for value in term.asked:
        meant = json_meaning(value, field)
        for other in _others(value, meant, field):
            others.setdefault(json_meaning(other, field).type, []).append((meant, other, json_meaning(other, field)))
    return [_type_hint(term, field, type_, found) for type_, found in others.items()]


def _others(value: Value, meant: Meant, field: JsonField) -> Iterator[Value]:
    """The value of another type that is written with the same letters."""
    if meant.type == "string":
        text = value.text.lower() if value.text.lower() in ("true", "false") else value.text
        bare = Value(text, quoted=False, at=value.at)
        if json_meaning(bare, field).type != "string":
            yield bare
    elif meant.type in ("number", "boolean"):
        yield Value(value.text, quoted=True, at=value.at)


def _type_hint(term: ExplainedTerm, field: JsonField, type_: str, found: list[tuple[Meant, Value, Meant]]) -> Hint:
    condition = across(term.compiled.target.hops, field.one_of([other for _, other, _ in found]))
    written = f"`{errors.shown(to_text(term.leaf))}`"
    if len(term.asked) == 1 and term.verb == "equals":
        before = f"{written} {_IS[found[0][0].type]}"
    else:
        asked = [meant for meant, _, _ in found]
        verb = _IS[asked[0].type] if len(asked) == 1 else _ARE[asked[0].type]
        before = f"in {written}, {_listed(asked)} {verb}"
    others = _listed([other for _, _, other in found])
    return Hint(term.leaf, condition, before, f"{_THE[type_]}{'s' * (len(found) > 1)} {others}")


def case_hint(term: ExplainedTerm) -> Hint | None:
    """For equality with a text that no host has: the hosts that have it in other capitals."""
    field = term.field
    if term.verb != "equals" or values.is_null(term.asked[0]) or not _is_text(term):
        return None
    text = Value(term.asked[0].text, quoted=True, at=term.asked[0].at)
    condition = across(term.compiled.target.hops, field.like(text, any_case=True))
    before = f"no host matches `{errors.shown(to_text(term.leaf))}`"
    return Hint(term.leaf, condition, before, "it in other capitals: use __iexact")


def _is_text(term: ExplainedTerm) -> bool:
    field = term.field
    if isinstance(field, JsonField):
        return term.meant[0].type == "string"
    return isinstance(field, ColumnField) and field.type is values.TEXT


def type_clash(term: ExplainedTerm, seen: list[str]) -> str | None:
    """What is wrong with a comparison or a text lookup on facts of which only other types were seen."""
    looked_at = {"like": "string", "matches": "string"}.get(term.verb, term.meant[0].type)
    if term.verb not in ("compare", "like", "matches") or not seen or looked_at in seen:
        return None
    return f"`{errors.shown(to_text(term.leaf))}` looks at {looked_at}s alone; what was seen there is {_named(seen)}"


def nearest_paths(path: str, candidates: Iterable[str]) -> list[str]:
    """Of paths that share letters with an unknown one, those that its writer may have meant, the nearest first."""
    last = _last_key(path)
    scores = {other: SequenceMatcher(None, _core(path), _core(other)).ratio() for other in candidates}
    for other in scores:
        scores[other] += (_last_key(other) == last) + other.startswith((f"{path}__", f"{path}[]"))
    near = [other for other, score in scores.items() if score >= NEAR]
    return sorted(near, key=lambda other: (-scores[other], other))[:SIMILAR]


def _core(path: str) -> str:
    """A path without its root and without the prefix that most facts of Ansible have."""
    return path.partition("__")[2].removeprefix("ansible_").lower()


def _last_key(path: str) -> str:
    return path.removesuffix("[]").rsplit("__", 1)[-1].removeprefix("ansible_").lower()


def _named(types: list[str]) -> str:
    return errors.alternatives([f"a {type_}" if type_ != "null" else type_ for type_ in types])


def _listed(meant: list[Meant]) -> str:
    return ", ".join(errors.shown(_json(each.value)) for each in meant)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)

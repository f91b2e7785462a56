"""What a path that somebody has begun to write can go on with: the same names that compiling it knows."""

from collections.abc import Iterator
from dataclasses import dataclass

from craton_inv.filters import values
from craton_inv.filters.paths import Catalogue, Model, catalogue


@dataclass(frozen=True)
class Choice:
    """A path that can be written. `same_as`: another name of the same; `deeper`: paths go on behind it."""

    path: str
    field_type: str
    same_as: str | None = None
    deeper: bool = False


@dataclass(frozen=True)
class Inside:
    """A path that leads into a JSON document: `before` stands before its name `root`, `rest` begins with the root."""

    before: str
    root: str
    rest: str


def complete(prefix: str, model: Model) -> list[Choice] | Inside:
    """The fields and relations of `model` that paths beginning with `prefix` name next, by their text.

    Secrets and a relation that the path has met already are left out, as they are refused. Nothing for a prefix that
    leads nowhere.
    """
    here, before, met = catalogue(model), "", []
    while "__" in prefix:
        name, _, rest = prefix.partition("__")
        if name in here.roots:
            return Inside(before, name, prefix)
        hop = here.relations.get(name)
        if hop is None or name in here.private or hop.identity in met:
            return []
        met.append(hop.identity)
        here, before, prefix = catalogue(hop.target), f"{before}{name}__", rest
    found = [choice for choice in _choices(here, before, met) if choice.path.startswith(before + prefix)]
    return sorted(found, key=lambda choice: choice.path)


def _choices(here: Catalogue, before: str, met: list[object]) -> Iterator[Choice]:
    for name in here.known - here.private:
        path = before + name
        if name in here.roots:
            array = here.roots[name].array
            yield Choice(path + "[]" * array, "json", deeper=not array)
        elif name in here.columns:
            kind = values.kind_of(here.columns[name])
            key = getattr(here.columns[name], "key", name)
            if kind is not None:
                same = key != name and here.columns.get(key) is here.columns[name]
                yield Choice(path, kind.name, f"{before}{key}" if same else None)
        elif name not in here.relations:
            yield Choice(path, "rows")
        elif here.relations[name].identity not in met:
            hop = here.relations[name]
            yield Choice(path, "relation", f"{before}{hop.name}" if hop.name != name else None, deeper=True)

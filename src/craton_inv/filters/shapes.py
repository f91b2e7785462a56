"""What a JSON document can be searched by: its paths as a filter writes them, the types there, harmless examples."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from craton_inv.filters.lookups import LOOKUPS
from craton_inv.filters.nodes import Part, Path, path_text

STRING, NUMBER, BOOLEAN, NULL = 1, 2, 4, 8
KINDS = {STRING: "string", NUMBER: "number", BOOLEAN: "boolean", NULL: "null"}
# Distinct paths that one collection keeps; a longer path (bytes) would fill a filter alone and is left out.
MAX_PATHS = 20_000
MAX_PATH = 1024
EXAMPLE_LENGTH = 80

_SECRET_KEY = re.compile(
    r"pass|pwd|secret|token|credential|private|cookie|session|auth|signature|salt|api[-_. ]?key|access[-_. ]?key|"
    # The environment of a process holds secrets under names that nobody can foresee.
    r"\Aansible_env\Z|\Aenv\Z",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(
    r"-----BEGIN|\$ANSIBLE_VAULT|://[^/\s]*:[^/\s]*@|\b(?:AKIA|gh[pousr]_|xox[a-z]-|civ_|eyJ)|"
    r"(?i:\b(?:bearer|basic|password|passwd|secret|token)\b\s*[=: ])|"
    # A long run of letters and digits is a key or a hash: no example that helps anybody.
    r"(?=[A-Za-z+/=_]*\d)[A-Za-z0-9+/=_]{28,}"
)


class Shape(NamedTuple):
    """What was seen at a path: the bits of its JSON types, and an example, None where there is none to show."""

    kinds: int
    example: Any


def kind_names(kinds: int) -> list[str]:
    """The JSON types that the bits stand for."""
    return [name for bit, name in KINDS.items() if kinds & bit]


class Shapes:
    """The paths of any number of documents below one name, such as `ansible_facts`. Fed by `add`, read as `found`.

    Only what a filter can name: scalars, also inside arrays (`[]`), but not arrays within arrays or empty keys. `full`
    tells that paths were left out because there were too many.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self.found: dict[str, Shape] = {}
        self.full = False

    def add(self, document: dict[str, Any]) -> None:
        """Take a document's paths in."""
        for path, value, secret in _scalars(self.root, document):
            kind = _kind(value)
            known = self.found.get(path)
            if known is None:
                if len(self.found) >= MAX_PATHS:
                    self.full = True
                elif len(path) <= MAX_PATH and len(path.encode()) <= MAX_PATH:
                    self.found[path] = Shape(kind, None if secret else _example(value, kind))
            elif not known.kinds & kind or (known.example is None and not secret and value not in (None, "")):
                example = known.example if known.example is not None or secret else _example(value, kind)
                self.found[path] = Shape(known.kinds | kind, example)


def _scalars(root: str, document: dict[str, Any]) -> Iterator[tuple[str, Any, bool]]:
    """(path, value, whether its keys look secret) of every scalar that a filter can name."""
    stack: list[tuple[str, dict[str, Any], bool]] = [(root, document, False)]
    while stack:
        above, members, hidden = stack.pop()
        for key, value in members.items():
            inner, last, secret = _spelt(key)
            if not inner:
                continue
            secret = secret or hidden
            if isinstance(value, dict):
                stack.append((f"{above}__{inner}", value, secret))
            elif not isinstance(value, list):
                yield f"{above}__{last}", value, secret
            else:
                for item in value:
                    if isinstance(item, dict):
                        stack.append((f"{above}__{inner}[]", item, secret))
                    elif not isinstance(item, list):
                        yield f"{above}__{inner}[]", item, secret


@lru_cache(maxsize=16384)  # some KB each at most
def _spelt(key: str) -> tuple[str, str, bool]:
    """A key as a part of a path, the same as its last part, and whether it sounds like a secret."""
    if not key or len(key) > MAX_PATH:
        return "", "", False
    plain = path_text((Part(key),)) == key and "__" not in key and not key.endswith(("_", "[]"))
    inner = key if plain else path_text((Part(key, literal=True),))
    last = path_text((Part(key, literal=True),)) if plain and key in LOOKUPS else inner
    return inner, last, _SECRET_KEY.search(key) is not None


def written_path(root: str, path: Path) -> str:
    """A path below `root` as `Shapes` writes it, however a filter spelt it."""
    *above, last = path
    inner = [_spelt(part.name)[0] + "[]" * part.array for part in above]
    return "__".join([root, *inner, f"{_spelt(last.name)[0]}[]" if last.array else _spelt(last.name)[1]])


def _kind(value: Any) -> int:
    if isinstance(value, str):
        return STRING
    if value is None:
        return NULL
    return BOOLEAN if isinstance(value, bool) else NUMBER


def _example(value: Any, kind: int) -> Any:
    if kind != STRING:
        return value if len(str(value)) <= EXAMPLE_LENGTH else None
    if not value or _SECRET_VALUE.search(value[:4096]):
        return None
    return value[:EXAMPLE_LENGTH]

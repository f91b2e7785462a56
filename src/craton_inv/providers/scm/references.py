"""Which commit is meant: branches, tags, commits, and what a refspec brings along beside branches and tags."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dulwich.objects import ObjectID
from dulwich.refs import Ref, check_ref_format

from craton_inv.errors import InvalidField, UpdateFailed

HEX = frozenset("0123456789abcdef")
PEELED = b"^{}"
MAX_REFERENCE = 256
# Where git looks for a short name among what it has fetched, in its order.
PLACES = ("{}", "refs/{}", "refs/tags/{}", "refs/heads/{}", "refs/remotes/{}")


def check_reference(reference: str, name: str = "scm_branch") -> None:
    """Raise InvalidField for what can be neither a branch nor a tag nor a commit."""
    if len(reference) > MAX_REFERENCE:
        raise InvalidField(name, f"Ensure this field has no more than {MAX_REFERENCE} characters.")
    if reference and (reference.startswith("-") or not _is_ref(f"refs/heads/{reference}")):
        raise InvalidField(name, f"{reference[:80]!r} can be neither a branch nor a tag nor a commit.")


def is_commit(reference: str) -> bool:
    """Whether a reference is the full id of a commit."""
    return len(reference) == 40 and HEX.issuperset(reference)


@dataclass(frozen=True)
class Refspec:
    """`+refs/pull/*:refs/remotes/origin/pull/*`: what to fetch, and under which name. `target` "" for no name."""

    source: str
    target: str = ""

    def local(self, reference: str) -> str | None:
        """Under which name a reference of the server is known here, "" for none; None when it is not fetched."""
        if "*" not in self.source:
            return self.target if reference == self.source else None
        before, _, after = self.source.partition("*")
        if not (reference.startswith(before) and reference.endswith(after)):
            return None
        middle = reference[len(before) : len(reference) - len(after)]
        return self.target.replace("*", middle) if middle else None


def read_refspec(text: str, name: str = "scm_refspec") -> Refspec | None:
    """Read a refspec; None for "". Raises InvalidField naming what is wrong with it."""
    if not text:
        return None
    source, colon, target = text.removeprefix("+").partition(":")
    shown = repr(text[:80])
    if not source.startswith("refs/") or (colon and not target.startswith("refs/")):
        raise InvalidField(
            name,
            f"{shown} is no refspec: both sides begin with refs/, as in +refs/pull/*:refs/remotes/origin/pull/*.",
        )
    sides = [source, target] if colon else [source]
    if any(side.count("*") > 1 or not _is_ref(side.replace("*", "x")) for side in sides):
        raise InvalidField(name, f"{shown} is no refspec: a side is no name of a reference, or has more than one *.")
    if colon and ("*" in source) != ("*" in target):
        raise InvalidField(name, f"{shown} is no refspec: a * stands on both sides or on none.")
    return Refspec(source, target)


def _is_ref(text: str) -> bool:
    return not any(ord(char) < 32 for char in text) and check_ref_format(Ref(text.encode()))


class Wanted:
    """Tells dulwich what to ask for, once it knows what the server has."""

    def __init__(self, reference: str, refspec: Refspec | None, known: str, listed: Callable[[], None]) -> None:
        self.reference = reference
        self.refspec = refspec
        self.known = known
        self.listed = listed
        self.found: ObjectID | None = None
        self.unadvertised = False
        self.everything = False
        self.nothing_new = False

    def __call__(self, refs: Mapping[Any, ObjectID], depth: int | None = None) -> list[ObjectID]:
        """What to ask for. Raises UpdateFailed when the one reference of the refspec is not there."""
        self.listed()
        # What a tag with a text of its own points to is told for convenience; nobody may ask for it by its id.
        refs = {ref: sha for ref, sha in refs.items() if not ref.endswith(PEELED)}
        beside = self._beside(refs)
        self.found = self._named(refs) or self._renamed(beside)
        if self.found is None:
            if not is_commit(self.reference):
                return []
            self.found = ObjectID(self.reference.encode())
            self.unadvertised = self.found not in refs.values()
        if self.found == self.known.encode():
            self.nothing_new = True
            return []
        if self.everything:
            known = {sha for ref, sha in refs.items() if ref.startswith((b"refs/heads/", b"refs/tags/"))}
            return sorted(known.union(sha for _, sha in beside))
        return [self.found]

    def _named(self, refs: Mapping[Any, ObjectID]) -> ObjectID | None:
        name = self.reference.encode()
        candidates = (b"refs/heads/" + name, b"refs/tags/" + name, name) if name else (b"HEAD",)
        return next((refs[candidate] for candidate in candidates if candidate in refs), None)

    def _beside(self, refs: Mapping[Any, ObjectID]) -> list[tuple[str, ObjectID]]:
        """What the refspec brings along: names here, and ids."""
        if self.refspec is None:
            return []
        named = ((self.refspec.local(ref.decode("utf-8", "replace")), sha) for ref, sha in refs.items())
        found = [(name, sha) for name, sha in named if name is not None]
        if not found and "*" not in self.refspec.source:
            raise UpdateFailed(f"The repository has no {self.refspec.source!r}, which scm_refspec names.")
        return found

    def _renamed(self, beside: list[tuple[str, ObjectID]]) -> ObjectID | None:
        by_name = {name: sha for name, sha in beside if name}
        places = (place.format(self.reference) for place in PLACES) if self.reference else ()
        return next((by_name[place] for place in places if place in by_name), None)

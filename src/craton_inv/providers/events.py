"""Events of a provider as an event catcher hands them over, and what makes two of them the same."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


def digest(value: Any) -> bytes:
    """SHA-256 of a JSON value, the order of keys apart."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True)
class ObjectRef:
    """One object of a source: the association it is in, and columns with the values that identify it there."""

    association: str
    manager_ref: Mapping[str, str]

    @property
    def digest(self) -> bytes:
        """The same for the same reference, however it was written."""
        return digest(dict(self.manager_ref))


@dataclass(frozen=True)
class Event:
    """What happened at the provider. `uid` is the provider's own id of the event, "" when it gives none."""

    event_type: str
    uid: str = ""
    timestamp: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict)
    targets: tuple[ObjectRef, ...] = ()

    def content(self) -> list[Any]:
        """What the event says, without its id and time."""
        refs = [[ref.association, dict(ref.manager_ref)] for ref in self.targets]
        return [self.event_type, dict(self.payload), refs]

    def identity(self) -> bytes:
        """Tells the event from all others of its source; without an id its time and content do."""
        return digest([self.uid] if self.uid else [self.timestamp, *self.content()])

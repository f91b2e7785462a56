"""The output of a run as text: whole or some of its lines, with or without terminal colours."""

import re
from dataclasses import dataclass

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[@-Z\\-_]")


@dataclass(frozen=True)
class Lines:
    """Lines `start` to `end` (from 0, `end` not among them) of `total`."""

    start: int
    end: int
    total: int
    content: str


def plain(text: str) -> str:
    """`text` without the sequences that colour a terminal."""
    return _ANSI.sub("", text)


def some_lines(text: str, start: int = 0, end: int | None = None) -> Lines:
    """The lines asked for, as far as there are any; a line ends with a line feed and nothing else, as events count."""
    parts = text.split("\n") if text else []
    lines = [*(part + "\n" for part in parts[:-1]), *parts[-1:]]
    first = min(start, len(lines))
    last = len(lines) if end is None else max(first, min(end, len(lines)))
    return Lines(first, last, len(lines), "".join(lines[first:last]))

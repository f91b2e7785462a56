"""What ansible-inventory left behind: its document, or the reason why there is none."""

import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from craton_inv.errors import UpdateFailed
from craton_inv.providers.ansible_inventory.sandbox import Finished

MESSAGE_LENGTH = 4000
COMPLAINTS = ("[ERROR]", "[WARNING]: Failed to parse", "[WARNING]: Unable to parse", "ERROR!", "usage:")
NO_DOCUMENT = "ansible-inventory ended well but wrote no document."
TRACEBACK = "Traceback (most recent call last):"


def failure_text(ended: Finished) -> str:
    """What Ansible says was wrong: from its first complaint on; else the last lines."""
    said = [line for line in _without_traceback(ended.lines) if line.strip()]
    start = next((n for n, line in enumerate(said) if line.startswith(COMPLAINTS)), None)
    text = "\n".join(said[start:] if start is not None else said[-5:])
    if len(text) > MESSAGE_LENGTH:
        text = f"{text[: MESSAGE_LENGTH // 2]}\n[...]\n{text[-MESSAGE_LENGTH // 2 :]}"
    how = f"was stopped by signal {-ended.status}" if ended.status < 0 else f"failed with exit status {ended.status}"
    return f"ansible-inventory {how}: {text}" if text else f"ansible-inventory {how}."


def read_document(path: Path, limit: int) -> Mapping[str, Any]:
    """The JSON document ansible-inventory wrote. Raises UpdateFailed when it is none or larger than `limit` bytes."""
    try:
        document = json.loads(_content(path, limit))
    except (ValueError, RecursionError) as error:
        raise UpdateFailed(f"ansible-inventory wrote no valid JSON: {error}.") from error
    if not isinstance(document, dict):
        raise UpdateFailed("ansible-inventory wrote something other than a JSON object.")
    return document


def _content(path: Path, limit: int) -> bytes:
    """The file's bytes. A program of the source may have put a link there, to what only the service may read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        raise UpdateFailed(NO_DOCUMENT) from None
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise UpdateFailed(NO_DOCUMENT)
    with open(descriptor, "rb") as file:
        if found.st_size > limit:
            raise UpdateFailed(f"ansible-inventory wrote {found.st_size} bytes; at most {limit} are read.")
        return file.read(limit)


def _without_traceback(lines: Iterable[str]) -> Iterator[str]:
    """The lines without frames of Python; the error that a traceback ends with stays."""
    inside = False
    for line in lines:
        inside = line.strip() == TRACEBACK or (inside and line.startswith(" "))
        if not inside:
            yield line

"""What ansible-inventory left behind: its document, or the reason why there is none."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from craton_inv.errors import UpdateFailed
from craton_inv.providers.ansible_inventory.sandbox import Finished

MESSAGE_LENGTH = 4000
COMPLAINTS = ("[ERROR]", "[WARNING]: Failed to parse", "[WARNING]: Unable to parse", "ERROR!", "usage:")


def failure_text(ended: Finished) -> str:
    """What Ansible says was wrong: from its first complaint on; else the last lines."""
    start = next((n for n, line in enumerate(ended.lines) if line.startswith(COMPLAINTS)), None)
    lines = ended.lines[start:] if start is not None else ended.lines[-5:]
    text = "\n".join(line for line in lines if line.strip())
    if len(text) > MESSAGE_LENGTH:
        text = f"{text[: MESSAGE_LENGTH // 2]}\n[...]\n{text[-MESSAGE_LENGTH // 2 :]}"
    how = f"was stopped by signal {-ended.status}" if ended.status < 0 else f"failed with exit status {ended.status}"
    return f"ansible-inventory {how}: {text}" if text else f"ansible-inventory {how}."


def read_document(path: Path, limit: int) -> Mapping[str, Any]:
    """The JSON document ansible-inventory wrote. Raises UpdateFailed when it is none or larger than `limit` bytes."""
    if not path.is_file():
        raise UpdateFailed("ansible-inventory ended well but wrote no document.")
    if path.stat().st_size > limit:
        raise UpdateFailed(f"ansible-inventory wrote {path.stat().st_size} bytes; at most {limit} are read.")
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise UpdateFailed(f"ansible-inventory wrote no valid JSON: {error}.") from error
    if not isinstance(document, dict):
        raise UpdateFailed("ansible-inventory wrote something other than a JSON object.")
    return document

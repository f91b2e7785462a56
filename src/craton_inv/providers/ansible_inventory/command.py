"""How ansible-inventory is found and called."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from craton_inv.errors import InvalidField, UpdateFailed
from craton_inv.settings import Settings


def ansible_inventory(settings: Settings) -> str:
    """The program: from the settings, beside Python, or on PATH. Raises UpdateFailed when there is none."""
    beside = str(Path(sys.executable).parent / "ansible-inventory")
    for candidate in (settings.ansible_inventory_command, beside, "ansible-inventory"):
        found = shutil.which(candidate) if candidate else None
        if found:
            return found
        if candidate and candidate == settings.ansible_inventory_command:
            break
    raise UpdateFailed(
        "ansible-inventory was not found on this worker. Install ansible-core beside craton-inv, or set "
        "CRATON_INV_ANSIBLE_INVENTORY_COMMAND to its path."
    )


def command_line(
    program: str,
    inventories: Sequence[Path],
    output: Path,
    limit: str,
    verbosity: int,
    playbook_dir: Path | None = None,
) -> list[str]:
    """As AWX calls it: the inventories in their order; verbosity 1 and 2 give -vvv and -vvvvv."""
    command = [program, "--list", "--export"]
    for path in inventories:
        command += ["-i", str(path)]
    command += ["--output", str(output)]
    if limit:
        command.append(f"--limit={limit}")
    if playbook_dir is not None:
        command += ["--playbook-dir", str(playbook_dir)]
    if verbosity:
        command.append("-" + "v" * min(5, 2 * verbosity + 1))
    return command


def check_limit(limit: str) -> None:
    """Raise InvalidField for a limit that Ansible would read out of a file."""
    if "@" in limit:
        raise InvalidField("limit", "A limit cannot name a file with @.")

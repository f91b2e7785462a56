"""The collector of kind `file`: one run of `ansible-inventory --list --export`, its document read from a file."""

import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from craton_inv.errors import UpdateFailed
from craton_inv.providers.base import SourceDefinition, Surroundings
from craton_inv.providers.file import sandbox
from craton_inv.providers.file.environment import clean_environment, variables_for_environment
from craton_inv.providers.file.paths import check_files, inside_roots
from craton_inv.providers.file.uploads import unpack
from craton_inv.refresh.collector import Collector
from craton_inv.refresh.target import Targets
from craton_inv.settings import Settings

MESSAGE_LENGTH = 4000
COMPLAINTS = ("[ERROR]", "[WARNING]: Failed to parse", "[WARNING]: Unable to parse", "ERROR!", "usage:")


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


def command_line(program: str, path: Path, output: Path, limit: str, verbosity: int) -> list[str]:
    """As AWX calls it: verbosity 1 and 2 give -vvv and -vvvvv."""
    command = [program, "--list", "--export", "-i", str(path), "--output", str(output)]
    if limit:
        command.append(f"--limit={limit}")
    if verbosity:
        command.append("-" + "v" * min(5, 2 * verbosity + 1))
    return command


class FileCollector(Collector):
    """`collect` runs Ansible; `document` is what it gave."""

    def __init__(self, definition: SourceDefinition, targets: Targets, around: Surroundings) -> None:
        super().__init__(targets)
        self.definition = definition
        self.around = around
        self.document: Mapping[str, Any] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    async def collect(self) -> None:
        """Check the files, run ansible-inventory, read its document. Raises UpdateFailed with Ansible's own message."""
        settings = self.around.settings
        program = ansible_inventory(settings)
        self._folder = tempfile.TemporaryDirectory(prefix="craton-inv-", ignore_cleanup_errors=True)
        private = Path(self._folder.name).resolve()  # noqa: ASYNC240 - a folder made a line before
        for name in ("home", "tmp", "upload"):
            (private / name).mkdir()
        (private / "ansible.cfg").touch()
        path, readable = await asyncio.to_thread(self._find, private, settings)
        output = private / "output.json"
        definition = self.definition
        command = command_line(program, path, output, definition.limit, definition.verbosity)
        environment = clean_environment(
            private, definition.id, definition.update_id, variables_for_environment(definition.source_vars)
        )
        if not settings.allow_executable_inventories:
            environment["ANSIBLE_INVENTORY_ENABLED"] = "host_list,auto,yaml,ini,toml"
        self.around.command_run(command, str(private / "home"), environment)
        limits = sandbox.Limits(
            settings.inventory_memory_limit,
            settings.inventory_output_limit,
            (*readable, Path(program).resolve().parent),  # noqa: ASYNC240 - the program was found a moment ago
            private,
        )
        ended = await sandbox.run(command, private / "home", environment, limits, self.around.say)
        if ended.status != 0:
            raise UpdateFailed(failure_text(ended))
        self.document = await asyncio.to_thread(read_document, output, settings.inventory_output_limit)

    def _find(self, private: Path, settings: Settings) -> tuple[Path, tuple[Path, ...]]:
        """The inventory, and the folders that Ansible may read for it (group_vars lie beside a file)."""
        definition = self.definition
        roots = settings.allowed_file_roots()
        if definition.upload is not None:
            path = unpack(definition.upload, private / "upload", settings.allow_executable_inventories)
            roots = [private]
        elif definition.source_path:
            path = inside_roots(definition.source_path, roots)
        else:
            raise UpdateFailed("The source has neither a source_path nor an uploaded inventory.")
        if not path.exists():
            raise UpdateFailed(f"{definition.source_path!r} does not exist on this worker.")
        linked = check_files(path, roots, settings.allow_executable_inventories)
        own = path if path.is_dir() else path.parent
        return path, (own, *sorted(folder for folder in linked if not folder.is_relative_to(own)))

    async def close(self) -> None:
        """Remove the private folder."""
        if self._folder is not None:
            await asyncio.to_thread(self._folder.cleanup)


def failure_text(ended: sandbox.Finished) -> str:
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

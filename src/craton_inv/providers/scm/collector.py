"""The collector of kind `scm`: an inventory within the files of a project, read by ansible-inventory."""

import asyncio
import os
from pathlib import Path

from craton_inv.errors import UpdateFailed
from craton_inv.providers.ansible_inventory.collector import WITHOUT_SCRIPTS, AnsibleCollector, Inputs
from craton_inv.providers.ansible_inventory.environment import variables_for_environment
from craton_inv.providers.ansible_inventory.files import check_files, folders_around
from craton_inv.providers.file.bundles import REFUSED
from craton_inv.providers.file.paths import inside_roots
from craton_inv.providers.scm.tree import POINTER_LENGTH, is_pointer


class ScmCollector(AnsibleCollector):
    """Reads `source_path` of the project; all that lies in the project may be linked to, nothing else."""

    async def find(self, private: Path) -> Inputs:
        """The inventory, checked file by file. Raises UpdateFailed, InvalidField."""
        files = await self.around.project()
        if files.revision:
            self.around.say(f"Reading commit {files.revision}.")
        return await asyncio.to_thread(self._find, files.path)

    def _find(self, project: Path) -> Inputs:
        definition = self.definition
        executables = self.around.settings.allow_executable_inventories
        written = definition.source_path.strip("/") or "."
        path = inside_roots(written, [project])
        if not path.exists():
            raise UpdateFailed(f"{definition.source_path!r} does not exist in the project.")
        linked = check_files(path, [project], executables)
        _refuse_pointers(path)
        beside = path.parent if path != project.resolve() else path
        return Inputs(
            inventories=(path,),
            # A script may read what it likes of its own project.
            readable=(project,) if executables else folders_around(path, linked),
            environment=variables_for_environment(definition.source_vars),
            plugins=None if executables else WITHOUT_SCRIPTS,
            playbook_dir=beside if executables or not self._brings_code(beside) else None,
        )

    def _brings_code(self, folder: Path) -> bool:
        """Whether Ansible would load plugins or modules out of the folder."""
        found = sorted(child.name for child in folder.iterdir() if REFUSED.search(child.name))
        if found:
            self.around.say(f"{', '.join(found)} beside the inventory may hold code; it is not loaded.")
        return bool(found)


def _refuse_pointers(inventory: Path) -> None:
    """Raise UpdateFailed when a file of the inventory is only Git LFS's pointer to it: it would be read as hosts."""
    folders = os.walk(inventory) if inventory.is_dir() else [(str(inventory.parent), [], [inventory.name])]
    for folder, _, names in folders:
        for path in (Path(folder) / name for name in names):
            if not path.is_file():
                continue
            with path.open("rb") as file:
                if is_pointer(file.read(POINTER_LENGTH)):
                    raise UpdateFailed(f"{path.name} is kept in Git LFS; its pointer, which is here, is no inventory.")

"""The collector of kind `file`: finds the inventory on disk or unpacks the uploaded one."""

import asyncio
from pathlib import Path

from craton_inv.errors import UpdateFailed
from craton_inv.providers.ansible_inventory.collector import WITHOUT_SCRIPTS, AnsibleCollector, Inputs
from craton_inv.providers.ansible_inventory.environment import variables_for_environment
from craton_inv.providers.ansible_inventory.files import check_files, folders_around
from craton_inv.providers.file.paths import inside_roots
from craton_inv.providers.file.uploads import unpack


class FileCollector(AnsibleCollector):
    """Reads a path below the allowed folders, or an upload in the private folder."""

    async def find(self, private: Path) -> Inputs:
        """The inventory, checked file by file. Raises UpdateFailed, InvalidField."""
        return await asyncio.to_thread(self._find, private)

    def _find(self, private: Path) -> Inputs:
        definition, settings = self.definition, self.around.settings
        executables = settings.allow_executable_inventories
        roots = settings.allowed_file_roots()
        if definition.upload is not None:
            path = unpack(definition.upload, private / "upload", executables)
            roots = [private]
        elif definition.source_path:
            path = inside_roots(definition.source_path, roots)
        else:
            raise UpdateFailed("The source has neither a source_path nor an uploaded inventory.")
        if not path.exists():
            raise UpdateFailed(f"{definition.source_path!r} does not exist on this worker.")
        return Inputs(
            inventories=(path,),
            readable=folders_around(path, check_files(path, roots, executables)),
            environment=variables_for_environment(definition.source_vars),
            plugins=None if executables else WITHOUT_SCRIPTS,
        )

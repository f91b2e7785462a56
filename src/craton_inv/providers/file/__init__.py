"""Kind `file`: an Ansible inventory on the worker's disk or uploaded, read by the real ansible-inventory.

paths    what a source may name     uploads  an uploaded file, written into a private folder
bundles  archives, unpacked piece by piece
"""

from pathlib import Path

from craton_inv.providers.ansible_inventory.command import check_limit
from craton_inv.providers.ansible_inventory.environment import variables_for_environment
from craton_inv.providers.ansible_json import AnsibleJsonParser
from craton_inv.providers.base import Provider, SourceDefinition, Surroundings
from craton_inv.providers.file.collector import FileCollector
from craton_inv.providers.file.paths import inside_roots
from craton_inv.providers.host_values import rules_of
from craton_inv.providers.inventory_persister import InventoryPersister
from craton_inv.refresh.refresher import Refresher
from craton_inv.refresh.target import Targets
from craton_inv.settings import Settings, examples_dir


class FileProvider(Provider):
    """Updatable when the source has a `source_path` or an upload; AWX never updates kind `file`."""

    kind = "file"
    trusted = True

    def check(self, definition: SourceDefinition, settings: Settings) -> None:
        """The path lies below an allowed folder (it need not exist yet) and `source_vars` fit an environment."""
        if definition.source_path:
            inside_roots(definition.source_path, settings.allowed_file_roots())
        check_limit(definition.limit)
        variables_for_environment(definition.source_vars)

    def why_not_updatable(self, source_path: str, uploaded: bool) -> str:
        """Nothing to read means nothing to update."""
        return "" if source_path or uploaded else "The source has neither a source_path nor an uploaded inventory."

    def refresher(self, definition: SourceDefinition, targets: Targets, around: Surroundings) -> Refresher:
        """Collector, shared parser, standard persister."""
        self.check(definition, around.settings)
        collector = FileCollector(definition, targets, around)
        persister = InventoryPersister(definition.inventory_id, definition.host_filter)
        parser = AnsibleJsonParser(lambda: collector.document, persister, rules_of(definition), around.say)
        return Refresher(collector, parser, persister, around.progress)

    def sample(self, folder: Path) -> SourceDefinition:
        """The multi-file example shipped with the project."""
        return SourceDefinition(0, 0, 0, self.kind, source_path=str(examples_dir() / "inventories" / "shop"))


PROVIDER = FileProvider()

"""Kind `scm`: an Ansible inventory out of a project, which is a git repository or a folder of the worker (AWX's scm).

collector  the inventory within the project   git, git_http, git_ssh, bridge  a commit fetched through the doors
references  which commit is meant             pack_guard, tree, checkout  its files: looked through, stored, laid out
urls, listing  what projects may name, what they offer
"""

from pathlib import Path

from craton_inv.errors import InvalidField
from craton_inv.providers.ansible_inventory.command import check_limit
from craton_inv.providers.ansible_inventory.environment import variables_for_environment
from craton_inv.providers.ansible_json import AnsibleJsonParser
from craton_inv.providers.base import Provider, SourceDefinition, Surroundings
from craton_inv.providers.host_values import rules_of
from craton_inv.providers.inventory_persister import InventoryPersister
from craton_inv.providers.scm.checkout import path_fault
from craton_inv.providers.scm.collector import ScmCollector
from craton_inv.providers.scm.references import check_reference
from craton_inv.refresh.refresher import Refresher
from craton_inv.refresh.target import Targets
from craton_inv.settings import Settings


class ScmProvider(Provider):
    """Needs a project; `source_path` lies in it, "" is all of it. Keys of `source_vars` are variables of the run."""

    kind = "scm"
    trusted = True

    def check(self, definition: SourceDefinition, settings: Settings) -> None:
        """The project is there, the path stays in it, and `source_vars` fit an environment."""
        if definition.source_project_id is None:
            raise InvalidField("source_project", "Project required for scm type sources.")
        if ".." in Path(definition.source_path).parts or "\x00" in definition.source_path:
            raise InvalidField("source_path", f"{definition.source_path[:80]!r} leads out of the project.")
        if fault := path_fault(definition.source_path):
            raise InvalidField("source_path", f"{definition.source_path[:80]!r} {fault}.")
        check_reference(definition.scm_branch)
        check_limit(definition.limit)
        variables_for_environment(definition.source_vars)

    def refresher(self, definition: SourceDefinition, targets: Targets, around: Surroundings) -> Refresher:
        """Collector, shared parser, standard persister."""
        self.check(definition, around.settings)
        collector = ScmCollector(definition, targets, around)
        persister = InventoryPersister(definition.inventory_id, definition.host_filter)
        parser = AnsibleJsonParser(lambda: collector.document, persister, rules_of(definition), around.say)
        return Refresher(collector, parser, persister, around.progress)

    def sample(self, folder: Path) -> SourceDefinition:
        """The examples shipped with the project, taken for the files of a project."""
        return SourceDefinition(0, 0, 0, self.kind, source_path="inventories/shop", source_project_id=1)


PROVIDER = ScmProvider()

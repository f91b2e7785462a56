"""Kind `constructed`: Ansible's `constructed` plugin over other inventories of the service. Source: AWX.

inputs  how the inventories are laid out for Ansible, and what its plugin is to make of them
"""

from pathlib import Path

from craton_inv.ansible.variables_text import parse_variables
from craton_inv.providers.ansible_inventory.command import check_limit
from craton_inv.providers.ansible_json import AnsibleJsonParser
from craton_inv.providers.base import Provider, SourceDefinition, Surroundings
from craton_inv.providers.constructed.inputs import ConstructedCollector
from craton_inv.providers.host_values import HostRules, rules_of
from craton_inv.providers.inventory_persister import InventoryPersister
from craton_inv.providers.inventory_variables import replace_inventory_variables
from craton_inv.refresh.refresher import Refresher
from craton_inv.refresh.target import Targets
from craton_inv.settings import Settings

# A host of it is known by the id of the host that it comes from; what AWX tells about that one is none of its own.
RULES = HostRules(
    instance_id="remote_tower_id",
    left_out=("remote_tower_enabled", "remote_tower_id", "remote_host_enabled", "remote_host_id"),
)


class ConstructedProvider(Provider):
    """Made by the service, one for each constructed inventory; nobody makes such a source by hand."""

    kind = "constructed"
    trusted = True  # values of inputs that are not trusted come marked as such, and stay so
    derived = True

    def check(self, definition: SourceDefinition, settings: Settings) -> None:
        """`source_vars` are what the plugin takes; whether its expressions are right, only a run can tell."""
        check_limit(definition.limit)
        parse_variables(definition.source_vars, "source_vars")

    def refresher(self, definition: SourceDefinition, targets: Targets, around: Surroundings) -> Refresher:
        """Collector, shared parser, standard persister; the inventory's variables are the inputs' and nothing else."""
        self.check(definition, around.settings)
        collector = ConstructedCollector(definition, targets, around)
        persister = InventoryPersister(definition.inventory_id, definition.host_filter)
        persister.add_collection("inventory", custom_save_block=replace_inventory_variables)
        parser = AnsibleJsonParser(lambda: collector.document, persister, rules_of(definition, RULES), around.say)
        return Refresher(collector, parser, persister, around.progress)

    def sample(self, folder: Path) -> SourceDefinition:
        """Groups by a variable of the inputs, which the surroundings give."""
        return SourceDefinition(
            0, 0, 0, self.kind, source_vars="keyed_groups:\n  - key: role\n    prefix: role\n", verbosity=0
        )


PROVIDER = ConstructedProvider()

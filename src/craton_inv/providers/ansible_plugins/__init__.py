"""Kinds that are Ansible inventory plugins: `gce`, `azure_rm`, `vmware` and others, and `ansible` for any plugin.

kinds  which plugin a kind is   collector  its configuration and its run   stand_in  a plugin for samples
"""

import json
from pathlib import Path

from craton_inv.ansible.variables_text import parse_variables
from craton_inv.providers.ansible_inventory.command import check_limit
from craton_inv.providers.ansible_json import AnsibleJsonParser
from craton_inv.providers.ansible_plugins.collector import PluginCollector, named_plugin
from craton_inv.providers.ansible_plugins.kinds import KINDS, PluginKind
from craton_inv.providers.ansible_plugins.stand_in import install
from craton_inv.providers.base import Provider, SourceDefinition, Surroundings
from craton_inv.providers.host_values import HostRules, rules_of
from craton_inv.providers.inventory_persister import InventoryPersister
from craton_inv.refresh.refresher import Refresher
from craton_inv.refresh.target import Targets
from craton_inv.settings import Settings

SAMPLE = {
    "hosts": {"vm-1": {"id": "i-1", "size": "small"}, "vm-2": {"id": "i-2"}},
    "groups_of_hosts": {"small": ["vm-1"]},
}


class PluginProvider(Provider):
    """One kind for one plugin; `source_vars` are its configuration, in which `plugin` may be left out."""

    def __init__(self, made: PluginKind) -> None:
        self.kind = made.kind  # type: ignore[misc]
        self.made = made

    def plugin(self, definition: SourceDefinition) -> str:
        """The full name of the plugin. Raises InvalidField."""
        return self.made.plugin

    def rules(self) -> HostRules:
        """How hosts are read when the source does not say."""
        return self.made.rules

    def check(self, definition: SourceDefinition, settings: Settings) -> None:
        """`source_vars` are a mapping; whether the plugin takes them, only a run can tell."""
        check_limit(definition.limit)
        parse_variables(definition.source_vars, "source_vars")
        self.plugin(definition)

    def refresher(self, definition: SourceDefinition, targets: Targets, around: Surroundings) -> Refresher:
        """Collector, shared parser, standard persister."""
        self.check(definition, around.settings)
        collector = PluginCollector(definition, targets, around, self.plugin(definition))
        persister = InventoryPersister(definition.inventory_id, definition.host_filter)
        rules = rules_of(definition, self.rules())
        parser = AnsibleJsonParser(lambda: collector.document, persister, rules, around.say)
        return Refresher(collector, parser, persister, around.progress)

    def sample(self, folder: Path) -> SourceDefinition:
        """Two machines told by a stand-in, found when `folder` is in the settings' `ansible_collections_path`."""
        install(self.made.plugin, folder)
        return SourceDefinition(0, 0, 0, self.kind, source_vars=json.dumps(SAMPLE), verbosity=0)


class AnyPluginProvider(PluginProvider):
    """Kind `ansible`: the plugin that `source_vars` name. A source says itself what enables a host."""

    def plugin(self, definition: SourceDefinition) -> str:
        """As `source_vars` say."""
        return named_plugin(definition.source_vars)

    def sample(self, folder: Path) -> SourceDefinition:
        """Two hosts that Ansible's own generator makes."""
        layers = {"name": ["web", "db"]}
        hosts = {"name": "{{ name }}-1", "parents": [{"name": "{{ name }}"}]}
        options = {"plugin": "ansible.builtin.generator", "layers": layers, "hosts": hosts}
        return SourceDefinition(0, 0, 0, self.kind, source_vars=json.dumps(options), verbosity=0)


PROVIDERS = (
    *(PluginProvider(made) for made in KINDS),
    AnyPluginProvider(PluginKind("ansible", "", HostRules(empty_groups=False))),
)

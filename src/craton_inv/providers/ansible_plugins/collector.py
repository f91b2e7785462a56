"""The collector of plugin kinds: `source_vars` are the plugin's configuration, and nothing else is read."""

import asyncio
import json
import re
from pathlib import Path

from craton_inv.ansible.variables_text import parse_variables
from craton_inv.errors import InvalidField
from craton_inv.providers.ansible_inventory.collector import AnsibleCollector, Inputs
from craton_inv.providers.ansible_inventory.document import failure_text
from craton_inv.providers.ansible_inventory.sandbox import Finished
from craton_inv.providers.ansible_plugins.kinds import collection_of
from craton_inv.providers.base import SourceDefinition, Surroundings
from craton_inv.refresh.target import Targets

_FULL_NAME = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*){2,}\Z")


class PluginCollector(AnsibleCollector):
    """Runs `plugin` on a file of the name that plugins look for: `gcp_compute.yml` for google.cloud.gcp_compute."""

    def __init__(self, definition: SourceDefinition, targets: Targets, around: Surroundings, plugin: str) -> None:
        super().__init__(definition, targets, around)
        self.plugin = plugin

    async def find(self, private: Path) -> Inputs:
        """The plugin's file."""
        path = private / f"{self.plugin.rpartition('.')[2]}.yml"
        options = parse_variables(self.definition.source_vars, "source_vars")
        for number, credential in enumerate(self.definition.credentials):
            if credential.kind == "terraform" and credential.get("configuration"):
                # The plugin reads no variable for it, so AWX names the file as well.
                options["backend_config_files"] = str(private / f"credential_{number}" / "terraform_backend")
        await asyncio.to_thread(path.write_text, json.dumps({**options, "plugin": self.plugin}))
        return Inputs(inventories=(path,), plugins=("auto",))

    def explain(self, ended: Finished) -> str:
        """Ansible's own words, but for a plugin that is not there."""
        if any(f"unknown plugin '{self.plugin}'" in line for line in ended.lines):
            collection = collection_of(self.plugin)
            return (
                f"The Ansible collection {collection} is not installed on this worker: its inventory plugin "
                f"{self.plugin} was not found. Install it with `ansible-galaxy collection install {collection} -p "
                "FOLDER`, name FOLDER in CRATON_INV_ANSIBLE_COLLECTIONS_PATH, and see that the Python packages that "
                "it needs are beside ansible-core."
            )
        return failure_text(ended)


def named_plugin(source_vars: str) -> str:
    """The plugin that `source_vars` name. Raises InvalidField unless it is a full name."""
    plugin = parse_variables(source_vars, "source_vars").get("plugin")
    if not isinstance(plugin, str) or not _FULL_NAME.match(plugin):
        raise InvalidField(
            "source_vars", "plugin: the full name of an inventory plugin is needed, amazon.aws.aws_ec2 for instance."
        )
    return plugin

"""A stand-in for the plugin of a collection, for samples: it takes the same name and tells what its file says."""

from pathlib import Path

_PLUGIN = '''
DOCUMENTATION = """
name: {name}
short_description: hosts and groups as its file names them
description: Stands in for the plugin of this name where no cloud is at hand.
options:
  plugin:
    description: The name of this plugin.
    required: true
  hosts:
    description: Names of hosts with their variables.
    type: dict
    default: {{}}
  groups_of_hosts:
    description: Names of groups with the names of their hosts.
    type: dict
    default: {{}}
"""
from ansible.plugins.inventory import BaseInventoryPlugin


class InventoryModule(BaseInventoryPlugin):
    NAME = "{plugin}"

    def verify_file(self, path):
        return super().verify_file(path) and path.endswith("{name}.yml")

    def parse(self, inventory, loader, path, cache=True):
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        for host, variables in self.get_option("hosts").items():
            inventory.add_host(host)
            for name, value in variables.items():
                inventory.set_variable(host, name, value)
        for group, hosts in self.get_option("groups_of_hosts").items():
            inventory.add_group(group)
            for host in hosts:
                inventory.add_child(group, host)
'''


def install(plugin: str, folder: Path) -> None:
    """Write a collection with a plugin of this full name below `folder`, for `ansible_collections_path`."""
    namespace, collection, name = plugin.split(".")
    place = folder / "ansible_collections" / namespace / collection / "plugins" / "inventory"
    place.mkdir(parents=True)
    (place / f"{name}.py").write_text(_PLUGIN.format(name=name, plugin=plugin))

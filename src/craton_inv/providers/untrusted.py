"""Values of sources that are not trusted: templates in them are never run, and they do not say how to connect.

What a cloud, another service or a machine tells may be written by people who may not write inventories here. Ansible
would run a template in a variable on the machine that it works from, and so it would a program that a variable names.
"""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from craton_inv.ansible.variables import as_unsafe, holds_template
from craton_inv.refresh.inventory_object import InventoryObject
from craton_inv.refresh.parser import Parser

VARIABLES = "variables"
# Variables by which Ansible chooses or calls programs on its own machine, or loads code there. Where a machine is and
# who logs in (ansible_host, ansible_port, ansible_user and the like) is no such thing.
CONNECTION = re.compile(
    r"ansible_(connection|shell_type|remote_tmp|local_tmp|async_dir|ssh_pkcs11_provider|ssh_control_path\w*"
    r"|\w*(interpreter\w*|_args|_executable|_exe|_flags|_command|_method|_plugin|_proxy))\Z"
)
SHOWN = 10  # names that are told


class UntrustedParser(Parser):
    """Another parser's objects with the texts in their `variables` marked where they hold templates.

    `connections`: variables of CONNECTION are kept; else they are left out, and told at the end.
    """

    def __init__(self, parser: Parser, connections: bool, say: Callable[[str], None]) -> None:
        self.parser = parser
        self.connections = connections
        self.say = say
        self._left_out: dict[str, int] = {}

    async def parse(self) -> AsyncIterator[InventoryObject]:
        """The objects in their order."""
        async for item in self.parser.parse():
            variables = item.values.get(VARIABLES)
            if isinstance(variables, Mapping):
                item.values[VARIABLES] = self._guarded(variables)
            yield item
        if self._left_out:
            names = sorted(self._left_out)
            more = f" and {len(names) - SHOWN} others" if len(names) > SHOWN else ""
            self.say(
                f"{sum(self._left_out.values())} variables were left out, for the source is not trusted to say how "
                f"Ansible connects (trusted_connection_vars): {', '.join(names[:SHOWN])}{more}."
            )

    def _guarded(self, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        if not self.connections:
            ways = [name for name in variables if name.startswith("ansible_") and CONNECTION.match(name)]
            for name in ways:
                self._left_out[name] = self._left_out.get(name, 0) + 1
            if ways:
                variables = {name: value for name, value in variables.items() if name not in ways}
        return as_unsafe(variables) if holds_template(variables) else variables

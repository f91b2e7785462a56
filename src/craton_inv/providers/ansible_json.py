"""The document of `ansible-inventory --list` as inventory objects; shared by every kind that goes through Ansible.

`all` and `ungrouped` are Ansible's roots and no groups of ours: the variables of `all` are the inventory's.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from craton_inv.errors import UpdateFailed
from craton_inv.providers.base import no_output
from craton_inv.providers.host_values import enabled_of
from craton_inv.providers.inventory_persister import IMPORTED, InventoryPersister
from craton_inv.providers.names import group_name, host_name_and_port
from craton_inv.refresh.inventory_object import InventoryObject
from craton_inv.refresh.parser import Parser

ROOTS = frozenset({"all", "ungrouped"})
DESCRIPTION = "_awx_description"
PORT = "ansible_port"


@dataclass(frozen=True)
class HostRules:
    """What a source says about reading hosts (AWX's enabled_var and enabled_value)."""

    enabled_var: str = ""
    enabled_value: str = ""


class AnsibleJsonParser(Parser):
    """Reads one document. `document` is a function because the collector has it only once it has collected."""

    def __init__(
        self,
        document: Callable[[], Mapping[str, Any]],
        persister: InventoryPersister,
        rules: HostRules,
        say: Callable[[str], None] = no_output,
    ) -> None:
        self.document = document
        self.persister = persister
        self.rules = rules
        self.say = say
        self._group_names: dict[str, str] = {}
        self._host_names: dict[str, tuple[str, int | None]] = {}

    async def parse(self) -> AsyncIterator[InventoryObject]:
        """The inventory's variables, groups, hosts, nesting and memberships. Raises UpdateFailed for a wrong shape."""
        document = self.document()
        hostvars = _mapping(_mapping(document.get("_meta", {}), "_meta").get("hostvars", {}), "_meta.hostvars")
        groups = {name: _mapping(group, name) for name, group in document.items() if name != "_meta"}
        variables = _mapping(groups.get("all", {}).get("vars", {}), "all.vars")
        yield self.persister.inventory.build(id=self.persister.inventory_id, variables=variables)
        for part in (self._groups(groups), self._hosts(groups, hostvars), self._links(groups)):
            for item in part:
                yield item

    def _groups(self, groups: Mapping[str, Mapping[str, Any]]) -> Iterator[InventoryObject]:
        names = dict.fromkeys(groups)
        for name, group in groups.items():
            names.update(dict.fromkeys(_names(group, name, "children")))
        for name in names:
            if name not in ROOTS:
                variables = dict(_mapping(groups.get(name, {}).get("vars", {}), f"{name}.vars"))
                description = _description(variables)
                yield self.persister.groups.build(name=self._group(name), variables=variables, description=description)

    def _hosts(self, groups: Mapping[str, Mapping[str, Any]], hostvars: Mapping[str, Any]) -> Iterator[InventoryObject]:
        names = dict.fromkeys(hostvars)
        for name, group in groups.items():
            names.update(dict.fromkeys(_names(group, name, "hosts")))
        for written in names:
            variables = dict(_mapping(hostvars.get(written, {}), f"_meta.hostvars.{written}"))
            name, port = self._host(written)
            if port is not None:
                variables.setdefault(PORT, port)
            description = _description(variables)
            enabled = enabled_of(variables, self.rules.enabled_var, self.rules.enabled_value)
            sent = {} if enabled is None else {"enabled": enabled}
            yield self.persister.hosts.build(name=name, variables=variables, description=description, **sent)

    def _links(self, groups: Mapping[str, Mapping[str, Any]]) -> Iterator[InventoryObject]:
        persister = self.persister
        find_group, find_host = persister.groups.lazy_find, persister.hosts.lazy_find
        for written, group in groups.items():
            if written in ROOTS:
                continue
            name = self._group(written)
            parent = find_group(name)
            for child in _names(group, written, "children"):
                if child not in ROOTS and self._group(child) != name:
                    yield persister.group_edges.build(parent_id=parent, child_id=find_group(self._group(child)))
            for host in _names(group, written, "hosts"):
                yield persister.memberships.build(group_id=parent, host_id=find_host(self._host(host)[0]))

    def _group(self, written: str) -> str:
        name = self._group_names.get(written)
        if name is None:
            name = self._group_names[written] = group_name(written)
            if name != written:
                self.say(f"Group {written!r} is stored as {name!r}: its name could be taken for a path.")
        return name

    def _host(self, written: str) -> tuple[str, int | None]:
        found = self._host_names.get(written)
        if found is None:
            found = self._host_names[written] = host_name_and_port(written)
        return found


def _description(variables: dict[str, Any]) -> str:
    """Takes the description out of the variables, as AWX does."""
    value = variables.pop(DESCRIPTION, None)
    return IMPORTED if value is None else str(value)


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UpdateFailed(f"The inventory document holds a {type(value).__name__} at {where}; a mapping is needed.")
    return value


def _names(group: Mapping[str, Any], name: str, key: str) -> list[str]:
    value = group.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UpdateFailed(f"The inventory document holds something other than a list of names at {name}.{key}.")
    return value

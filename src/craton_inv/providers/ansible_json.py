"""The document of `ansible-inventory --list` as inventory objects; shared by every kind that goes through Ansible.

`all` and `ungrouped` are Ansible's roots and no groups of ours: the variables of `all` are the inventory's.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

from craton_inv.ansible.variables import without_needless_marks
from craton_inv.errors import UpdateFailed
from craton_inv.providers.base import no_output
from craton_inv.providers.host_values import HostRules as HostRules
from craton_inv.providers.host_values import enabled_of, instance_id_of
from craton_inv.providers.inventory_persister import IMPORTED, InventoryPersister
from craton_inv.providers.names import group_name, host_name_and_port
from craton_inv.refresh.inventory_object import InventoryObject
from craton_inv.refresh.parser import Parser

ROOTS = frozenset({"all", "ungrouped"})
DESCRIPTION = "_awx_description"
PORT = "ansible_port"


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
        variables = without_needless_marks(_mapping(groups.get("all", {}).get("vars", {}), "all.vars"))
        yield self.persister.inventory.build(id=self.persister.inventory_id, variables=variables)
        for part in (self._groups(groups), self._hosts(groups, hostvars), self._links(groups)):
            for item in part:
                yield item

    def _groups(self, groups: Mapping[str, Mapping[str, Any]]) -> Iterator[InventoryObject]:
        names = dict.fromkeys(groups)
        for name, group in groups.items():
            names.update(dict.fromkeys(_names(group, name, "children")))
        empty = self._empty(groups)
        for name in names:
            if name not in ROOTS and name not in empty:
                variables = without_needless_marks(_mapping(groups.get(name, {}).get("vars", {}), f"{name}.vars"))
                description = _description(variables)
                yield self.persister.groups.build(name=self._group(name), variables=variables, description=description)

    def _hosts(self, groups: Mapping[str, Mapping[str, Any]], hostvars: Mapping[str, Any]) -> Iterator[InventoryObject]:
        names = dict.fromkeys(hostvars)
        for name, group in groups.items():
            names.update(dict.fromkeys(_names(group, name, "hosts")))
        for written in names:
            variables = without_needless_marks(_mapping(hostvars.get(written, {}), f"_meta.hostvars.{written}"))
            name, port = self._host(written)
            if port is not None:
                variables.setdefault(PORT, port)
            description = _description(variables)
            sent: dict[str, Any] = {}
            enabled = enabled_of(variables, self.rules.enabled_var, self.rules.enabled_value)
            if enabled is not None:
                sent["enabled"] = enabled
            if self.rules.instance_id:
                sent["instance_id"] = instance_id_of(variables, self.rules.instance_id)
            for key in self.rules.left_out:
                variables.pop(key, None)
            yield self.persister.hosts.build(name=name, variables=variables, description=description, **sent)

    def _links(self, groups: Mapping[str, Mapping[str, Any]]) -> Iterator[InventoryObject]:
        persister = self.persister
        find_group, find_host = persister.groups.lazy_find, persister.hosts.lazy_find
        empty = self._empty(groups)
        for written, group in groups.items():
            if written in ROOTS or written in empty:
                continue
            name = self._group(written)
            parent = find_group(name)
            for child in _names(group, written, "children"):
                if child not in ROOTS and child not in empty and self._group(child) != name:
                    yield persister.group_edges.build(parent_id=parent, child_id=find_group(self._group(child)))
            for host in _names(group, written, "hosts"):
                yield persister.memberships.build(group_id=parent, host_id=find_host(self._host(host)[0]))

    def _empty(self, groups: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
        """Groups that have no hosts and no variables, and no such thing below them."""
        if self.rules.empty_groups:
            return frozenset()
        parents: dict[str, list[str]] = {}
        full: list[str] = []
        for name, group in groups.items():
            for child in _names(group, name, "children"):
                parents.setdefault(child, []).append(name)
            if _names(group, name, "hosts") or group.get("vars"):
                full.append(name)
        filled = set(full)
        while full:
            above = [parent for parent in parents.get(full.pop(), ()) if parent not in filled]
            filled.update(above)
            full.extend(above)
        return frozenset(groups.keys() | parents.keys()) - filled

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

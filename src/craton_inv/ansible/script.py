"""The document of Ansible's inventory script protocol, rendered from a view. Pure. Source: AWX `get_script_data`.

{"all": {"vars", "hosts": [those in no group], "children": [every group, flat]},
 "<group>": {"hosts", "vars", "children"}, "_meta": {"hostvars": {"<host>": {...}}}}

A group stands at the top only if it has hosts, children or variables, each key only if it is not empty: Ansible takes
a group of `{}` for a host of that name.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from craton_inv.ansible.json_text import JsonText
from craton_inv.ansible.slices import Slice
from craton_inv.ansible.variables import host_variables
from craton_inv.ansible.view import GroupRow, HostRow, InventoryView

ROOT = "all"
# Part of every ETag: moves when the same rows give another document.
VERSION = 1


def render(
    view: InventoryView, *, hostvars: bool = False, towervars: bool = False, part: Slice | None = None
) -> dict[str, Any]:
    """The document. Everything in it is sorted by name.

    `hostvars` adds `_meta`, with a key for every host, also one without variables; `towervars` adds AWX's four
    variables about each host to it; `part` leaves only that slice of the hosts.
    """
    hosts = hosts_by_name(view, part)
    groups = sorted(view.groups, key=_name)
    position = {host.id: index for index, host in enumerate(hosts)}
    grouped: set[int] = set()
    entries = {}
    group_names = {group.id: group.name for group in groups}
    for group in groups:
        members = sorted(position[host] for host in view.members.get(group.id, ()) if host in position)
        grouped.update(members)
        entry = _entry(group, [hosts[index].name for index in members], _children(view, group, group_names))
        if entry:
            entries[group.name] = entry
    root: dict[str, Any] = {"vars": dict(view.variables)} if view.variables else {}
    root["hosts"] = [host.name for index, host in enumerate(hosts) if index not in grouped]
    if groups:
        # A stored group called "all" would be a child of itself.
        root["children"] = [group.name for group in groups if group.name != ROOT]
    document = {ROOT: root, **entries}
    if hostvars:
        document["_meta"] = {"hostvars": {host.name: host_document(host, towervars=towervars) for host in hosts}}
    return document


def hosts_by_name(view: InventoryView, part: Slice | None = None) -> Sequence[HostRow]:
    """The hosts by name, or that slice of them."""
    hosts: Sequence[HostRow] = sorted(view.hosts, key=_name)
    return hosts if part is None else part.of(hosts)


def host_document(host: HostRow, *, towervars: bool = False) -> JsonText:
    """The variables of one host, as `--host NAME` gives them."""
    return host_variables(host, tower_variables(host) if towervars else None)


def tower_variables(host: HostRow) -> dict[str, Any]:
    """What AWX tells of a host: its id, and whether it is enabled as text, under two names each."""
    enabled = "true" if host.enabled else "false"
    return {
        "remote_tower_enabled": enabled,
        "remote_tower_id": host.id,
        "remote_host_enabled": enabled,
        "remote_host_id": host.id,
    }


def _entry(group: GroupRow, hosts: Sequence[str], children: Sequence[str]) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    if hosts:
        entry["hosts"] = hosts
    if children:
        entry["children"] = children
    if group.variables != "{}":
        entry["vars"] = JsonText(group.variables)
    return entry


def _children(view: InventoryView, group: GroupRow, names: Mapping[int, str]) -> list[str]:
    return sorted(names[child] for child in view.children.get(group.id, ()) if child in names)


def _name(row: HostRow | GroupRow) -> str:
    return row.name

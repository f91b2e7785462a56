"""Hosts of several inventories in one document: what each inventory says of all its hosts goes to the right ones. Pure.

Variables that all inventories agree on are those of `all`. Any other is given to the hosts of its inventory one by one,
as their own, unless something that wins over it sets it too: one of the host's groups, its columns or the host itself.
So each host has the variables that it has in its own inventory, but for groups that two inventories call the same.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from craton_inv.ansible.json_text import JsonText, dumps
from craton_inv.ansible.variables import column_variables, is_variable_name
from craton_inv.ansible.view import HostRow, InventoryView


class Owner(NamedTuple):
    """An inventory: its variables over those of its tenant and region, and the ids of hosts that belong to it."""

    variables: Mapping[str, Any]
    hosts: Iterable[int]


def spread(view: InventoryView, owners: Iterable[Owner]) -> InventoryView:
    """The view with the variables of its owners. Its own `variables` are replaced."""
    owners = list(owners)
    shared = _shared([owner.variables for owner in owners])
    above = _keys_above(view)
    rest: dict[int, Mapping[str, Any]] = {}
    for owner in owners:
        left = {key: value for key, value in owner.variables.items() if key not in shared}
        rest.update(dict.fromkeys(owner.hosts, left) if left else {})
    hosts = [_given(host, rest[host.id], above[host.id]) if host.id in rest else host for host in view.hosts]
    return replace(view, variables=shared, hosts=hosts)


def _shared(layers: list[Mapping[str, Any]]) -> dict[str, Any]:
    """What all say alike. Compared as JSON, where 1 is not true."""
    if not layers:
        return {}
    first, *others = layers
    texts = {key: dumps(value) for key, value in first.items()}
    return {
        key: value
        for key, value in first.items()
        if all(key in other and dumps(other[key]) == texts[key] for other in others)
    }


def _keys_above(view: InventoryView) -> Mapping[int, set[str]]:
    """Host id → the variables that its groups set, directly or through groups above them."""
    parents: dict[int, list[int]] = defaultdict(list)
    for parent, children in view.children.items():
        for child in children:
            parents[child].append(parent)
    own = {group.id: set(JsonText(group.variables).parsed()) for group in view.groups}
    keys: dict[int, set[str]] = defaultdict(set)
    for group, hosts in view.members.items():
        reached, waiting = {group}, [group]
        while waiting:
            found = set(parents[waiting.pop()]) - reached
            reached |= found
            waiting.extend(found)
        set_here: set[str] = set().union(*(own.get(each, set()) for each in reached))
        for host in hosts:
            keys[host] |= set_here
    return keys


def _given(host: HostRow, variables: Mapping[str, Any], above: set[str]) -> HostRow:
    own = JsonText(host.variables).parsed()
    taken = {*above, *own, *column_variables(host)}
    given = {key: value for key, value in variables.items() if key not in taken}
    if not given:
        return host
    plain = host.plain and all(map(is_variable_name, given))
    stored = host.variables[1:-1]  # goes out as it is, digit by digit
    return host._replace(variables="{" + dumps(given)[1:-1] + (", " if stored else "") + stored + "}", plain=plain)

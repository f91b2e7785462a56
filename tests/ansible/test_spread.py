"""Hosts of several inventories in one document keep the variables that they have in their own."""

import json
from typing import Any

from craton_inv.ansible.spread import Owner, spread
from craton_inv.ansible.view import GroupRow, HostRow, InventoryView


def host(host_id: int, variables: str = "{}", *, address: str | None = None, plain: bool = True) -> HostRow:
    """An enabled host called `h<id>`."""
    return HostRow(host_id, f"h{host_id}", True, variables, plain, address)


def of(view: InventoryView) -> dict[str, Any]:
    """Each host's variables."""
    return {row.name: json.loads(row.variables) for row in view.hosts}


def test_one_inventory_keeps_its_variables_for_all() -> None:
    view = InventoryView({}, [host(1, '{"x": 1}'), host(2)])
    made = spread(view, [Owner({"a": 1, "b": [2]}, [1, 2])])
    assert made.variables == {"a": 1, "b": [2]}
    assert made.hosts == view.hosts


def test_what_inventories_agree_on_is_for_all_and_the_rest_for_their_hosts() -> None:
    view = InventoryView({"old": 1}, [host(1, '{"x": 1.50}'), host(2)])
    made = spread(view, [Owner({"a": 1, "b": 1, "only": "one"}, [1]), Owner({"a": 1, "b": True}, [2])])
    assert made.variables == {"a": 1}
    assert [row.variables for row in made.hosts] == ['{"b": 1, "only": "one", "x": 1.50}', '{"b": true}']


def test_what_wins_over_an_inventory_still_does() -> None:
    groups = [GroupRow(1, "top", '{"t": "group"}'), GroupRow(2, "low", '{"l": "group"}'), GroupRow(3, "other", "{}")]
    view = InventoryView(
        {},
        [host(1, '{"own": "host"}', address="192.0.2.1"), host(2)],
        groups,
        members={2: [1], 3: [2]},
        children={1: [2]},
    )
    inventory = {"t": "inv", "l": "inv", "own": "inv", "ansible_host": "inv", "free": "inv"}
    made = spread(view, [Owner(inventory, [1]), Owner({"t": "second"}, [2])])
    assert of(made) == {"h1": {"free": "inv", "own": "host"}, "h2": {"t": "second"}}


def test_a_name_that_ansible_does_not_take_marks_its_host() -> None:
    view = InventoryView({}, [host(1), host(2)])
    made = spread(view, [Owner({"asset.serial": 1}, [1]), Owner({}, [2])])
    assert [row.plain for row in made.hosts] == [False, True]


def test_no_host_has_no_owner() -> None:
    assert spread(InventoryView({}, []), []) == InventoryView({}, [])

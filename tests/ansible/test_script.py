"""The inventory script document: what is in it, where, and in what order. Golden files under golden/."""

import json
from pathlib import Path
from typing import Any

import pytest

from craton_inv.ansible.json_text import encode, plain
from craton_inv.ansible.script import host_document, render
from craton_inv.ansible.slices import Slice
from craton_inv.ansible.view import GroupRow, HostRow, InventoryView

GOLDEN = Path(__file__).with_name("golden")


def host(number: int, name: str, variables: str = "{}", **values: Any) -> HostRow:
    """A plain, enabled host."""
    return HostRow(
        number, name, **{"enabled": True, "variables": variables, "plain": True, "ip_address": None, **values}
    )


WORLD = InventoryView(
    variables={"a": 1},
    hosts=[
        host(3, "lonely"),
        host(2, "h2", '{"motd": "Grüße \\"alle\\""}', enabled=False),
        host(1, "h1", '{"env": "prod", "ports": [80, 443]}', ip_address="192.0.2.1"),
        host(4, "h4", '{"asset.serial": "X1", "size": 1.50}', plain=False),
    ],
    groups=[
        GroupRow(11, "web", '{"x": 1}'),
        GroupRow(12, "empty", "{}"),
        GroupRow(13, "parent", "{}"),
        GroupRow(14, "only_vars", '{"y": true}'),
    ],
    members={11: [2, 1, 99], 13: []},
    children={13: [14, 11, 98]},
)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("plain", {}),
        ("hostvars", {"hostvars": True}),
        ("towervars", {"hostvars": True, "towervars": True}),
        ("slice", {"hostvars": True, "part": Slice(2, 3)}),
    ],
)
def test_the_document_is_the_golden_one(name: str, options: dict[str, Any]) -> None:
    assert json.loads(encode(render(WORLD, **options))) == json.loads((GOLDEN / f"{name}.json").read_text())


def test_every_list_and_level_is_sorted_by_name() -> None:
    document = json.loads(encode(render(WORLD, hostvars=True)))
    assert list(document) == ["all", "only_vars", "parent", "web", "_meta"]
    assert list(document["_meta"]["hostvars"]) == ["h1", "h2", "h4", "lonely"]


def test_towervars_alone_add_nothing() -> None:
    assert render(WORLD, towervars=True) == render(WORLD)


def test_an_empty_group_stands_only_among_the_children_of_all() -> None:
    document = render(WORLD)
    assert "empty" in document["all"]["children"]
    assert "empty" not in document


def test_no_group_is_an_empty_object_which_ansible_takes_for_a_host() -> None:
    assert all(entry for entry in render(WORLD, hostvars=True).values())


def test_an_inventory_of_nothing_still_has_all() -> None:
    assert render(InventoryView({}, []), hostvars=True) == {"all": {"hosts": []}, "_meta": {"hostvars": {}}}


def test_a_smart_inventory_has_no_groups_and_no_children() -> None:
    view = InventoryView({"a": 1}, [host(1, "b"), host(2, "a")])
    assert render(view) == {"all": {"vars": {"a": 1}, "hosts": ["a", "b"]}}


def test_a_host_outside_the_slice_leaves_its_group_empty() -> None:
    document = render(WORLD, part=Slice(3, 4))
    assert document["all"]["hosts"] == ["h4"]
    assert document["web"] == {"vars": document["web"]["vars"]}


def test_a_stored_group_named_all_takes_the_place_of_all() -> None:
    view = InventoryView({}, [host(1, "h")], [GroupRow(5, "all", '{"v": 1}'), GroupRow(6, "g", "{}")], {6: [1]})
    assert plain(render(view)) == {"all": {"vars": {"v": 1}}, "g": {"hosts": ["h"]}}


def test_a_stored_group_named_all_without_content_is_not_its_own_child() -> None:
    assert render(InventoryView({}, [], [GroupRow(5, "all", "{}")])) == {"all": {"hosts": [], "children": []}}


def test_the_text_that_is_stored_goes_out_untouched() -> None:
    stored = '{"big": 12345678901234567890123, "exact": 0.1000000000000000055511151231257827, "text": "Grüße"}'
    document = render(InventoryView({}, [host(1, "h", stored)]), hostvars=True)
    assert stored.encode() in encode(document)


def test_one_host_is_its_variables() -> None:
    assert host_document(WORLD.hosts[2]).parsed() == {"env": "prod", "ports": [80, 443], "ansible_host": "192.0.2.1"}

"""Groups of several inventories as one nesting: names, variables, links, and circles that only the merging makes."""

import itertools
import random

import pytest

from craton_inv.ansible.group_merge import merge_groups, without_circles
from craton_inv.ansible.view import GroupRow


def test_groups_of_one_name_are_one_with_the_hosts_of_all() -> None:
    groups = [GroupRow(1, "web", "{}"), GroupRow(2, "db", "{}"), GroupRow(7, "web", "{}")]
    merged = merge_groups(groups, {1: [10, 11], 2: [11], 7: [20]}, {})
    assert merged.groups == [GroupRow(1, "web", "{}"), GroupRow(2, "db", "{}")]
    assert merged.members == {1: [10, 11, 20], 2: [11]}


def test_of_a_variable_that_several_set_the_last_one_wins_whole() -> None:
    groups = [
        GroupRow(1, "web", '{"a": {"x": 1}, "b": 1}'),
        GroupRow(5, "web", '{"a": {"y": 2}}'),
        GroupRow(9, "web", '{"c": null}'),
    ]
    [merged] = merge_groups(groups, {}, {}).groups
    assert merged.variables == '{"a": {"y": 2}, "b": 1, "c": null}'


@pytest.mark.parametrize("texts", [('{"n": 1.50}', "{}"), ("{}", '{"n": 1.50}')])
def test_variables_that_one_alone_sets_go_out_as_they_are_stored(texts: tuple[str, str]) -> None:
    groups = [GroupRow(number, "web", text) for number, text in enumerate(texts, 1)]
    assert merge_groups(groups, {}, {}).groups[0].variables == '{"n": 1.50}'


def test_links_of_all_inventories_join_groups_by_name_once() -> None:
    groups = [GroupRow(1, "top", "{}"), GroupRow(2, "web", "{}"), GroupRow(5, "top", "{}"), GroupRow(6, "web", "{}")]
    assert merge_groups(groups, {}, {1: [2], 5: [6]}).children == {1: [2]}


def test_links_to_groups_that_are_not_shown_are_left_out() -> None:
    merged = merge_groups([GroupRow(1, "web", "{}")], {1: [10], 99: [11]}, {1: [98], 97: [1]})
    assert (merged.members, merged.children) == ({1: [10]}, {})


def test_a_circle_of_two_inventories_is_cut_where_it_closes() -> None:
    groups = [GroupRow(1, "a", "{}"), GroupRow(2, "b", "{}"), GroupRow(5, "b", "{}"), GroupRow(6, "a", "{}")]
    assert merge_groups(groups, {}, {1: [2], 5: [6]}).children == {1: [2]}


def test_links_without_a_circle_stay_whatever_their_order() -> None:
    diamond = {4: [2, 3], 2: [1], 3: [1], 9: [4, 1]}
    assert without_circles(diamond) == diamond


def test_a_long_chain_needs_no_deep_stack() -> None:
    chain = {number: [number + 1] for number in range(20_000)}
    assert without_circles(chain | {20_000: [0]}) == chain


@pytest.mark.parametrize("seed", range(20))
def test_no_circle_is_left_and_no_link_too_many_is_cut(seed: int) -> None:
    chance = random.Random(seed)
    nodes = range(8)
    links = {node: sorted({other for other in nodes if other != node and chance.random() < 0.25}) for node in nodes}
    kept = without_circles(links)
    assert not any(reaches(kept, child, parent) for parent, below in kept.items() for child in below)
    cut = [(parent, child) for parent in nodes for child in links[parent] if child not in kept.get(parent, ())]
    assert all(reaches(kept, child, parent) for parent, child in cut)


def reaches(links: dict[int, list[int]], start: int, end: int) -> bool:
    """Whether a walk along the links comes from one to the other."""
    seen = {start}
    for _ in itertools.repeat(None, len(links) + 1):
        seen |= {below for node in seen for below in links.get(node, ())}
    return end in seen

"""Groups of several inventories as one nesting: those of one name become one group. Pure.

This is what Ansible makes of several inventories given at once (`-i one -i two`): a name means one group, which has the
hosts and children of all, and of a variable that several set, the value of the last one.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from craton_inv.ansible.json_text import JsonText, dumps
from craton_inv.ansible.variables import merge
from craton_inv.ansible.view import GroupRow

EMPTY = "{}"


class Nesting(NamedTuple):
    """Groups, the ids of their direct hosts, and the ids of their direct sub-groups, as an InventoryView has them."""

    groups: list[GroupRow]
    members: dict[int, list[int]]
    children: dict[int, list[int]]


def merge_groups(
    groups: Iterable[GroupRow], members: Mapping[int, Collection[int]], children: Mapping[int, Collection[int]]
) -> Nesting:
    """One group for each name, with the id of the first of that name. `groups`: lowest precedence first.

    Two inventories may nest the same names the other way round: a link that would close a circle is left out, since
    Ansible refuses an inventory with one.
    """
    named: dict[str, list[GroupRow]] = defaultdict(list)
    for group in groups:
        named[group.name].append(group)
    kept = {group.id: alike[0].id for alike in named.values() for group in alike}
    hosts = ((kept[group], host) for group, found in members.items() if group in kept for host in found)
    nested = ((kept[above], below) for above, found in children.items() if above in kept for below in found)
    return Nesting(
        [_merged(alike) for alike in named.values()],
        _gathered(hosts),
        without_circles(_gathered((above, kept[below]) for above, below in nested if below in kept)),
    )


def without_circles(children: Mapping[int, Sequence[int]]) -> dict[int, list[int]]:
    """The links that a walk from the lowest id on, children in their order, follows without coming back to its path."""
    walked: dict[int, list[int]] = {}
    done: set[int] = set()
    for start in sorted(children):
        if start in done:
            continue
        walked[start] = []
        path = [(start, iter(children[start]))]
        while path:
            here, rest = path[-1]
            child = next(rest, None)
            if child is None:
                done.add(here)
                path.pop()
            elif child in done:
                walked[here].append(child)
            elif child not in walked:  # what is walked and not done lies on the path: it would close a circle
                walked[here].append(child)
                walked[child] = []
                path.append((child, iter(children.get(child, ()))))
    return {parent: below for parent, below in walked.items() if below}


def _merged(alike: Sequence[GroupRow]) -> GroupRow:
    first = alike[0]
    texts = [group.variables for group in alike if group.variables != EMPTY]
    if len(texts) < 2:  # text that needs no merging goes out as it is stored
        return GroupRow(first.id, first.name, texts[0] if texts else EMPTY)
    return GroupRow(first.id, first.name, dumps(merge(*(JsonText(text).parsed() for text in texts))))


def _gathered(links: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    for near, far in links:
        found[near].add(far)
    return {near: sorted(far) for near, far in found.items()}

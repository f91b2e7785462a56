"""InventoryView: what every rendering for Ansible starts from, as flat row sets.

Variables stay the JSON text that PostgreSQL gives: most of them are copied into the answer without being parsed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class HostRow(NamedTuple):
    """A host. `variables`: its own, JSON text of an object. `plain`: Ansible takes every key of them as a name.

    `ip_address`: text without a mask, or None.
    """

    id: int
    name: str
    enabled: bool
    variables: str
    plain: bool
    ip_address: str | None


class GroupRow(NamedTuple):
    """A group. `variables`: its own, JSON text of an object."""

    id: int
    name: str
    variables: str


@dataclass(frozen=True)
class InventoryView:
    """One inventory at one generation, in no particular order.

    `variables`: those of the inventory (and of what it stands in, lowest first merged). `members`: group id → ids of
    its direct hosts. `children`: group id → ids of its direct sub-groups. Both may name ids that have no row here:
    disabled hosts, or rows that a writer took away meanwhile. `generation` is None for a smart inventory, whose
    content is a search.
    """

    variables: Mapping[str, Any]
    hosts: Sequence[HostRow]
    groups: Sequence[GroupRow] = ()
    members: Mapping[int, Sequence[int]] = field(default_factory=dict)
    children: Mapping[int, Sequence[int]] = field(default_factory=dict)
    generation: int | None = None

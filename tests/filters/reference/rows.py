"""The rows that a filter is asked of."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address
from typing import TypeAlias

Cell: TypeAlias = str | int | bool | datetime | IPv4Address | IPv6Address | None
Json: TypeAlias = "dict[str, Json] | list[Json] | str | Decimal | bool | None"
Plain: TypeAlias = "dict[str, Plain] | list[Plain] | str | int | float | bool | None"


# The columns that hold ids.
LINKED = (
    *("id", "tenant_id", "inventory_id", "region_id", "parent_host_id", "flavor_id", "image_id"),
    *("inventory_source_id", "host_id", "network_id"),
)


@dataclass(eq=False)
class Row:
    """A row. `texts`: the raw text of documents that have one; an absent document is a row that has none."""

    kind: str
    cells: dict[str, Cell]
    links: dict[str, list["Row"]] = field(default_factory=dict)
    documents: dict[str, Plain] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def related(self, relation: str) -> list["Row"]:
        """The rows of a relation; `all_groups` are the groups and all that are above them, however they are nested."""
        if relation != "all_groups":
            return self.links.get(relation, [])
        found: list[Row] = []
        waiting = list(self.related("groups"))
        while waiting:
            group = waiting.pop()
            if group not in found:
                found.append(group)
                waiting.extend(group.related("parents"))
        return found

    def document(self, name: str) -> Json:
        """A document as JSON has it, with exact numbers; an empty object when the row has none."""
        written = json.dumps(self.documents.get(name, {}))
        parsed: Json = json.loads(written, parse_float=Decimal, parse_int=Decimal)
        return parsed


@dataclass
class World:
    """All rows by kind, and the time it is."""

    now: datetime
    rows: dict[str, list[Row]]

    def numbered(self) -> "World":
        """The same world with ids, as if it were stored."""
        for number, row in enumerate(row for rows in self.rows.values() for row in rows):
            row.cells |= dict.fromkeys(LINKED, number)
        return self

    @property
    def hosts(self) -> list[Row]:
        """The hosts."""
        return self.rows["host"]

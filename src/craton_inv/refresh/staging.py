"""Staging: rows of a collection spooled as COPY text while the parser runs, then one COPY into one temporary table.

The spool is a file beyond a few megabytes, so Python's memory does not grow with the inventory, no database
transaction is open while a slow provider answers, and the number of statements does not depend on the number of rows.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from craton_inv.errors import UpdateFailed
from craton_inv.refresh.inventory_collection import InventoryCollection
from craton_inv.refresh.inventory_object import InventoryObject
from craton_inv.refresh.link_site import LinkSite
from craton_inv.refresh.ownership import Layered
from craton_inv.refresh.row_text import NULL, Encoder, encoder_for, json_text, null_text, object_text
from craton_inv.refresh.sql import quote, type_name

SPOOL_MEMORY = 4 * 1024 * 1024  # bytes a spool may hold before it becomes a file
LINES = 64 * 1024  # characters of lines written at once
FEW = 1000  # rows of which repeated identities are noticed at once; more are searched for in SQL
SHAPES = 1000  # sets of columns whose layout is remembered

# A column that objects of one shape carry: its name, how its values are written, what stands for no value, None where
# that is refused.
Field = tuple[str, Encoder, str | None]


@dataclass(frozen=True)
class Masked:
    """Delivered objects that give way to another one of their identity, though the provider tells the two apart.

    Told by the collection's `reconnect_by`. `shown`: some of them, by their first reference column and that value.
    """

    total: int = 0
    shown: tuple[tuple[str, str], ...] = ()


class Stage:
    """The delivered objects of one collection on their way: `add` while parsing, then `loading.load_stages`.

    Besides the collection's columns the table has `sent`, a bit per attribute that the object carried; `digest`, by
    which an unchanged row of a layered collection is known; `placeholder` in skeletal ones; and `link_defaults` where
    there are links. A link has the columns of its `LinkSite`.
    """

    def __init__(self, collection: InventoryCollection, collections: Mapping[str, InventoryCollection]) -> None:
        self.collection = collection
        self.count = 0
        self.placeholders = 0
        self.duplicates = 0
        self.masked = Masked()
        self.repeats = False
        self.loaded = False
        self.optional = (*collection.written, *collection.on_create)
        self._defaults: dict[str, Any] = {}  # of the links of the object that is being written
        self.sites = {
            name: LinkSite(collection, name, collections, self._defaults)
            for name in (*collection.manager_ref, *self.optional)
            if name in collection.links
        }
        self.columns: dict[str, str] = {}
        self.identity: list[str] = []  # staging columns of the identity
        self._writers: list[tuple[str, Encoder, str]] = []
        for name in (*collection.manager_ref, *self.optional):
            self._take(name)
        self._fields_of_identity = len(collection.manager_ref)
        self._bits = {name: 1 << index for index, name in enumerate(self.optional)}
        self._layouts: dict[tuple[str, ...], tuple[str, list[Field]]] = {}
        self._digests = isinstance(collection.ownership, Layered)
        self._needed = frozenset(collection.manager_ref) - frozenset(collection.manager_ref_allowed_nil)
        self._seen: set[tuple[str | None, ...]] = set()
        self._lines: list[str] = []
        self._pending = 0
        self._spool = tempfile.SpooledTemporaryFile(max_size=SPOOL_MEMORY)  # noqa: SIM115 - lives as long as the refresh

    def _take(self, name: str) -> None:
        identity = name in self.collection.manager_ref
        site = self.sites.get(name)
        if site is not None:
            self.columns |= site.columns
            self.identity += list(site.columns) if identity else []
            self._writers.append((name, site.write, site.null))
            return
        column = self.collection.column(name)
        self.columns[name] = type_name(column)
        self.identity += [name] if identity else []
        null = NULL if isinstance(self.collection.ownership, Layered) else null_text(column)
        self._writers.append((name, encoder_for(column, self.collection.name, identity), null))

    @property
    def name(self) -> str:
        """The name of the staging table."""
        return f"stage_{self.collection.name}"

    @property
    def table(self) -> str:
        """The staging table, quoted."""
        return quote(self.name)

    @property
    def rows(self) -> int:
        """Rows of the staging table, placeholders included; 0 means that nothing has to be done."""
        return self.count + self.placeholders

    def add(self, item: InventoryObject) -> None:
        """Spool one object. Raises UpdateFailed for a value that cannot be stored, naming the object and the column."""
        values = item.values
        template, layout = self._layouts.get(shape := tuple(values)) or self._layout(shape)
        fields = [null if (value := values[name]) is None else encode(value, values) for name, encode, null in layout]
        if None in fields:
            self._refuse_null(values)
        if self.count < FEW:
            identity = tuple(fields[: self._fields_of_identity])
            self.repeats = self.repeats or identity in self._seen
            self._seen.add(identity)
        line = template % tuple(fields)
        if self._defaults:
            line += json_text(self._defaults, lambda: f"{self.collection.name}: defaults")
            self._defaults.clear()
        elif self.sites:
            line += NULL
        if self._digests:
            line += "\t\\\\x" + blake2b(line.encode(), digest_size=16).hexdigest()
        self._lines.append(line)
        self._pending += len(line)
        self.count += 1
        if self._pending > LINES:
            self.flush()

    def _layout(self, shape: tuple[str, ...]) -> tuple[str, list[Field]]:
        """How objects with these columns are written: the line, and what it has to be filled with."""
        places: list[str] = []
        layout: list[Field] = []
        for name, encode, null in self._writers:
            if name in shape:
                places.append("%s")
                layout.append((name, encode, None if name in self._needed else null))
            else:
                places.append(null.replace("%", "%%"))
        places.append(str(sum(bit for name, bit in self._bits.items() if name in shape)))
        if self.sites:
            places.append("")  # the defaults of links
        found = "\t".join(places), layout
        if len(self._layouts) < SHAPES:
            self._layouts[shape] = found
        return found

    def _refuse_null(self, values: Mapping[str, Any]) -> None:
        name = next(name for name in self.collection.manager_ref if name in self._needed and values[name] is None)
        raise UpdateFailed(
            f"{object_text(self.collection.name, values)}: {name} is null, but it is part of the identity "
            f"({', '.join(self.collection.manager_ref)})."
        )

    def flush(self) -> None:
        """Write the lines that wait."""
        if self._lines:
            self._spool.write(("\n".join(self._lines) + "\n").encode())
            self._lines.clear()
            self._pending = 0

    @property
    def few(self) -> bool:
        """Whether so few rows came that `repeats` is known without a search."""
        return self.count <= FEW

    def copied_columns(self) -> list[str]:
        """The columns of the spool, in its order."""
        names = [*self.columns, "sent"]
        if self.sites:
            names.append("link_defaults")
        if self._digests:
            names.append("digest")
        return names

    def definition(self) -> str:
        """SQL: the staging table's columns."""
        parts = [f"{quote(name)} {kind}" for name, kind in self.columns.items()]
        parts.append("sent bigint NOT NULL")
        if self.sites:
            parts.append("link_defaults jsonb")
        if self._digests:
            parts.append("digest bytea NOT NULL")
        if self.collection.skeletal:
            parts.append("placeholder boolean NOT NULL DEFAULT false")
        return ", ".join(parts)

    def spool(self) -> Any:
        """The spool, at its start."""
        self.flush()
        self._spool.seek(0)
        return self._spool

    def refill(self, lines: bytes) -> None:
        """Add to the spool what was read from that of another run: whole lines or parts of them, in order."""
        self._spool.write(lines)

    def was_sent(self, name: str) -> str:
        """SQL: whether the staged row `s` carried the attribute."""
        return f"(s.sent & {self._bits[name]}) <> 0"

    def close(self) -> None:
        """Drop the spool."""
        self._spool.close()

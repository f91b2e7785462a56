"""Staging: rows of a collection spooled as COPY text while the parser runs, then one COPY into one temporary table.

The spool is a file beyond a few megabytes, so Python's memory does not grow with the inventory, no database
transaction is open while a slow provider answers, and the number of statements does not depend on the number of rows.
"""

import tempfile
from collections.abc import Mapping
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

# A column that objects of one shape carry: its name, how its values are written, what stands for no value, whether that
# is refused. Without anything that writes: a text that is the same for all objects of the shape.
Field = tuple[str, Encoder | None, LinkSite | None, str, bool]


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
        self.repeats = False
        self.loaded = False
        self.optional = (*collection.written, *collection.on_create)
        self.sites = {
            name: LinkSite(collection, name, collections)
            for name in (*collection.manager_ref, *self.optional)
            if name in collection.links
        }
        self.columns: dict[str, str] = {}
        self.identity: list[str] = []  # staging columns of the identity
        self._writers: list[tuple[str, Encoder | None, LinkSite | None, str]] = []
        for name in (*collection.manager_ref, *self.optional):
            self._take(name)
        self._fields_of_identity = len(collection.manager_ref)
        self._bits = {name: 1 << index for index, name in enumerate(self.optional)}
        self._layouts: dict[tuple[str, ...], list[Field]] = {}
        self._digests = isinstance(collection.ownership, Layered)
        self._needed = frozenset(collection.manager_ref) - frozenset(collection.manager_ref_allowed_nil)
        self._seen: set[tuple[str, ...]] = set()
        self._lines: list[str] = []
        self._pending = 0
        self._spool = tempfile.SpooledTemporaryFile(max_size=SPOOL_MEMORY)  # noqa: SIM115 - lives as long as the refresh

    def _take(self, name: str) -> None:
        identity = name in self.collection.manager_ref
        site = self.sites.get(name)
        if site is not None:
            self.columns |= site.columns
            self.identity += list(site.columns) if identity else []
            self._writers.append((name, None, site, site.null))
            return
        column = self.collection.column(name)
        self.columns[name] = type_name(column)
        self.identity += [name] if identity else []
        null = NULL if isinstance(self.collection.ownership, Layered) else null_text(column)
        self._writers.append((name, encoder_for(column, self.collection.name, identity), None, null))

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
        layout = self._layouts.get(shape := tuple(values)) or self._layout(shape)
        fields: list[str] = []
        defaults: dict[str, Any] = {}
        for name, encode, site, null, needed in layout:
            if encode is None and site is None:
                fields.append(null)
                continue
            value = values.get(name)
            if value is None:
                if needed:
                    self._refuse_null(name, values)
                fields.append(null)
            elif encode is not None:
                fields.append(encode(value, values))
            elif site is not None:
                fields.append(site.write(value, values, defaults))
        if self.count < FEW:
            identity = tuple(fields[: self._fields_of_identity])
            self.repeats = self.repeats or identity in self._seen
            self._seen.add(identity)
        if self.sites:
            fields.append(json_text(defaults, lambda: f"{self.collection.name}: defaults") if defaults else NULL)
        line = "\t".join(fields)
        if self._digests:
            line += "\t\\\\x" + blake2b(line.encode(), digest_size=16).hexdigest()
        self._lines.append(line)
        self._pending += len(line)
        self.count += 1
        if self._pending > LINES:
            self.flush()

    def _layout(self, shape: tuple[str, ...]) -> list[Field]:
        """How objects with these columns are written: what they did not send is one text between what they did."""
        layout: list[Field] = []
        absent: list[str] = []
        for name, encode, site, null in self._writers:
            # Each column of the identity is a field of its own, sent or not: repeated ones are told by them.
            if name not in shape and name not in self.collection.manager_ref:
                absent.append(null)
                continue
            if absent:
                layout.append(("", None, None, "\t".join(absent), False))
                absent = []
            layout.append((name, encode, site, null, name in self._needed))
        mask = str(sum(bit for name, bit in self._bits.items() if name in shape))
        layout.append(("", None, None, "\t".join([*absent, mask]), False))
        if len(self._layouts) < SHAPES:
            self._layouts[shape] = layout
        return layout

    def _refuse_null(self, name: str, values: Mapping[str, Any]) -> None:
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

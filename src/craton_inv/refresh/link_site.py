"""One link column of a collection on its way through staging: which columns carry it, and how a link is written.

A link takes a column with the number of its form, null for no link, and a column for each plain value of each form:
what a link was not found by stays null. Forms and keys that were really used are noted, so that SQL joins no others.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from craton_inv.errors import UpdateFailed
from craton_inv.refresh.declaration import InvalidCollection
from craton_inv.refresh.inventory_collection import InventoryCollection
from craton_inv.refresh.lookup import MAX_FORMS, Form, forms_of
from craton_inv.refresh.reference import Reference
from craton_inv.refresh.row_text import NULL, Encoder, encoder_for, object_text
from craton_inv.refresh.sql import type_name

PLAIN = -1  # the form of a value that was sent instead of a link; it travels as the link's default


@dataclass(frozen=True, eq=False)
class Way:
    """A form of one site. `number`: as staged, without a key; `columns`: the staging columns of its leaves."""

    number: int
    form: Form
    columns: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Used:
    """A form and key that some object used. `number`: as staged."""

    number: int
    way: Way
    key: str


class LinkSite:
    """A link column. `used`: what objects used so far; `defaulted`: whether any sent a default or a plain value.

    `defaults` takes the default of each link that is written, by the column's name; the caller empties it.
    """

    def __init__(
        self,
        collection: InventoryCollection,
        name: str,
        collections: Mapping[str, InventoryCollection],
        defaults: dict[str, Any],
    ) -> None:
        self.collection = collection
        self.name = name
        self.target = collections[collection.links[name]]
        self.form_column = f"{name}>"
        self.used: dict[tuple[str, str], Used] = {}
        self.defaulted = False
        self._defaults = defaults
        ways: list[Way] = []
        types: list[str] = []
        for number, form in enumerate(forms_of(self.target, collections)):
            ways.append(Way(number, form, tuple(f"{name}>{len(types) + n}" for n in range(len(form.leaves)))))
            types.extend(type_name(leaf.column) for leaf in form.leaves)
        self.ways = {way.form.label: way for way in ways}
        self.columns = {self.form_column: "smallint"} | {f"{name}>{n}": kind for n, kind in enumerate(types)}
        self.null = "\t".join([NULL] * len(self.columns))
        self._writers: dict[tuple[str, str], Callable[[Reference, Mapping[str, Any]], str]] = {}

    def write(self, value: Any, values: Mapping[str, Any]) -> str:
        """The fields of a link, joined. Raises InvalidCollection for a link to another collection."""
        if type(value) is not Reference:
            return self._plain(value, values)
        if value.default is not None:
            self._defaults[self.name] = value.default
            self.defaulted = True
        writer = self._writers.get((value.form, value.key))
        if writer is None or value.collection != self.target.name:
            writer = self._first(value)
        return writer(value, values)

    def needs(self) -> frozenset[str]:
        """Columns of the target, themselves links, that must be saved before these links are resolved."""
        names: set[str] = set()
        for used in self.used.values():
            names |= used.way.form.relations if used.way.form.ref != "manager_ref" else set()
            names |= {used.key} & set(self.target.links)
        return frozenset(names)

    def _plain(self, value: Any, values: Mapping[str, Any]) -> str:
        if self.name in self.collection.relations:
            raise UpdateFailed(
                f"{object_text(self.collection.name, values)}: {self.name} needs a link to {self.target.name} "
                f"(lazy_find), not {str(value)[:100]!r}."
            )
        self._defaults[self.name] = value
        self.defaulted = True
        return f"{PLAIN}\t{self.null[3:]}"

    def _first(self, link: Reference) -> Callable[[Reference, Mapping[str, Any]], str]:
        """Check the first link of its form and key, and make what writes the others."""
        where = f"{self.collection.name}.{self.name}"
        if link.collection != self.target.name:
            raise InvalidCollection(f"{where} links to {self.target.name}; got a link to {link.collection}.")
        way = self.ways.get(link.form)
        if way is None:
            raise InvalidCollection(f"{where}: {link.form} is not among {', '.join(self.ways)}.")
        number = way.number
        key = link.key if link.key != "id" else ""
        own = self.collection.column(self.name)
        taken = self.target.column(key or "id")
        fitting = type_name(own) == type_name(taken) if key else self.name in self.collection.relations
        if not fitting:
            raise InvalidCollection(
                f"{where} is {type_name(own)}, but {self.target.name}.{taken.name} is {type_name(taken)}: take another "
                "column by key."
            )
        if key:
            number += MAX_FORMS * (1 + list(self.target.table.c.keys()).index(key))
        self.used[link.form, key] = Used(number, way, key)
        writer = self._writers[link.form, link.key] = self._writer(number, way)
        return writer

    def _writer(self, number: int, way: Way) -> Callable[[Reference, Mapping[str, Any]], str]:
        names = list(self.columns)[1:]
        start = names.index(way.columns[0])
        head = "\t".join([str(number), *[NULL] * start]) + "\t"
        tail = "".join(["\t" + NULL] * (len(names) - start - len(way.columns)))
        encoders = [encoder_for(leaf.column, self.collection.name, identity=True) for leaf in way.form.leaves]
        steps = [leaf.steps for leaf in way.form.leaves]
        if steps == [(0,)]:
            return _single(head, encoders[0], tail)

        def write(link: Reference, values: Mapping[str, Any]) -> str:
            fields = []
            for path, encode in zip(steps, encoders, strict=True):
                value: Any = link
                for step in path:
                    value = None if value is None else value.ref[step]
                fields.append(NULL if value is None else encode(value, values))
            return head + "\t".join(fields) + tail

        return write


def _single(head: str, encode: Encoder, tail: str) -> Callable[[Reference, Mapping[str, Any]], str]:
    """The common case: found by one plain value."""

    def write(link: Reference, values: Mapping[str, Any]) -> str:
        value = link.ref[0]
        return f"{head}{NULL if value is None else encode(value, values)}{tail}"

    return write

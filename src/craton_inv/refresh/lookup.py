"""The ways in which a link may name what it leads to, down to plain columns.

A collection is found by its `manager_ref` or by a secondary ref. A column of either may be a relation; then it is found
by any way of the collection that the relation leads to, and so on. Each combination is a form: a list of plain columns
of several tables, which travel as columns of a staging table and are put together again by joins.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

from sqlalchemy import Column

from craton_inv.refresh.inventory_collection import InvalidCollection, InventoryCollection
from craton_inv.refresh.reference import form_label

MAX_DEPTH = 8  # relations within relations
MAX_FORMS = 32


@dataclass(frozen=True)
class Leaf:
    """A plain value of a form. `path`: columns from the link's target down; `steps`: positions in the references."""

    path: tuple[str, ...]
    steps: tuple[int, ...]
    column: Column[Any]


@dataclass(frozen=True, eq=False)
class Form:
    """One way to find an object. `parts`: per column of the ref the form of the relation it is, None for a value."""

    collection: InventoryCollection
    ref: str
    parts: tuple["Form | None", ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the ref."""
        return self.collection.refs[self.ref]

    @cached_property
    def label(self) -> str:
        """Its name, as `lazy_find` writes it: `by_uuid`, or `manager_ref(machine_id=by_uuid)`."""
        return form_label(
            self.ref, {name: part.label for name, part in zip(self.columns, self.parts, strict=True) if part}
        )

    @cached_property
    def leaves(self) -> tuple[Leaf, ...]:
        """Its plain values, in the order of the staging columns."""
        leaves: list[Leaf] = []
        for position, (name, part) in enumerate(zip(self.columns, self.parts, strict=True)):
            if part is None:
                leaves.append(Leaf((name,), (position,), self.collection.column(name)))
            else:
                leaves.extend(Leaf((name, *leaf.path), (position, *leaf.steps), leaf.column) for leaf in part.leaves)
        return tuple(leaves)

    def within(self, offset: int = 0) -> Iterator[tuple["Form", int]]:
        """This form and those of its relations, each with the number of its first leaf."""
        yield self, offset
        for part in self.parts:
            if part is None:
                offset += 1
            else:
                yield from part.within(offset)
                offset += len(part.leaves)

    @property
    def relations(self) -> frozenset[str]:
        """Columns of the ref that are relations: they must be saved before anything is found by it."""
        return frozenset(name for name, part in zip(self.columns, self.parts, strict=True) if part is not None)


def forms_of(
    target: InventoryCollection, collections: Mapping[str, InventoryCollection], above: tuple[str, ...] = ()
) -> tuple[Form, ...]:
    """All ways to find an object of `target`. Raises InvalidCollection for too deep or too many."""
    if len(above) >= MAX_DEPTH:
        raise InvalidCollection(
            f"Links to {target.name} are relations within relations more than {MAX_DEPTH} deep: "
            f"{' to '.join((*above, target.name))}."
        )
    forms: list[Form] = []
    for ref, columns in target.refs.items():
        options: list[tuple[Form | None, ...]] = [
            forms_of(collections[target.links[name]], collections, (*above, target.name))
            if name in target.relations
            else (None,)
            for name in columns
        ]
        forms.extend(Form(target, ref, parts) for parts in product(*options))
    if len(forms) > MAX_FORMS:
        raise InvalidCollection(
            f"Collection {target.name} can be found in {len(forms)} ways through its relations; at most {MAX_FORMS} "
            "are allowed: declare fewer secondary refs."
        )
    return tuple(forms)

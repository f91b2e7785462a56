"""Who owns a saved row: one source alone, several through layers, or several through a list of ids."""

from dataclasses import dataclass

from sqlalchemy import Table


@dataclass(frozen=True)
class Exclusive:
    """The columns of the scope say whose rows these are; nobody else writes them."""


@dataclass(frozen=True)
class Layered:
    """Several sources and people share a row; each source keeps what it said of it as a row of `table`.

    `table` has `inventory_source_id`, the column `row` (the shared row's id), `ref`, `digest` and `variables`; the
    shared table has `manual`, `variables` and `variables_text`. A shared row goes when no source has it and nobody
    made it by hand.
    """

    table: Table
    row: str


@dataclass(frozen=True)
class Shared:
    """Rows without content of their own (links): the array `column` lists the sources that deliver them.

    A row goes when its list is empty and `manual` is false.
    """

    column: str = "source_ids"


Ownership = Exclusive | Layered | Shared

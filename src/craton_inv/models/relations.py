"""Relations between models, which filters reach: read only, loaded when asked for, both sides named as texts.

Models and columns are named by texts ("Disk.host_id"), since the model on the other side is often defined later.
"""

from typing import Any

from sqlalchemy.orm import Mapped, relationship


def to_one(column: str, model: str) -> Mapped[Any]:
    """The row of `model` whose id stands in `column` of this model."""
    return relationship(
        model,
        lazy="raise",
        viewonly=True,
        foreign_keys=column,
        primaryjoin=f"{column} == {model}.id",
        info={"filter": True},
    )


def to_many(model: str, column: str) -> Mapped[Any]:
    """The rows of another model in whose `column` the id of a row of `model`, this one, stands."""
    return relationship(
        lazy="raise",
        viewonly=True,
        primaryjoin=f"{model}.id == foreign({column})",
        info={"filter": True},
    )


def through(links: str, own: str, other: str, *, aliases: tuple[str, ...] = ()) -> Mapped[Any]:
    """The rows that a table of links joins with this one.

    `own` joins this row with its links ("Host.id == Membership.host_id"), `other` joins these with the rows meant.
    `aliases`: further names in filters.
    """
    return relationship(
        lazy="raise",
        viewonly=True,
        secondary=links,
        primaryjoin=own,
        secondaryjoin=other,
        info={"filter": True, "aliases": aliases},
    )

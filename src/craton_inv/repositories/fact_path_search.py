"""Looking paths up in the catalogue of fact paths: which are there with which types, and which look like one."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, Text, func, literal, select, true
from sqlalchemy.dialects.postgresql import ARRAY

from craton_inv.models import FactPath
from craton_inv.repositories.scope import Scope

# Candidates for one path, the most alike first.
CANDIDATES = 25


def types_at(scope: Scope, paths: Sequence[str]) -> Select[Any]:
    """A select of (path, bits of the JSON types seen there), of those of `paths` that the caller's hosts have."""
    columns: tuple[Any, ...] = (FactPath.path, func.bit_or(FactPath.kinds))
    return select(*columns).where(scope.where(FactPath), FactPath.path.in_(paths)).group_by(FactPath.path)


def alike(scope: Scope, paths: Sequence[str]) -> Select[Any]:
    """A select of (path asked for, path that is known): the known ones that share the most groups of three letters."""
    asked = func.unnest(literal(list(paths), ARRAY(Text))).table_valued("path", name="asked").render_derived()
    likeness = func.similarity(FactPath.path, asked.c.path)
    known = (
        select(FactPath.path.label("path"))
        .where(scope.where(FactPath))
        .group_by(FactPath.path)
        .order_by(likeness.desc(), FactPath.path)
        .limit(CANDIDATES)
        .lateral("known")
    )
    columns: tuple[Any, ...] = (asked.c.path, known.c.path)
    return select(*columns).join_from(asked, known, true())

"""Comparing a column with many ids in one parameter, an array: the protocol of PostgreSQL ends at 32767 parameters."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, LargeBinary, Text, any_, literal
from sqlalchemy.dialects.postgresql import ARRAY


def any_of(column: Any, ids: Iterable[int]) -> ColumnElement[bool]:
    """`column = ANY(:ids)`."""
    condition: ColumnElement[bool] = column == any_(literal(list(ids), ARRAY(BigInteger)))
    return condition


def any_text(column: Any, texts: Iterable[str]) -> ColumnElement[bool]:
    """`column = ANY(:texts)`."""
    condition: ColumnElement[bool] = column == any_(literal(list(texts), ARRAY(Text)))
    return condition


def any_bytes(column: Any, values: Iterable[bytes]) -> ColumnElement[bool]:
    """`column = ANY(:values)`."""
    condition: ColumnElement[bool] = column == any_(literal(list(values), ARRAY(LargeBinary)))
    return condition


def none_of(column: Any, ids: Iterable[int]) -> ColumnElement[bool]:
    """`column <> ALL(:ids)`, spelled as a negation."""
    return ~any_of(column, ids)


def integer(value: int) -> ColumnElement[int]:
    """A 64-bit constant as a column."""
    return literal(value, BigInteger())

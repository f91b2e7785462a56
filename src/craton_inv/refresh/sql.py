"""SQL as readable templates: identifiers are quoted here, values are always bound."""

import re
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Column, String, TextClause, bindparam, text
from sqlalchemy.dialects import postgresql

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
_SLOT = re.compile(r"<(\w+)>")


def quote(name: str) -> str:
    """An identifier."""
    return '"' + name.replace('"', '""') + '"'


def join(names: Iterable[str], prefix: str = "") -> str:
    """A list of identifiers, each behind `prefix` ("t." for a table's alias)."""
    return ", ".join(prefix + quote(name) for name in names)


def fill(template: str, **parts: str) -> str:
    """`template` with each `<part>` filled in, parts within parts too."""
    sql = template
    while _SLOT.search(sql):
        sql = _SLOT.sub(lambda slot: parts[slot[1]], sql)
    return sql


def compose(template: str, binds: dict[str, tuple[Any, Any]] | None = None, **parts: str) -> TextClause:
    """`template` filled in as `fill` does, and `:name` bound to (value, type)."""
    sql = fill(template, **parts)
    used = [
        bindparam(name, value, type_=type_)
        for name, (value, type_) in (binds or {}).items()
        if re.search(rf"(?<!:):{name}\b", sql)
    ]
    return text(sql).bindparams(*used)


def or_default(column: Column[Any], value: str = "") -> str:
    """The staged value (or the SQL `value`), or what the table gives a row when the object did not send one."""
    staged = value or f"s.{quote(column.name)}"
    argument = getattr(column.server_default, "arg", None)
    if argument is None:
        return staged
    default = "'" + argument.replace("'", "''") + "'" if isinstance(argument, str) else str(argument)
    return f"coalesce({staged}, {default})"


def type_name(column: Column[Any]) -> str:
    """The type a staging column has: text for every kind of text, so that length is checked by us and said in words."""
    name = str(column.type.compile(dialect=_DIALECT))
    return "TEXT" if name.startswith(("VARCHAR", "CHAR")) else name


def null_safe(left: str, right: str) -> str:
    """SQL: both are equal or both null; two equalities, so that a join of sets can use it."""
    return f"(({left} IS NULL) = ({right} IS NULL) AND coalesce({left}::text, '') = coalesce({right}::text, ''))"


def in_one_order(column: Column[Any], alias: str) -> str:
    """An ORDER BY term: refreshes that write in one order may wait for each other, but never block each other.

    Texts are compared by their bytes, many times as fast as by the rules of a language.
    """
    collated = ' COLLATE "C"' if isinstance(column.type, String) else ""
    return f"{alias}.{quote(column.name)}{collated}"

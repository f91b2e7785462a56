"""Nothing a user writes can become SQL: the filter package makes expressions and bound parameters only."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import craton_inv.filters

SOURCES = sorted(Path(craton_inv.filters.__file__).parent.glob("*.py"))
# What of SQLAlchemy takes SQL, or names that it does not quote, as text.
RAW = frozenset(
    {"text", "literal_column", "TextClause", "TextualSelect", "DDL", "quoted_name", "table", "column", "extract"}
    | {"exec_driver_sql", "custom_op"}
)
# Methods whose text goes into the statement as it is.
VERBATIM = frozenset({"op", "bool_op", "prefix_with", "suffix_with", "with_hint", "with_statement_hint", "collate"})
RUNS = frozenset({"execute", "scalar", "scalars", "exec_driver_sql"})
SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|FROM|WHERE|JOIN|UNION|HAVING|ORDER BY|GROUP BY|I?LIKE|AND|OR)\b")


def faults(source: str) -> list[str]:
    """What in a module could bring SQL as text into a statement."""
    tree = ast.parse(source)
    return [*_imports(tree), *_calls(tree), *_texts(tree)]


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy"):
            yield from (
                f"imports {alias.name}" for alias in node.names if alias.name in RAW | {"*", "sql", "expression"}
            )
        if isinstance(node, ast.Import):
            yield from (f"imports {alias.name} whole" for alias in node.names if alias.name.startswith("sqlalchemy"))


def _calls(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        fixed = all(isinstance(argument, ast.Constant) for argument in node.args)
        if name in VERBATIM and isinstance(node.func, ast.Attribute) and not (fixed and node.args):
            yield f".{name}() of a text that is made up"
        if name in RUNS and node.args and not isinstance(node.args[0], ast.Name | ast.Call | ast.Attribute):
            yield f".{name}() of a text"
        if name in RAW and isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") != "self":
            yield f".{name}()"
        if name == "getattr" and getattr(node.args[0], "id", "") == "func":
            yield "a function of SQL whose name is made up"
        if name in ("eval", "exec", "__import__", "import_module"):
            yield name
        if any(keyword.arg == "literal_execute" for keyword in node.keywords):
            yield "a value that is no bound parameter"


def _texts(tree: ast.AST) -> Iterator[str]:
    """Strings that read like SQL, whole or in parts, but for docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    quiet = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    quiet |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in quiet:
            found = SQL.search(node.value)
            if found:
                yield f"a text with {found[0]} in it"


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_s19_no_module_takes_sql_as_text(source: Path) -> None:
    assert faults(source.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "from sqlalchemy import text",
        "from sqlalchemy import text as harmless",
        "from sqlalchemy.sql import literal_column",
        "from sqlalchemy.sql.expression import TextClause",
        "from sqlalchemy import sql",
        "from sqlalchemy import *",
        "import sqlalchemy as sa",
        "import sqlalchemy.sql",
        "column.op(name)(value)",
        "column.op(f'{name}')(value)",
        "column.bool_op('=' + name)(value)",
        "query.prefix_with(name)",
        "column.collate(name)",
        "getattr(func, name)(value)",
        "session.execute('select 1')",
        "session.execute(f'{what}')",
        "session.scalar('a' + b)",
        "connection.exec_driver_sql(what)",
        "models.text(what)",
        "what = f'SELECT {what}'",
        "what = f'{a} WHERE {b}'",
        "what = 'name = %s AND ' % value",
        "what = ' OR '.join(parts)",
        "what = 'name LIKE {}'.format(value)",
        "literal(value, literal_execute=True)",
        "eval(what)",
    ],
)
def test_a_module_that_did_would_be_caught(source: str) -> None:
    assert faults(source) != []


@pytest.mark.parametrize(
    "source",
    [
        "column.op('<<=')(value)",
        "query.prefix_with('MATERIALIZED', dialect='postgresql')",
        "session.execute(select(model))",
        "session.scalar(query)",
        "raise Refused(f'no field {name} on {owner}; and or not')",
        "'''SELECT in a docstring.'''",
        "field.text.ilike(literal(value))",
        "literal(value, Text)",
    ],
)
def test_a_module_that_makes_expressions_is_not(source: str) -> None:
    assert faults(source) == []


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_s17_no_module_runs_a_users_regular_expression(source: Path) -> None:
    tree = ast.parse(source.read_text(encoding="utf-8"))
    thrown_away = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if getattr(node.func.value, "id", "") == "re" and not isinstance(node.args[0], ast.Constant):
            assert node.func.attr == "compile", "a user's pattern may be compiled for its error text"
            assert id(node) in thrown_away, "and is never kept to be run"

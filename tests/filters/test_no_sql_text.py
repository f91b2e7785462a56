"""Nothing a user writes can become SQL: the filter package makes expressions and bound parameters only."""

import ast
from pathlib import Path

import pytest

import craton_inv.filters

SOURCES = sorted(Path(craton_inv.filters.__file__).parent.glob("*.py"))
RAW = {"text", "literal_column", "TextClause", "DDL", "quoted_name", "table", "column", "exec_driver_sql"}
OPERATORS = {"op", "bool_op"}


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_no_module_takes_sql_as_text(source: Path) -> None:
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy"):
            assert not RAW & {alias.name for alias in node.names}
        if isinstance(node, ast.Import):
            assert not any(alias.name.startswith("sqlalchemy") for alias in node.names), "import names, not the module"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in OPERATORS:
            assert all(isinstance(argument, ast.Constant) for argument in node.args), "an operator is a constant"
        if isinstance(node, ast.Call) and any(keyword.arg == "literal_execute" for keyword in node.keywords):
            pytest.fail("a value is always a bound parameter")


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_no_module_runs_a_users_regular_expression(source: Path) -> None:
    tree = ast.parse(source.read_text(encoding="utf-8"))
    thrown_away = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if getattr(node.func.value, "id", "") == "re" and not isinstance(node.args[0], ast.Constant):
            assert node.func.attr == "compile", "a user's pattern may be compiled for its error text"
            assert id(node) in thrown_away, "and is never kept to be run"

"""The page about the refresh engine knows every option of a collection, every count and every module there is."""

import re
from dataclasses import fields
from pathlib import Path

from craton_inv import refresh
from craton_inv.refresh.counts import Counts
from craton_inv.refresh.inventory_collection import InventoryCollection

PAGE = (Path(__file__).parents[2] / "docs" / "refresh.md").read_text()
TOLD_ELSEWHERE = {
    "__init__",
    "collector",
    "parser",
    "persister",
    "refresher",
    "inventory_object",
    "target",
    "counts",
    "sql",
}


def named_in(section: str) -> set[str]:
    """What is in backticks in the first cells of a section's table."""
    body = PAGE.split(f"## {section}\n", 1)[1].split("\n## ", 1)[0]
    cells = re.findall(r"^\| (.*?) \|", body, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def test_every_option_of_a_collection_is_explained_and_no_other() -> None:
    assert named_in("Declaring a collection") == {field.name for field in fields(InventoryCollection)}


def test_every_count_of_a_run_is_named() -> None:
    told = PAGE.split("## Reading a run\n", 1)[1]
    assert {field.name for field in fields(Counts)} <= set(re.findall(r"`(\w+)`", told))


def test_every_module_of_the_engine_has_its_subject() -> None:
    modules = {path.stem for path in Path(refresh.__path__[0]).glob("*.py")}
    assert named_in("The way of a refresh") == modules - TOLD_ELSEWHERE

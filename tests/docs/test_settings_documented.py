"""docs/operations.md names every setting with its default and meaning, and no others."""

import re
from pathlib import Path

import pytest

from craton_inv.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
ROW = re.compile(r"^\| `CRATON_INV_(\w+)` \| (.*?) \| (.*?) \|$", re.MULTILINE)
ROWS = {name.lower(): (default, meaning) for name, default, meaning in ROW.findall(PAGE)}


def written(name: str) -> str:
    """The default as the page writes it."""
    default = Settings.model_fields[name].default
    if name == "data_dir":
        return "`~/.local/share/craton-inv`"
    if default in (None, ""):
        return ""
    if isinstance(default, float):
        return f"`{default:g}`"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_setting_is_documented_with_its_default_and_meaning(name: str) -> None:
    assert name in ROWS, f"add a row for CRATON_INV_{name.upper()} to the table in docs/operations.md"
    assert ROWS[name] == (written(name), Settings.model_fields[name].description)


def test_no_setting_is_documented_that_does_not_exist() -> None:
    assert ROWS.keys() == Settings.model_fields.keys()

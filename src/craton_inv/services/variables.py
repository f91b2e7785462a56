"""Variables of a row, set as text or as an object; the row keeps both: the text for /v2, the JSON for all else."""

import json
from typing import Any

from sqlalchemy.orm.attributes import flag_modified

from craton_inv.ansible.json_guard import check_json, text_fault
from craton_inv.ansible.variables_text import parse_variables
from craton_inv.db.types import HasVariables
from craton_inv.errors import InvalidField


def set_variables_text(row: HasVariables, text: str, field: str = "variables") -> None:
    """Store JSON or YAML text and what it means. Raises InvalidField naming `field` when it is neither."""
    fault = text_fault(text)
    if fault:
        raise InvalidField(field, f"The text {fault}.")
    if text == row.variables_text:
        return
    _set(row, text, parse_variables(text, field))


def set_variables(row: HasVariables, variables: dict[str, Any], field: str = "variables") -> None:
    """Store an object, and its JSON as the text. Raises InvalidField naming `field` for what JSONB cannot hold."""
    check_json(variables, field)
    _set(row, dump_variables(variables), variables)


def dump_variables(variables: dict[str, Any]) -> str:
    """The text of an object: JSON with its keys in the order given."""
    return json.dumps(variables, ensure_ascii=False, allow_nan=False) if variables else ""


def _set(row: HasVariables, text: str, variables: dict[str, Any]) -> None:
    row.variables_text = text
    row.variables = variables
    # 1 equals true in Python but not in JSON: the column is written even where the two objects compare equal.
    flag_modified(row, "variables")

"""YAML files whose aliases would grow beyond measure are refused before Ansible opens them (it knows no such limit)."""

import re
from pathlib import Path

import yaml

from craton_inv.ansible.yaml_nodes import guard_aliases
from craton_inv.errors import InvalidField, UpdateFailed

SUFFIXES = frozenset({"", ".yml", ".yaml", ".json"})
# Cheap and generous: most files have no anchor, and only those that have both are read twice.
ANCHOR, ALIAS = re.compile(rb"&[^\s,\[\]{}]"), re.compile(rb"\*[^\s,\[\]{}]")


def refuse_alias_bomb(path: Path) -> None:
    """Raise UpdateFailed for a file whose aliases stand for too many values. What is no YAML is left to Ansible."""
    if path.suffix not in SUFFIXES:
        return
    content = path.read_bytes()
    if not (ANCHOR.search(content) and ALIAS.search(content)):
        return
    try:
        guard_aliases(yaml.parse(content, Loader=yaml.CSafeLoader), path.name)
    except InvalidField as error:
        raise UpdateFailed(f"{path.name}: {error.message}") from error
    except yaml.YAMLError:
        return

"""YAML files whose aliases would grow beyond measure are refused before Ansible opens them (it knows no such limit)."""

import mmap
import re
from pathlib import Path
from typing import BinaryIO

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
    with path.open("rb") as file:
        if not _has_aliases(file):
            return
        try:
            guard_aliases(yaml.parse(file, Loader=yaml.CSafeLoader), path.name)
        except InvalidField as error:
            raise UpdateFailed(f"{shown(path)}: {error.message}") from error
        except yaml.YAMLError:
            return


def shown(path: Path) -> str:
    """The name of a file in messages; what cannot be printed is escaped."""
    return path.name if path.name.isprintable() else ascii(path.name)


def _has_aliases(file: BinaryIO) -> bool:
    """Whether the file may have anchors and aliases. It is looked through where it lies, not read into memory."""
    try:
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except ValueError:
        return False  # an empty file
    with content:
        return bool(ANCHOR.search(content) and ALIAS.search(content))

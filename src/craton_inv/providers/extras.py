"""Packages that only some kinds of sources need: loaded at their first use, with the way to them where they lack."""

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from craton_inv.errors import UpdateFailed


@dataclass(frozen=True)
class Extra:
    """An extra of craton-inv: its name, the package that it brings, and the module of it that is looked for."""

    name: str
    package: str
    module: str

    def load(self, name: str) -> Any:
        """The module `name` of what the extra brings. Raises UpdateFailed where it is not installed."""
        try:
            return import_module(name)
        except ImportError as error:
            told = f"This worker lacks the package {self.package}. Install it once, {self.way}; then start it again."
            raise UpdateFailed(told) from error

    @property
    def way(self) -> str:
        """How to install it."""
        by_pip = f"pip install 'craton-inv[{self.name}]'"
        return f"in a checkout by CRATON_INV_EXTRAS={self.name} ./craton up, else by {by_pip}"

    @property
    def missing(self) -> bool:
        """Whether this process is without it."""
        return find_spec(self.module) is None


AWS = Extra("aws", "aiobotocore", "aiobotocore")
OPENSTACK = Extra("openstack", "openstacksdk", "openstack")

"""The mark of tests that a kernel without Landlock must fail: there the program of a source reads more files."""

import ctypes

import pytest

from craton_inv.providers.ansible_inventory.confine import landlock_version

needs_landlock = pytest.mark.xfail(
    landlock_version(ctypes.CDLL(None, use_errno=True)) == 0, reason="this kernel has no Landlock", strict=True
)

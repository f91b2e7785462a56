"""Runs as the worker does them, and a provider whose machines a test changes as it likes."""

import pytest

from craton_inv.providers import registry
from tests.jobs.cloud import Cloud
from tests.jobs.updates import updates

__all__ = ["updates"]


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """Three machines of size 1, found like any other kind."""
    made = Cloud(a=1, b=1, c=1)
    monkeypatch.setitem(registry.providers(), made.kind, made)
    return made

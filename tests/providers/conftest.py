"""Refreshing through providers: settings with folders of the test, and a database that really commits."""

from tests.refresh.conftest import factory, refresh_engine, world

__all__ = ["factory", "refresh_engine", "world"]

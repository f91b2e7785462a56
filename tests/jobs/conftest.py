"""Updates run as the worker runs them: launched, claimed, executed, on a database that really commits."""

from tests.jobs.updates import Updates, updates
from tests.refresh.conftest import factory, refresh_engine, world

__all__ = ["Updates", "factory", "refresh_engine", "updates", "world"]

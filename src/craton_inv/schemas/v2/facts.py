"""Facts of many hosts under /v2."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field


class FactsLine(BaseModel):
    """One line of NDJSON: a host and its facts."""

    id: int | None = None
    name: str | None = None
    ansible_facts_modified: datetime | None = Field(None, description="When the facts were written last.")
    ansible_facts: dict[str, Any]


class FactsLoaded(BaseModel):
    """What writing the facts of many hosts did."""

    updated: int = Field(description="Hosts whose facts are others now.")
    unchanged: int = Field(description="Hosts whose facts were these already; they count as written now.")
    missing: list[str | int] = Field(description="Names or ids of hosts that the inventory does not have.")


class FactsCleared(BaseModel):
    """What clearing the facts of many hosts did."""

    cleared: int = Field(description="Hosts that had facts.")
    missing: list[str | int] = Field(description="Names of hosts that the inventory does not have.")

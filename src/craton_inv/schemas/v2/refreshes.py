"""What single objects are refreshed, and the events of providers that ask for it."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from craton_inv.schemas.v2.envelope import Page
from craton_inv.schemas.v2.fields import ShortText, Time, unset
from craton_inv.schemas.v2.inventory_sources import CanUpdate, UpdateTarget
from craton_inv.schemas.v2.inventory_updates import InventoryUpdateStarted


class InventoryUpdateTarget(BaseModel):
    """One object that a run of single objects refreshes."""

    id: int
    type: str
    association: str
    manager_ref: dict[str, Any]
    created: Time


class InventoryUpdateTargetList(Page[InventoryUpdateTarget]):
    """A page of targets."""


class RefreshingSource(CanUpdate):
    """A source that delivers a host. `reason` says why it cannot be updated."""

    inventory_source: int
    name: str
    reason: str
    manager_ref: dict[str, Any] | None = Field(description="What the source is asked for.")


class HostRefresh(BaseModel):
    """Whether a host can be refreshed, and from where."""

    can_refresh: bool
    sources: list[RefreshingSource]


class HostRefreshStarted(BaseModel):
    """The runs that refresh a host: one a source."""

    results: list[InventoryUpdateStarted]


class SourceEvent(BaseModel):
    """Something that happened at a provider. The same `uid` (or `event_id`) again is taken for the same event."""

    event_type: ShortText = Field(min_length=1)
    uid: ShortText = unset()
    event_id: ShortText = unset()
    timestamp: datetime = unset()
    payload: dict[str, Any] = Field(default_factory=dict, description="The event as the provider wrote it.")
    targets: list[UpdateTarget] = Field(
        default_factory=list, description="What the event concerns, where the catcher knows."
    )


class EventsTaken(BaseModel):
    """What became of events: each of `events` is a duplicate, blocked, or accepted."""

    events: int
    accepted: int
    duplicates: int = Field(description="Known already; they cost nothing.")
    blocked: int = Field(description="Beyond what is taken of like events within a minute.")
    targets: int = Field(description="Objects that the accepted ones ask for.")
    inventory_update: int | None = Field(description="The run that refreshes them.")

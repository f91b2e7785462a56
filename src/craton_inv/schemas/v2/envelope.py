"""What every object and every list of /v2 looks like."""

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, Field

from craton_inv.schemas.v2.fields import Time

T = TypeVar("T")


class Envelope(BaseModel):
    """An object: identity, links and what its neighbours are called."""

    id: int
    type: str = Field(description="The kind of object, in AWX's words.")
    url: str = Field(description="Path of the object.")
    related: dict[str, str] = Field(description="Paths of what belongs to the object.")
    summary_fields: dict[str, Any] = Field(description="Names and figures of its neighbours.")
    created: Time
    modified: Time | None


class Named(Envelope):
    """An object with a name and a description."""

    name: str
    description: str


class Page(BaseModel, Generic[T]):
    """One page of a list; `next` and `previous` are paths. With `?count_disabled` only `results` come."""

    count: int = Field(0, description="All objects that match, on every page.")
    next: str | None = None
    previous: str | None = None
    results: list[T]

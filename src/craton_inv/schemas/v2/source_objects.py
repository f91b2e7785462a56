"""What all objects have that a source delivers beside hosts and groups. They are read only: the source writes them."""

from pydantic import Field

from craton_inv.schemas.v2.envelope import Envelope
from craton_inv.schemas.v2.fields import Time


class SourceObject(Envelope):
    """An object of one source."""

    name: str
    ref: str = Field(description="The provider's id of the object, unique in its source.")
    inventory: int
    inventory_source: int
    collected_at: Time | None = Field(description="When the source was asked for what this says.")

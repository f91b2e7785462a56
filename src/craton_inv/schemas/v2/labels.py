"""Labels."""

from pydantic import BaseModel

from craton_inv.schemas.names import Name
from craton_inv.schemas.v2.envelope import Envelope, Page
from craton_inv.schemas.v2.fields import Id, unset


class Label(Envelope):
    """A label of an organization, for its inventories and hosts."""

    name: str
    organization: int


class LabelList(Page[Label]):
    """A page of labels."""


class LabelCreate(BaseModel):
    """A new label."""

    name: Name
    organization: Id


class LabelReplace(LabelCreate):
    """All of a label that is there. Its organization cannot change and may be left out."""

    organization: Id = unset(int)


class LabelPatch(BaseModel):
    """What to change of a label. Its organization may be named but not changed."""

    name: Name = unset()
    organization: Id = unset(int)

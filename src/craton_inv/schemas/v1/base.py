"""What every schema of /v1 shares."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict
from pydantic_core import PydanticCustomError

from craton_inv.ansible.json_guard import check_json, text_fault
from craton_inv.errors import InvalidField

MAX_KEY = 255


def check_variables(value: dict[str, Any]) -> dict[str, Any]:
    """Keys of 1 to 255 characters, values that the database can hold."""
    for key in value:
        if not 0 < len(key) <= MAX_KEY:
            raise PydanticCustomError("variables", "A variable's name has 1 to {limit} characters.", {"limit": MAX_KEY})
    try:
        check_json(value)
    except InvalidField as error:
        raise PydanticCustomError("variables", "{reason}", {"reason": error.message}) from error
    return value


def check_text(value: str) -> str:
    """Text that the database can hold."""
    fault = text_fault(value)
    if fault:
        raise PydanticCustomError("text", "The text {reason}.", {"reason": fault})
    return value


Id = Annotated[int, Strict(), Field(ge=1, le=2**63 - 1)]
Text = Annotated[str, Strict(), Field(max_length=65536), AfterValidator(check_text)]
Flag = Annotated[bool, Strict()]
Variables = Annotated[dict[str, Any], AfterValidator(check_variables)]


class Body(BaseModel):
    """What a caller sends; a misspelt field is refused, never dropped."""

    model_config = ConfigDict(extra="forbid")


class Shown(BaseModel):
    """What a caller gets about one row."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    created: datetime
    modified: datetime

    @classmethod
    def of(cls, row: Any, root: str) -> Self:
        """The answer about `row`; /v1 shows no links inside objects."""
        return cls.model_validate(row)


class Link(BaseModel):
    """`rel`: self, first or next."""

    rel: str
    href: str


class Listing(BaseModel):
    """The part that every list has."""

    links: list[Link]

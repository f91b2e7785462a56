"""Types of fields that several bodies share: strict integers and text, booleans that admit 0 and 1, times with a Z."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    StrictStr,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

MAX_ID = 2**63 - 1


def show_time(moment: datetime) -> str:
    """ISO 8601 in UTC with microseconds and a Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise PydanticCustomError("nul", "{reason}", {"reason": "The character NUL cannot be stored."})
    return text


def _zero_or_one(value: Any) -> Any:
    """awxkit sends booleans as 1 and 0."""
    return bool(value) if type(value) is int and value in (0, 1) else value


Time = Annotated[
    datetime,
    PlainSerializer(show_time, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
Id = Annotated[int, Field(strict=True, ge=1, le=MAX_ID)]
Integer = Annotated[int, Field(strict=True, ge=-(2**31), le=2**31 - 1)]
Text = Annotated[StrictStr, AfterValidator(_no_nul)]
ShortText = Annotated[StrictStr, StringConstraints(max_length=1024), AfterValidator(_no_nul)]
Flag = Annotated[
    bool,
    Field(strict=True, json_schema_extra={"anyOf": [{"type": "boolean"}, {"type": "integer", "enum": [0, 1]}]}),
    BeforeValidator(_zero_or_one),
]


def unset(kind: type[Any] = str) -> Any:
    """A field that may be left out but not null, without a default in the document that clients would send."""
    return Field(default_factory=kind)

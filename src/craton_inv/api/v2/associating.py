"""AWX's rule for every list below an object: the body decides whether to attach, detach or create."""

from enum import Enum
from typing import Any

from craton_inv.errors import BadRequest, InvalidFields
from craton_inv.repositories.base import Repository
from craton_inv.schemas.v2.links import Link

LINK_FIELDS = {"id", "disassociate", "associate"}
# What the body calls differently from the column.
COLUMNS = {"variables": "variables_text", "organization": "tenant_id"}


class Wish(Enum):
    """What a body asks for."""

    ATTACH = "attach"
    DETACH = "detach"
    CREATE = "create"


def wish_of(body: Link) -> Wish:
    """What the body asks for. Raises BadRequest for a detach without an id."""
    given = body.model_fields_set
    if "disassociate" in given:
        if "id" not in given or body.id is None:
            raise BadRequest('"id" is required to disassociate', key="msg")
        return Wish.DETACH
    return Wish.ATTACH if "id" in given and body.id is not None else Wish.CREATE


async def linked(repository: Repository[Any], body: Link, *, lock: bool = False) -> Any:
    """The row that the body names. Raises BadRequest in AWX's words when the id is none or not to be seen."""
    if not isinstance(body.id, int) or isinstance(body.id, bool):
        raise BadRequest('"id" field must be an integer.', key="msg")
    row = await repository.find(body.id, lock=lock)
    if row is None:
        raise BadRequest(f"{repository.label} matching query does not exist.", code="unknown_reference")
    return row


def content_of(body: Any) -> dict[str, Any]:
    """The columns that a body sets. The inventory is not among them: it is settled elsewhere.

    Nor is what only old clients send and nothing reads.
    """
    values = body.model_dump(exclude_unset=True, exclude=LINK_FIELDS | {"inventory", "deprecated_group"})
    return {COLUMNS.get(name, name): value for name, value in values.items()}


def new_content(body: Link) -> dict[str, Any]:
    """As `content_of`, for a new row. Raises InvalidFields without a name."""
    if "name" not in body.model_fields_set:
        raise InvalidFields({"name": ["This field is required."]})
    return content_of(body)

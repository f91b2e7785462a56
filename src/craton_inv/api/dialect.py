"""What makes a dialect: how its lists are asked for, how its paths end, how its refusals look."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel
from sqlalchemy import ColumnElement

from craton_inv.api.errors import RenderBody
from craton_inv.filters.paths import singular
from craton_inv.repositories.base import Repository

Listed = TypeVar("Listed", bound=BaseModel)


class Presented(Protocol):
    """A schema that shows rows. `root` is the path below which links lie: /v1, /v2 or /api/v2."""

    @classmethod
    def of(cls, row: Any, root: str) -> Any:
        """The answer about `row`, completed by its repository."""


class Window(Protocol):
    """The part of a list that a request asks for, and the envelope it comes in."""

    async def answer(
        self,
        repository: Repository[Any],
        schema: type[Presented],
        envelope: type[Listed],
        *where: ColumnElement[bool],
    ) -> Listed:
        """That part of the rows that match `where` and the request's own filters."""


@dataclass(frozen=True)
class Dialect:
    """`slash` ends every path. `window` is the dependency that reads a list's parameters."""

    name: str
    slash: str
    window: Callable[..., Any]
    render: RenderBody
    error: type[BaseModel]

    def id_name(self, plural: str) -> str:
        """The name of the path parameter: `id` under /v2, `host_id` under /v1."""
        return "id" if self.slash else f"{singular(plural)}_id"

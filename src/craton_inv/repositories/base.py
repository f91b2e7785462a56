"""What every repository does: scoped reads, pages in two statements, writes whose constraint errors become refusals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, UnaryExpression, func, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import flag_modified

from craton_inv.db.base import Base
from craton_inv.errors import Conflict, Duplicate, NotFound
from craton_inv.filters import Search, by_id, counted_page, each_alone, found_page, kind_of_search, probe
from craton_inv.repositories.scope import WRITE, Scope
from craton_inv.repositories.sets import any_of

M = TypeVar("M", bound=Base)
Conditions = Sequence[ColumnElement[bool]]
Order = Sequence[ColumnElement[Any] | UnaryExpression[Any]]
MAX_ID = 2**63 - 1
RECORDING, ACTOR = "activity.recording", "activity.actor"
"""Keys of a session's info: that its writes are told in the activity stream, and on whose behalf they are."""
FEW = 1000
PROBED = 200
"""Rows at the beginning of an order by id that are asked whether they match: half a millisecond."""
RARE = 4
"""Matches among these below which finding all costs less than walking on to a page."""


@dataclass(frozen=True)
class Rows(Generic[M]):
    """One page: its rows, and the count of all that match (None when nobody asked for it)."""

    items: list[M]
    count: int | None


class Repository(Generic[M]):
    """Rows of one model within the caller's scope. Never commits: the edge does, once.

    `label` is the model's name in messages (AWX's words: "Host"). `unique_texts` maps a constraint to AWX's sentence.
    `lock_shares_key`: a locked row may be referred to meanwhile (SELECT ... FOR NO KEY UPDATE).
    """

    model: ClassVar[type[Any]]
    label: ClassVar[str]
    unique_texts: ClassVar[dict[str, str]] = {}
    write_roles: ClassVar[frozenset[str]] = WRITE
    lock_shares_key: ClassVar[bool] = False

    def __init__(self, session: AsyncSession, scope: Scope) -> None:
        self.session = session
        self.scope = scope
        if RECORDING in session.info:
            session.info[ACTOR] = scope.user_id

    def visible_condition(self) -> ColumnElement[bool]:
        """What keeps the rows that the caller may see. Tables whose owner is not a tenant override it."""
        return self.scope.where(self.model)

    def visible(self) -> Select[tuple[M]]:
        """All rows that the caller may see."""
        return select(self.model).where(self.visible_condition())

    async def find(self, row_id: int, *, lock: bool = False) -> M | None:
        """The row, or None when absent or not visible. `lock`: SELECT ... FOR UPDATE, and fresh values."""
        if not 0 < row_id <= MAX_ID:
            return None
        query = self.visible().where(self.model.id == row_id)
        if lock:
            query = query.with_for_update(of=self.model, key_share=self.lock_shares_key)
            query = query.execution_options(populate_existing=True)
        found: M | None = await self.session.scalar(query)
        return found

    async def get(self, row_id: int, *, lock: bool = False) -> M:
        """The row. Raises NotFound."""
        row = await self.find(row_id, lock=lock)
        if row is None:
            raise NotFound("Not found.")
        return row

    async def page(
        self,
        *,
        where: Sequence[ColumnElement[bool]] = (),
        order: Order = (),
        offset: int = 0,
        limit: int = 25,
        count: bool = True,
        searched: bool = False,
    ) -> Rows[M]:
        """Rows `offset` to `offset + limit` in `order`, and the count: two statements at most, whatever the size.

        The kind of the search decides (`filters.Search`). What is cheap to count is counted first: of few rows, and of
        those that only an index or a look at every row finds, the page comes from one scan (`filters.counted_page`),
        which gives the count of the latter along; of many, from a walk in the order asked for. Without a count,
        `searched` (somebody wrote a search that is in `where`) has it looked for first how frequent the matches are:
        an order with a limit has the planner walk an index until enough rare rows have come by. What has to look at
        every document is walked: it mostly finds a page soon.
        """
        scoped = (self.visible_condition(), *where)
        kind = kind_of_search(where)
        cheap = kind in (Search.PLAIN, Search.LINKED)
        total = None
        if count and cheap:
            total = await self._count(scoped)
            if total <= offset:
                return Rows([], total)
        if count and where and (total is None or total <= FEW):
            page = counted_page(self.model, scoped, order, offset=offset, limit=limit)
            found = (await self.session.execute(page)).all()
            if found or offset == 0:
                return Rows([row[0] for row in found], found[0].total if found else 0)
            return Rows([], await self._count(scoped))
        query = self.visible().where(*where).order_by(*(order or (self.model.id,))).offset(offset).limit(limit)
        if searched and not count and kind is not Search.PLAIN:
            better = await self._without_count(kind, scoped, order, offset, limit)
            query = query if better is None else better
        rows = await self.session.scalars(query)
        return Rows([*rows], total)

    async def _without_count(
        self, kind: Search, where: Conditions, order: Order, offset: int, limit: int
    ) -> Select[tuple[M]] | None:
        """The select that finds a page of a search soonest; None for a walk in the order asked for."""
        alone = kind is not Search.LINKED and each_alone(where)
        if kind is Search.BROAD and not alone:
            return None
        if not by_id(self.model, order):
            return found_page(self.model, where, order, offset=offset, limit=limit)
        if not alone:
            few = await self._few(where)
            return None if few is None else self._these(few, order, offset, limit)
        asked = (await self.session.execute(probe(self.model, where, order, rows=PROBED))).all()
        matching = [row_id for row_id, matches in asked if matches]
        if len(matching) >= offset + limit or len(asked) < PROBED:
            return self._these(matching, order, offset, limit)
        rare = len(matching) < RARE
        return found_page(self.model, where, order, offset=offset, limit=limit) if rare else None

    def _these(self, ids: Sequence[int], order: Order, offset: int, limit: int) -> Select[tuple[M]]:
        these = self.visible().where(any_of(self.model.id, ids))
        return these.order_by(*(order or (self.model.id,))).offset(offset).limit(limit)

    async def _count(self, where: Sequence[ColumnElement[bool]]) -> int:
        return await self.session.scalar(select(func.count()).select_from(self.model).where(*where)) or 0

    async def _few(self, where: Conditions) -> list[int] | None:
        """The ids of all rows that meet `where`, in no order; None when there are more than a few."""
        ids = list(await self.session.scalars(select(self.model.id).where(*where).limit(FEW + 1)))
        return ids if len(ids) <= FEW else None

    def authorize(self, row: M) -> None:
        """Raise unless the caller may write this row. Tables whose rights are not those of their tenant override it."""
        self.scope.require(getattr(row, "tenant_id"), self.write_roles, self.label.lower())  # noqa: B009

    async def add(self, row: M) -> M:
        """Insert, and read back what the database filled in. Raises Duplicate, Conflict."""
        self.authorize(row)
        for column in ("created_by_id", "modified_by_id"):
            if hasattr(row, column):
                setattr(row, column, self.scope.user_id)
        self.session.add(row)
        await self.flush()
        return row

    async def create(self, values: Mapping[str, Any]) -> M:
        """Insert a row of these column values. Tables whose rows need more than their body says override it."""
        row: M = self.model(**values)
        return await self.add(row)

    async def change(self, row: M, values: Mapping[str, Any]) -> M:
        """Set these columns of a row got with `lock=True` and write them."""
        for name, value in values.items():
            set_value(row, name, value)
        return await self.save(row)

    async def complete(self, rows: Sequence[M]) -> None:
        """Load what answers about these rows show beside their columns: one statement a relation, whatever the size."""

    async def save(self, row: M) -> M:
        """Write the changes of a row got with `lock=True`. Unchanged rows cost nothing. Raises Duplicate, Conflict."""
        self.authorize(row)
        if self.session.is_modified(row):
            if hasattr(row, "modified_by_id"):
                setattr(row, "modified_by_id", self.scope.user_id)  # noqa: B010
            await self.flush()
        return row

    async def delete(self, row: M) -> None:
        """Delete. Raises Conflict while something that must not go with it refers to the row."""
        self.authorize(row)
        await self.session.delete(row)
        await self.flush()

    async def flush(self) -> None:
        """Send what is pending; a refusal of the database becomes one of ours."""
        try:
            await self.session.flush()
        except IntegrityError as error:
            raise self.refusal(error) from error

    def refusal(self, error: DBAPIError) -> Conflict:
        """The refusal that a constraint's error means. Constraint names follow `db.base.NAMING`."""
        cause: Any = error.orig.__cause__ if error.orig is not None else None
        name = getattr(cause, "constraint_name", None) or ""
        kind = type(cause).__name__
        if kind == "UniqueViolationError":
            text = self.unique_texts.get(name, f"{self.label} with these values already exists.")
            return Duplicate(text)
        if kind == "ForeignKeyViolationError":
            return Conflict(f"{self.label} refers to, or is referred to by, something of another owner ({name}).")
        return Conflict(f"{self.label} violates the rule {name} of the database.")


def set_value(row: Any, name: str, value: Any) -> None:
    """Set a column. Of a JSON object the type counts too: 1 equals true in Python, but not in JSON."""
    differs = isinstance(value, dict) and repr(value) != repr(getattr(row, name))
    setattr(row, name, value)
    if differs:
        flag_modified(row, name)

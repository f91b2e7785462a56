"""The catalogue of fact paths: noted when facts are written, read by whoever wants to know what can be asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, SmallInteger, Text, cast, delete, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, aggregate_order_by, insert
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.db.engine import dump_json
from craton_inv.filters.shapes import Shape, kind_names
from craton_inv.models import FactPath
from craton_inv.repositories.scope import Scope

# Paths kept per tenant: hosts that invent keys (a path per container) must not fill the table.
MAX_PATHS = 20_000
FRESH = timedelta(days=1)
# When a tenant's share is full, paths that no host has had for so long make room.
FORGOTTEN = timedelta(days=90)


@dataclass(frozen=True)
class SeenPath:
    """A path as a filter writes it, the JSON types seen there, an example if there is one to show, and when last."""

    path: str
    types: list[str]
    example: Any
    last_seen: datetime


@dataclass(frozen=True)
class SeenPaths:
    """A page of the catalogue and the count of all that match. `full`: some tenant has had more than are kept."""

    items: list[SeenPath]
    count: int
    full: bool


class FactPathRepository:
    """Paths of the facts that the caller may see."""

    def __init__(self, session: AsyncSession, scope: Scope) -> None:
        self.session = session
        self.scope = scope

    async def page(self, *, prefix: str = "", containing: str = "", offset: int = 0, limit: int = 25) -> SeenPaths:
        """The paths that begin with `prefix`, in the order of their text; over all tenants of the caller, each once.

        `containing`: a text within them, in any case.
        """
        where: list[ColumnElement[bool]] = [self.scope.where(FactPath)]
        if prefix:
            where.append(FactPath.path.startswith(prefix, autoescape=True))
        if containing:
            where.append(FactPath.path.icontains(containing, autoescape=True))
        example = func.array_agg(aggregate_order_by(FactPath.example, FactPath.last_seen.desc()), type_=ARRAY(JSONB))
        rows = await self.session.execute(
            select(
                FactPath.path,
                func.bit_or(FactPath.kinds),
                example.filter(FactPath.example.is_not(None)),
                func.max(FactPath.last_seen),
            )
            .where(*where)
            .group_by(FactPath.path)
            .order_by(FactPath.path)
            .offset(offset)
            .limit(limit)
        )
        items = [
            SeenPath(path, kind_names(kinds), (examples or [None])[0], seen) for path, kinds, examples, seen in rows
        ]
        counts = select(func.count()).select_from(FactPath).where(self.scope.where(FactPath))
        per_tenant = counts.group_by(FactPath.tenant_id).subquery()
        count, most = (
            await self.session.execute(
                select(
                    select(func.count(FactPath.path.distinct())).where(*where).scalar_subquery(),
                    select(func.max(per_tenant.c[0])).scalar_subquery(),
                )
            )
        ).one()
        return SeenPaths(items, count, (most or 0) >= MAX_PATHS)

    async def note(self, tenant_id: int, found: Mapping[str, Shape]) -> None:
        """Keep what was seen, once in a transaction and after its rows of hosts are locked.

        Known paths cost one statement and write nothing. Concurrent writers are harmless: rows go in sorted.
        """
        news = await self._news(tenant_id, found) if found else {}
        if not news:
            return
        fresh = [path for path, known in news.items() if not known]
        room = await self._room(tenant_id, len(fresh)) if fresh else 0
        kept = sorted({*news} - {*sorted(fresh)[room:]})
        if not kept:
            return
        seen = (
            func.unnest(
                literal(kept, ARRAY(Text)),
                literal([found[path].kinds for path in kept], ARRAY(SmallInteger)),
                literal([_json(found[path].example) for path in kept], ARRAY(Text)),
            )
            .table_valued("path", "kinds", "example", name="seen")
            .render_derived()
        )
        statement = insert(FactPath).from_select(
            ["tenant_id", "path", "kinds", "example"],
            select(literal(tenant_id), seen.c.path, seen.c.kinds, cast(seen.c.example, JSONB)),
        )
        await self.session.execute(
            statement.on_conflict_do_update(
                index_elements=[FactPath.tenant_id, FactPath.path],
                set_={
                    "kinds": FactPath.kinds.op("|")(statement.excluded.kinds),
                    "example": func.coalesce(FactPath.example, statement.excluded.example),
                    "last_seen": func.now(),
                },
            )
        )

    async def _news(self, tenant_id: int, found: Mapping[str, Shape]) -> dict[str, bool]:
        """The paths that the catalogue lacks, with other types, or not seen for a day; whether each is there at all."""
        seen = (
            func.unnest(
                literal(list(found), ARRAY(Text)),
                literal([shape.kinds for shape in found.values()], ARRAY(SmallInteger)),
            )
            .table_valued("path", "kinds", name="seen")
            .render_derived()
        )
        query = (
            select(seen.c.path, FactPath.path.is_not(None))
            .outerjoin_from(seen, FactPath, (FactPath.tenant_id == tenant_id) & (FactPath.path == seen.c.path))
            .where(
                or_(
                    FactPath.path.is_(None),
                    FactPath.kinds.op("|")(seen.c.kinds) != FactPath.kinds,
                    FactPath.last_seen < func.now() - FRESH,
                )
            )
        )
        return {row[0]: row[1] for row in await self.session.execute(query)}

    async def _room(self, tenant_id: int, wanted: int) -> int:
        """How many more paths the tenant may have; long unseen ones go when that is too few."""
        own = FactPath.tenant_id == tenant_id
        room = MAX_PATHS - (await self.session.scalar(select(func.count()).select_from(FactPath).where(own)) or 0)
        if room < wanted:
            old = delete(FactPath).where(own, FactPath.last_seen < func.now() - FORGOTTEN).returning(FactPath.path)
            room += len((await self.session.scalars(old)).all())
        return max(room, 0)


def _json(example: Any) -> str | None:
    return None if example is None else dump_json(example)

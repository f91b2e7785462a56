"""Reading the links of a source that lead nowhere."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import UnconnectedLink

SHOWN = 100  # links that a run lists; the total tells of the others


async def unconnected_links(session: AsyncSession, source_id: int, limit: int = SHOWN) -> dict[str, Any]:
    """`total`, and `links`: the oldest ones, both ends of each and since when, as plain values for JSON.

    `source_id` is of a source that the caller may see.
    """
    of_source = UnconnectedLink.inventory_source_id == source_id
    total = func.count().over().label("total")
    query = select(UnconnectedLink, total).where(of_source).order_by(UnconnectedLink.id).limit(limit)
    rows = (await session.execute(query)).all()
    return {"total": rows[0].total if rows else 0, "links": [_shown(link) for link, _ in rows]}


def _shown(link: UnconnectedLink) -> dict[str, Any]:
    return {
        "collection": link.collection,
        "object": link.object_ref,
        "attribute": link.attribute,
        "target_collection": link.target_collection,
        "target": link.target_ref,
        "ambiguous": link.ambiguous,
        "first_seen": link.first_seen.isoformat(),
    }

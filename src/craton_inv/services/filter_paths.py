"""The paths that a host_filter can name: those of the models, and in facts those that some host has had."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.filters.completion import Choice, Inside, complete
from craton_inv.models import Host
from craton_inv.repositories.fact_paths import FactPathRepository
from craton_inv.repositories.scope import Scope
from craton_inv.services.fact_hints import FACTS


@dataclass(frozen=True)
class KnownPath:
    """A path; of one in facts also the JSON types seen there, and an example unless it might be a secret."""

    choice: Choice
    types: list[str] = field(default_factory=list)
    example: Any = None


@dataclass(frozen=True)
class KnownPaths:
    """A page of paths and the count of all."""

    items: list[KnownPath]
    count: int


async def known_paths(
    session: AsyncSession, scope: Scope, prefix: str, search: str, *, offset: int, limit: int
) -> KnownPaths:
    """The paths that begin with `prefix` and contain `search`, by their text. Of facts: those of the caller's hosts.

    A `search` from the start looks at facts too, behind the fields: whoever searches does not know where a thing is.
    """
    found = complete(prefix, Host)
    repository = FactPathRepository(session, scope)
    if isinstance(found, list):
        kept = [KnownPath(choice) for choice in found if search.lower() in choice.path.lower()]
        page = kept[offset : offset + limit]
        if not search or not FACTS.startswith(prefix):
            return KnownPaths(page, len(kept))
        inside = Inside("", FACTS, FACTS)
        more = await _paths_of_facts(repository, inside, search, max(0, offset - len(kept)), limit - len(page))
        return KnownPaths(page + more.items, len(kept) + more.count)
    if found.root != FACTS:
        return KnownPaths([], 0)
    return await _paths_of_facts(repository, found, search, offset, limit)


async def _paths_of_facts(
    repository: FactPathRepository, inside: Inside, search: str, offset: int, limit: int
) -> KnownPaths:
    seen = await repository.page(prefix=inside.rest, containing=search, offset=offset, limit=limit)
    items = [KnownPath(Choice(inside.before + item.path, "json"), item.types, item.example) for item in seen.items]
    return KnownPaths(items, seen.count)

"""What the catalogue of fact paths says about the terms of a filter: other types than asked for, paths not known."""

from collections.abc import Collection
from dataclasses import dataclass, field

from craton_inv.filters.explain import ExplainedTerm
from craton_inv.filters.facts import JsonField
from craton_inv.filters.hints import nearest_paths, type_clash
from craton_inv.filters.nodes import Leaf
from craton_inv.filters.shapes import kind_names, written_path
from craton_inv.repositories import fact_path_search
from craton_inv.repositories.host_filters import Budget, HostFilterRepository
from craton_inv.repositories.scope import Scope

FACTS = "ansible_facts"
# Unknown paths of one filter that alike ones are looked for: each reads the whole catalogue.
LOOKED_UP = 5


@dataclass(frozen=True)
class FactHints:
    """Sentences about one term, and known paths that look like its unknown one."""

    warnings: list[str] = field(default_factory=list)
    similar: list[str] = field(default_factory=list)


async def fact_hints(
    repository: HostFilterRepository, scope: Scope, terms: Collection[ExplainedTerm], budget: Budget
) -> dict[Leaf, FactHints]:
    """Hints for those terms over facts that need some: two statements, and none when there are no facts asked for."""
    paths = {term.leaf: path for term in terms if (path := fact_path(term)) is not None}
    asked = sorted({*paths.values()})
    known = await repository.rows([fact_path_search.types_at(scope, asked)] if asked else [], budget.share(0.5))
    if known is None:
        return {}
    types = {path: kind_names(kinds) for path, kinds in known}
    unknown = [path for path in asked if path not in types][:LOOKED_UP]
    alike = await repository.rows([fact_path_search.alike(scope, unknown)] if unknown else [], budget.share(0.5))
    similar = {
        path: nearest_paths(path, [other for asked_for, other in alike or () if asked_for == path]) for path in unknown
    }
    found = {}
    for term in terms:
        path = paths.get(term.leaf)
        if path is not None:
            clash = type_clash(term, types.get(path, []))
            found[term.leaf] = FactHints([clash] if clash else [], similar.get(path, []))
    return found


def fact_path(term: ExplainedTerm) -> str | None:
    """The path of a term over facts as the catalogue writes it; None for other terms."""
    if not isinstance(term.field, JsonField):
        return None
    whole, below = term.leaf.path, len(term.field.path)
    end = len(whole) - (term.compiled.target.lookup is not None)
    return written_path(FACTS, whole[end - below : end]) if whole[end - below - 1].name == FACTS else None

"""Finding providers: every folder of this package with a PROVIDER, then the entry points `craton_inv.providers`."""

import pkgutil
from functools import lru_cache
from importlib import import_module
from importlib.metadata import entry_points

import craton_inv.providers
from craton_inv.errors import InvalidField, SetupError
from craton_inv.providers.base import Provider

ENTRY_POINTS = "craton_inv.providers"


@lru_cache
def providers() -> dict[str, Provider]:
    """All providers by kind. Raises SetupError when two claim one kind or an entry point is no provider."""
    found: dict[str, Provider] = {}
    candidates: list[tuple[str, object]] = [
        (module.name, getattr(import_module(module.name), "PROVIDER", None))
        for module in pkgutil.iter_modules(craton_inv.providers.__path__, "craton_inv.providers.")
        if module.ispkg
    ]
    candidates += [(point.value, point.load()) for point in entry_points(group=ENTRY_POINTS)]
    for origin, provider in candidates:
        if not isinstance(provider, Provider):
            raise SetupError(f"{origin} has no PROVIDER that is a provider of craton-inv.")
        if provider.kind in found:
            raise SetupError(f"Two providers claim the kind {provider.kind!r}; the second is {origin}.")
        found[provider.kind] = provider
    return found


def kinds() -> list[str]:
    """The kinds a source may name, sorted; manual sources have none."""
    return sorted(providers())


def get(kind: str) -> Provider:
    """The provider of a kind. Raises InvalidField."""
    provider = providers().get(kind)
    if provider is None:
        raise InvalidField("source", f'"{kind}" is not a valid choice.')
    return provider

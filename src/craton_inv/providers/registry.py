"""Finding providers: every folder of this package, then the entry points `craton_inv.providers`.

A folder offers one kind as PROVIDER or several as PROVIDERS; an entry point leads to a provider or to several.
"""

import pkgutil
from collections.abc import Iterable
from functools import lru_cache
from importlib import import_module
from importlib.metadata import entry_points

import craton_inv.providers
from craton_inv.errors import InvalidField, SetupError
from craton_inv.providers.base import Provider, SourceDefinition, Surroundings
from craton_inv.providers.untrusted import UntrustedParser
from craton_inv.refresh.refresher import Refresher
from craton_inv.refresh.target import Targets

ENTRY_POINTS = "craton_inv.providers"


@lru_cache
def providers() -> dict[str, Provider]:
    """All providers by kind. Raises SetupError when two claim one kind or an entry point is no provider."""
    found: dict[str, Provider] = {}
    candidates = [
        (module.name, _offered(import_module(module.name)))
        for module in pkgutil.iter_modules(craton_inv.providers.__path__, "craton_inv.providers.")
        if module.ispkg
    ]
    candidates += [(point.value, point.load()) for point in entry_points(group=ENTRY_POINTS)]
    for origin, provider in ((origin, one) for origin, offered in candidates for one in _several(offered)):
        if not isinstance(provider, Provider):
            raise SetupError(f"{origin} has no PROVIDER that is a provider of craton-inv.")
        if provider.kind in found:
            raise SetupError(f"Two providers claim the kind {provider.kind!r}; the second is {origin}.")
        found[provider.kind] = provider
    return found


def _offered(folder: object) -> object:
    return getattr(folder, "PROVIDERS", getattr(folder, "PROVIDER", None))


def _several(offered: object) -> Iterable[object]:
    return offered if isinstance(offered, tuple | list) else (offered,)


def kinds() -> list[str]:
    """The kinds a source may name, sorted; manual sources have none."""
    return sorted(providers())


def get(kind: str) -> Provider:
    """The provider of a kind. Raises InvalidField."""
    provider = providers().get(kind)
    if provider is None:
        raise InvalidField("source", f'"{kind}" is not a valid choice.')
    return provider


def refresher(definition: SourceDefinition, targets: Targets, around: Surroundings) -> Refresher:
    """The refresher of one update; what a kind that is not trusted delivers passes a guard. Raises InvalidField."""
    provider = get(definition.kind)
    made = provider.refresher(definition, targets, around)
    if not provider.trusted:
        made.parser = UntrustedParser(made.parser, definition.trusted_connection_vars, around.say)
    return made

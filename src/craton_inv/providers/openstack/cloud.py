"""What is asked of OpenStack: pages of a list of a service, of a real one or of recorded answers."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from craton_inv.errors import UpdateFailed
from craton_inv.providers.credentials.definitions import ProviderCredential

Item = Mapping[str, Any]
KIND = "openstack"


class NoSuchService(UpdateFailed):
    """The cloud's catalog has no such service in the region."""


class Cloud(Protocol):
    """Where answers come from. `service`: openstacksdk's name, such as block_storage; `path`: below its version."""

    def items(self, service: str, path: str, key: str, **parameters: Any) -> AsyncIterator[Item]:
        """The objects of a list, page by page.

        Raises NoSuchService, BlockedAddress, RemoteFault, TransientError, UpdateFailed.
        """

    async def one(self, service: str, path: str, ref: str, key: str) -> Item | None:
        """One object of a list by its id; None when there is none."""

    async def project(self) -> str:
        """The id of the project that is read; "" when that is not known."""

    async def close(self) -> None:
        """Let go of connections."""


def login_of(credentials: Iterable[ProviderCredential]) -> ProviderCredential | None:
    """The first credential for OpenStack."""
    return next((credential for credential in credentials if credential.kind == KIND), None)


class Recorded:
    """Answers kept as files, `<service>.<path, dots for slashes>.json`: a list in one page; absent means nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def items(self, service: str, path: str, key: str, **parameters: Any) -> AsyncIterator[Item]:
        """The whole list, whatever was asked for: who asks picks what he wanted."""
        file = self.folder / f"{service}{path.replace('/', '.')}.json"
        if await asyncio.to_thread(file.is_file):
            for item in items_of(json.loads(await asyncio.to_thread(file.read_text, "utf-8")), key):
                yield item

    async def one(self, service: str, path: str, ref: str, key: str) -> Item | None:
        """The object of the list that has the id."""
        plural = "nodes" if key == "node" else f"{key}s"
        async for item in self.items(service, path, plural):
            if identity(item) == ref:
                return item
        return None

    async def project(self) -> str:
        """Unknown."""
        return ""

    async def close(self) -> None:
        """Nothing is open."""


def identity(item: Item) -> str:
    """What a service calls an object: Ironic says uuid, all others id."""
    return str(item.get("id") or item.get("uuid") or "")


def is_id(ref: str) -> bool:
    """Whether a text can be an id at all, and may stand in a path."""
    return all(char.isalnum() or char in "-_." for char in ref) and ref.strip(".") != ""


def items_of(body: Any, key: str) -> list[Item]:
    """The objects of an answer. Raises UpdateFailed for what is no list of objects with ids."""
    found = body.get(key) if isinstance(body, dict) else None
    if not isinstance(found, list) or not all(isinstance(item, dict) and identity(item) for item in found):
        raise UpdateFailed(f"An answer has no list of {key} with ids.")
    return found

"""Asking Amazon: pages of an operation in a region, from the network or from recorded answers; faults in our words."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from craton_inv.errors import TransientError, UpdateFailed
from craton_inv.providers.base import Surroundings
from craton_inv.providers.credentials.definitions import ProviderCredential
from craton_inv.providers.extras import AWS

Page = Mapping[str, Any]
KIND = "aws"
CONNECT_SECONDS, READ_SECONDS = 10, 60
ATTEMPTS = 4  # of botocore, with its back-off, for each page
PAGE_SIZE = 1000
# Answers that a little later may be others.
PASSING = frozenset(
    {"RequestLimitExceeded", "Throttling", "ThrottlingException", "InternalError", "InternalFailure",
     "ServiceUnavailable", "Unavailable", "RequestTimeout"}
)  # fmt: skip


class Cloud(Protocol):
    """Where answers come from."""

    def pages(self, region: str, operation: str, **parameters: Any) -> AsyncIterator[Page]:
        """The pages that an operation (`describe_instances`) gives."""

    async def close(self) -> None:
        """Let go of connections."""


@dataclass(frozen=True)
class Keys:
    """What a credential gives. No value shows in its repr."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    token: str = field(repr=False, default="")


def keys_of(credentials: Iterable[ProviderCredential]) -> Keys | None:
    """The keys of the first credential for Amazon."""
    for credential in credentials:
        if credential.kind == KIND:
            names = ("username", "password", "security_token")
            return Keys(*(str(credential.get(name)) for name in names))
    return None


class Live:
    """The real thing, over aiobotocore: one client a region, opened when it is first asked."""

    def __init__(self, keys: Keys | None, around: Surroundings) -> None:
        self.keys = keys
        self.around = around
        self._clients: dict[str, Any] = {}
        self._open = AsyncExitStack()

    async def pages(self, region: str, operation: str, **parameters: Any) -> AsyncIterator[Page]:
        """The pages of an operation, one after another. Raises TransientError, UpdateFailed."""
        faults = AWS.load("botocore.exceptions")
        try:
            client = await self._client(region)
            async for page in client.get_paginator(operation).paginate(**parameters):
                yield page
        except faults.ClientError as error:
            raise _refused(region, operation, error.response) from error
        except (faults.BotoCoreError, AWS.load("botocore.parsers").ResponseParserError) as error:
            raise _unreachable(region, operation, error) from error

    async def _client(self, region: str) -> Any:
        if region not in self._clients:
            keys: dict[str, Any] = {}
            if self.keys is not None:
                keys = {"aws_access_key_id": self.keys.access_key, "aws_secret_access_key": self.keys.secret_key}
                keys["aws_session_token"] = self.keys.token or None
            config = AWS.load("aiobotocore.config").AioConfig(
                connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries={"total_max_attempts": ATTEMPTS}
            )
            client = _session().create_client(
                "ec2", region_name=region, endpoint_url=self.around.settings.aws_endpoint_url, config=config, **keys
            )
            self._clients[region] = await self._open.enter_async_context(client)
        return self._clients[region]

    async def close(self) -> None:
        """Close the clients."""
        await self._open.aclose()


class Recorded:
    """Answers kept as files, `<region>.<operation>.json`: what an operation gave, in one page; absent means nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def pages(self, region: str, operation: str, **parameters: Any) -> AsyncIterator[Page]:
        """The one page, whatever was asked for: who asks picks what he wanted."""
        path = self.folder / f"{region}.{operation}.json"
        if await asyncio.to_thread(path.is_file):
            yield json.loads(await asyncio.to_thread(path.read_text, "utf-8"))

    async def close(self) -> None:
        """Nothing is open."""


@cache
def _session() -> Any:
    """One for the process: it keeps the description of EC2, which takes a second to read. It holds no keys."""
    return AWS.load("aiobotocore.session").get_session()


def _refused(region: str, operation: str, response: Mapping[str, Any]) -> Exception:
    error = response.get("Error", {})
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    text = f"{region}: {operation} was refused: {error.get('Code', status)}: {error.get('Message', '')}".strip(": ")
    if error.get("Code") in PASSING or status >= 500:
        return TransientError(text)
    return UpdateFailed(text)


def _unreachable(region: str, operation: str, error: Exception) -> Exception:
    text = f"{region}: {operation} got no answer that can be read: {str(error).splitlines()[0]}"
    lasting = type(error).__name__ in ("NoCredentialsError", "PartialCredentialsError", "ParamValidationError")
    return UpdateFailed(text) if lasting else TransientError(text)

"""Inventories that another service gives over HTTP: asked for with what it said last time, and read strictly.

An answer that nothing changed ends the refresh without a row being written; it is only believed while the inventory
and the source are as that earlier refresh left them (the worker forgets what a source remembers otherwise).
"""

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from craton_inv.ansible.variables_text import load_json
from craton_inv.errors import InvalidField, RemoteFault, TransientError, UpdateFailed
from craton_inv.http_out import Limits
from craton_inv.http_out.door import Answer
from craton_inv.providers.base import SourceDefinition, Surroundings
from craton_inv.refresh.collector import Collector
from craton_inv.refresh.counts import Counts
from craton_inv.refresh.refresher import Refresher
from craton_inv.refresh.saving import SaveOptions
from craton_inv.refresh.target import Targets

SECONDS = 120.0
NOT_MODIFIED = 304
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
VALIDATORS = "validators"


@dataclass(frozen=True)
class RemoteRequest:
    """What is asked for."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    verify: bool = True


async def ask(around: Surroundings, request: RemoteRequest) -> Answer | None:
    """The inventory's answer; None when nothing changed since the last refresh. Remembers what to ask next time.

    Raises BlockedAddress, RemoteFault, TransientError.
    """
    known = around.remembered.get(VALIDATORS)
    conditions = dict(known.get("headers", {})) if isinstance(known, dict) and known.get("url") == request.url else {}
    limits = Limits(seconds=SECONDS, size=around.settings.upload_limit)
    answer = await around.http().get(
        request.url, headers={**request.headers, **conditions}, limits=limits, verify=request.verify
    )
    if answer.status == NOT_MODIFIED and conditions:
        around.say("Nothing changed since the last update.")
        return None
    if answer.status != 200:
        raise _refused(answer)
    around.remember({VALIDATORS: {"url": request.url, "headers": answer.validators}} if answer.validators else {})
    return answer


def _refused(answer: Answer) -> Exception:
    where = answer.url.partition("?")[0]
    if answer.status in PASSING:
        return TransientError(f"{where} answers {answer.status}.")
    if answer.status in (401, 403):
        return RemoteFault(f"{where} answers {answer.status}: the source needs a credential, or another one.")
    return RemoteFault(f"{where} answers {answer.status}.")


def authorization(definition: SourceDefinition) -> dict[str, str]:
    """The header that a source's credential makes: a token if it has one, else name and password."""
    for credential in definition.credentials:
        token = credential.get("oauth_token") or credential.get("token")
        if token:
            return {"Authorization": f"Bearer {token}"}
        if credential.get("username") and credential.get("password"):
            pair = f"{credential.get('username')}:{credential.get('password')}".encode()
            return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    return {}


def read_document(content: bytes) -> dict[str, Any]:
    """The document of an inventory script. Raises UpdateFailed for what is no JSON object of that shape."""
    try:
        document = load_json(content.decode("utf-8-sig"), "document")
    except InvalidField as error:
        raise UpdateFailed(f"The inventory cannot be read: {error.message}") from error
    except ValueError as error:
        raise UpdateFailed(f"The inventory is no JSON: {error}.") from error
    if not isinstance(document, dict):
        raise UpdateFailed("The inventory is something other than a JSON object.")
    # A group may be written as the mere list of its hosts.
    return {name: {"hosts": group} if isinstance(group, list) else group for name, group in document.items()}


class DocumentCollector(Collector):
    """`document` is what the other service says, `unchanged` that it said so before."""

    def __init__(self, targets: Targets, around: Surroundings, request: RemoteRequest) -> None:
        super().__init__(targets)
        self.around = around
        self.request = request
        self.unchanged = False
        self.document: Mapping[str, Any] = {}

    async def collect(self) -> None:
        """Ask, and read the answer. Raises UpdateFailed and as `ask`."""
        answer = await ask(self.around, self.request)
        if answer is None:
            self.unchanged = True
            return
        self.document = await asyncio.to_thread(read_document, answer.content)


class RemoteRefresher(Refresher):
    """Leaves everything as it is when the collector found nothing changed."""

    @property
    def unchanged(self) -> bool:
        """Whether there is nothing to save."""
        return bool(getattr(self.collector, "unchanged", False))

    async def parse(self) -> None:
        """Nothing, or as always."""
        if not self.unchanged:
            await super().parse()

    async def save(self, connection: AsyncConnection, options: SaveOptions) -> dict[str, Counts]:
        """Nothing, or as always."""
        return {} if self.unchanged else await super().save(connection, options)

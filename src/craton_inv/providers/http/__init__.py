"""Kind `http`: an inventory at a URL. `source_vars`: {url, format, headers, verify}.

`format` json is the document of an inventory script (`--list`); yaml and ini are Ansible inventories, which the real
ansible-inventory reads in its sandbox. A credential of the source logs in: by its token, or its name and password.
"""

import re
from pathlib import Path
from typing import Literal, cast

from pydantic import Field, field_validator

from craton_inv.errors import BlockedAddress, InvalidField
from craton_inv.http_out import check_url
from craton_inv.providers.ansible_inventory.command import check_limit
from craton_inv.providers.ansible_json import AnsibleJsonParser
from craton_inv.providers.base import Provider, ProviderConfig, SourceDefinition, Surroundings
from craton_inv.providers.host_values import rules_of
from craton_inv.providers.http.collector import HttpInventoryCollector
from craton_inv.providers.inventory_persister import InventoryPersister
from craton_inv.providers.remote import DocumentCollector, RemoteRefresher, RemoteRequest, authorization
from craton_inv.refresh.refresher import Refresher
from craton_inv.refresh.target import Targets
from craton_inv.settings import Settings

# What HTTP itself sets, and what belongs into a credential.
REFUSED_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "host", "connection", "content-length", "content-encoding",
     "accept-encoding", "transfer-encoding", "te", "trailer", "upgrade", "expect", "if-none-match", "if-modified-since",
     "range"}
)  # fmt: skip
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}\Z")


class HttpConfig(ProviderConfig):
    """What `source_vars` may say."""

    url: str = Field(min_length=1, max_length=2048)
    format: Literal["json", "yaml", "ini"] = "json"
    headers: dict[str, str] = Field(default_factory=dict, max_length=20)
    verify: bool = True

    @field_validator("headers")
    @classmethod
    def _plain_headers(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if not _HEADER.match(name) or any(ord(char) < 32 or ord(char) == 127 for char in value):
                raise ValueError("a header has a name of letters and dashes, and a text in one line")
            if name.lower() in REFUSED_HEADERS:
                raise ValueError(f"the header {name} is not for source_vars; what logs in belongs into a credential")
        return headers


class HttpProvider(Provider):
    """Reads one URL, conditionally; what comes is not trusted: templates in it are never run."""

    kind = "http"
    config = HttpConfig

    def check(self, definition: SourceDefinition, settings: Settings) -> None:
        """The configuration fits, and the URL is one that the service follows."""
        self._config(definition, settings)
        check_limit(definition.limit)

    def refresher(self, definition: SourceDefinition, targets: Targets, around: Surroundings) -> Refresher:
        """Collector by format, shared parser, standard persister."""
        config = self._config(definition, around.settings)
        request = RemoteRequest(config.url, {**config.headers, **authorization(definition)}, config.verify)
        collector: DocumentCollector | HttpInventoryCollector
        if config.format == "json":
            collector = DocumentCollector(targets, around, request)
        else:
            collector = HttpInventoryCollector(definition, targets, around, request, config.format)
        persister = InventoryPersister(definition.inventory_id, definition.host_filter)
        parser = AnsibleJsonParser(lambda: collector.document, persister, rules_of(definition), around.say)
        return RemoteRefresher(collector, parser, persister, around.progress)

    def _config(self, definition: SourceDefinition, settings: Settings) -> HttpConfig:
        config = cast(HttpConfig, self.read_config(definition.source_vars))
        try:
            check_url(config.url, settings.http_out_allow)
        except BlockedAddress as error:
            raise InvalidField("source_vars", f"url: {error.message}", code=error.code) from error
        return config

    def sample(self, folder: Path) -> SourceDefinition:
        """A recorded answer, at a URL that the tests know."""
        return SourceDefinition(0, 0, 0, self.kind, source_vars='{"url": "https://inventory.example.org/hosts.json"}')


PROVIDER = HttpProvider()

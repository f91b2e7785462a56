"""Kind `controller`: an inventory of another craton_inv, or of an AWX, by its script endpoint.

`source_vars`: {inventory_id, host, verify_ssl, validate_certs}, as AWX's inventory plugin calls them; `host` and
`verify_ssl` of a credential stand in for those that are not given. `inventory_id` is a number or AWX's
`name++organization`. Hosts keep the id they have over there, and are renamed in place.
"""

from pathlib import Path
from typing import cast
from urllib.parse import quote

from pydantic import Field

from craton_inv.errors import BlockedAddress, InvalidField, UpdateFailed
from craton_inv.http_out import check_url
from craton_inv.providers.ansible_json import AnsibleJsonParser
from craton_inv.providers.base import Provider, ProviderConfig, SourceDefinition, Surroundings
from craton_inv.providers.host_values import HostRules, rules_of
from craton_inv.providers.inventory_persister import InventoryPersister
from craton_inv.providers.remote import DocumentCollector, RemoteRefresher, RemoteRequest, authorization
from craton_inv.refresh.refresher import Refresher
from craton_inv.refresh.target import Targets
from craton_inv.settings import Settings

# What the other side tells about each host (towervars), as AWX reads it.
RULES = HostRules(
    enabled_var="remote_tower_enabled", enabled_value="true", instance_id="remote_tower_id", empty_groups=False
)
QUERY = "hostvars=1&towervars=1&all=1"


class ControllerConfig(ProviderConfig):
    """What `source_vars` may say. `plugin` is tolerated: it stands in every configuration of AWX's plugin."""

    inventory_id: int | str = Field(description="A number, or name++organization.")
    host: str = Field("", max_length=1024, description="https:// and a host.")
    verify_ssl: bool | None = None
    validate_certs: bool | None = None
    plugin: str = ""


class ControllerProvider(Provider):
    """Reads one document, conditionally; what comes is not trusted: templates in it are never run."""

    kind = "controller"
    config = ControllerConfig

    def check(self, definition: SourceDefinition, settings: Settings) -> None:
        """The configuration fits; the host, if it stands there, is one that the service follows."""
        config = self._config(definition)
        if config.host:
            _check_host(config.host, settings)
        if definition.limit:
            raise InvalidField("limit", "A source of this kind takes no limit; host_filter chooses hosts.")

    def refresher(self, definition: SourceDefinition, targets: Targets, around: Surroundings) -> Refresher:
        """Collector, shared parser, standard persister."""
        config = self._config(definition)
        credential = next(iter(definition.credentials), None)
        host = config.host or (str(credential.get("host")) if credential is not None else "")
        if not host:
            raise UpdateFailed("The source names no host: neither source_vars nor its credential has one.")
        _check_host(host, around.settings)
        asked = config.verify_ssl if config.verify_ssl is not None else config.validate_certs
        # A box of the credential that is unticked counts; one that was never touched does not.
        verify = asked if asked is not None else credential is None or credential.get("verify_ssl") is not False
        url = f"{_base(host)}/api/v2/inventories/{quote(str(config.inventory_id), safe='+[]')}/script/?{QUERY}"
        request = RemoteRequest(url, {"Accept": "application/json", **authorization(definition)}, verify)
        collector = DocumentCollector(targets, around, request)
        persister = InventoryPersister(definition.inventory_id, definition.host_filter)
        parser = AnsibleJsonParser(lambda: collector.document, persister, rules_of(definition, RULES), around.say)
        return RemoteRefresher(collector, parser, persister, around.progress)

    def _config(self, definition: SourceDefinition) -> ControllerConfig:
        return cast(ControllerConfig, self.read_config(definition.source_vars))

    def sample(self, folder: Path) -> SourceDefinition:
        """A recorded answer, at a host that the tests know."""
        return SourceDefinition(
            0, 0, 0, self.kind, source_vars='{"host": "https://controller.example.org", "inventory_id": 1}'
        )


def _base(host: str) -> str:
    """`host` as the beginning of a URL: AWX's users write it with and without a scheme."""
    return (host if "://" in host else f"https://{host}").rstrip("/")


def _check_host(host: str, settings: Settings) -> None:
    try:
        url = check_url(_base(host), settings.http_out_allow)
    except BlockedAddress as error:
        raise InvalidField("source_vars", f"host: {error.message}", code=error.code) from error
    if "?" in url.target:
        raise InvalidField("source_vars", "host: a host has no query.")


PROVIDER = ControllerProvider()

"""Asking OpenStack: pages of a list of a service, from the network or from recorded answers; faults in our words."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from craton_inv.errors import RemoteFault, TransientError, UpdateFailed
from craton_inv.http_out import check_url
from craton_inv.providers.base import Surroundings
from craton_inv.providers.credentials.definitions import ProviderCredential
from craton_inv.providers.extras import OPENSTACK
from craton_inv.providers.openstack.guard import GuardedAdapter

load = OPENSTACK.load
Item = Mapping[str, Any]
KIND = "openstack"
PAGE_SIZE = 1000
REDIRECTS = 3
NO_SUCH = 404
DEFAULT_DOMAIN = "Default"
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
# What a service is asked in: 2.26 tells a server's tags and its flavor's id, 2.53 a hypervisor's size; 1.31 a node.
MICROVERSIONS = {"hypervisors": "2.53", "servers": "2.26", "flavors": "2.26", "nodes": "1.31"}


class Cloud(Protocol):
    """Where answers come from. `service`: openstacksdk's name, such as block_storage; `path`: below its version."""

    def items(self, service: str, path: str, key: str, **parameters: Any) -> AsyncIterator[Item]:
        """The objects of a list, page by page. Raises BlockedAddress, RemoteFault, TransientError, UpdateFailed."""

    async def one(self, service: str, path: str, ref: str, key: str) -> Item | None:
        """One object of a list by its id; None when there is none."""

    async def close(self) -> None:
        """Let go of connections."""


def login_of(credentials: Iterable[ProviderCredential]) -> ProviderCredential | None:
    """The first credential for OpenStack."""
    return next((credential for credential in credentials if credential.kind == KIND), None)


class Live:
    """The real thing, over openstacksdk, which works in a thread: one request at a time."""

    def __init__(self, login: ProviderCredential, region: str, around: Surroundings) -> None:
        self.login = login
        self.region = region
        self.around = around
        self._connection: Any = None

    async def items(self, service: str, path: str, key: str, **parameters: Any) -> AsyncIterator[Item]:
        """Pages by marker, as long as an answer says that there is another one."""
        asked: dict[str, Any] = {**parameters, "limit": PAGE_SIZE}
        while True:
            body = await asyncio.to_thread(self._get, service, path, asked, key)
            found = items_of(body, key)
            for item in found:
                yield item
            marker = identity(found[-1]) if found else None
            if marker is None or not _has_next(body, key):
                return
            if marker == asked.get("marker"):
                raise UpdateFailed(f"{service} gives the page of {path} that ends with {marker} again and again.")
            asked["marker"] = marker

    async def one(self, service: str, path: str, ref: str, key: str) -> Item | None:
        """One object; a list's path without its `/detail`, and the id."""
        if not ref or not all(char.isalnum() or char in "-_." for char in ref) or ref.strip(".") == "":
            return None  # no id of OpenStack
        body = await asyncio.to_thread(self._get, service, f"{path.removesuffix('/detail')}/{ref}", {}, key, True)
        if body is None:
            return None
        item = body if "uuid" in body else body.get(key, body)
        return items_of({key: [item]}, key)[0]

    def _get(self, service: str, path: str, parameters: Mapping[str, Any], key: str, absent: bool = False) -> Any:
        """The JSON of an answer; None for what is not there, if that may be."""
        faults, ours = load("keystoneauth1.exceptions"), load("openstack.exceptions")
        try:
            options: dict[str, Any] = {"params": dict(parameters), "raise_exc": False}
            for part, version in MICROVERSIONS.items():
                if part in path.split("/")[1].split("-"):
                    options["microversion"] = version
            # By keystoneauth's own method: openstacksdk's wrapper keeps each path for its metrics, and warns of itself.
            asking = getattr(self._open(), service)
            response = load("keystoneauth1.adapter").Adapter.request(asking, path, "GET", **options)
        except (faults.ClientException, ours.SDKException, load("requests.exceptions").RequestException) as error:
            raise _unreachable(service, path, error, faults) from error
        if absent and response.status_code == NO_SUCH:
            return None
        if response.status_code != 200:
            raise _refused(service, path, response.status_code)
        try:
            return response.json()
        except ValueError as error:
            raise UpdateFailed(f"{service} answers {path} with what is no JSON.") from error

    def _open(self) -> Any:
        if self._connection is None:
            host = self.login.get("host")
            check_url(host, self.around.http().allow)
            domain, of_project = self.login.get("domain"), self.login.get("project_domain_name")
            auth = load("keystoneauth1.identity.generic").Password(
                auth_url=host,
                username=self.login.get("username"),
                password=self.login.get("password"),
                project_name=self.login.get("project"),
                user_domain_name=domain or of_project or DEFAULT_DOMAIN,
                project_domain_name=of_project or domain or DEFAULT_DOMAIN,
            )
            under = load("requests").Session()
            under.trust_env = False
            adapter = GuardedAdapter(self.around.http(), load("requests.adapters"), self.around.settings.upload_limit)
            for scheme in ("http://", "https://"):
                under.mount(scheme, adapter)
            trusted: str | bool = ssl.get_default_verify_paths().cafile or True  # the machine's own authorities
            session = load("keystoneauth1.session").Session(
                auth=auth,
                session=under,
                verify=trusted if self.login.get("verify_ssl", True) else False,
                redirect=REDIRECTS,
            )
            region = self.region or self.login.get("region") or None
            self._connection = load("openstack.connection").Connection(session=session, region_name=region)
            self._under = under
        return self._connection

    async def close(self) -> None:
        """Close the connections."""
        if self._connection is not None:
            await asyncio.to_thread(self._connection.close)
            self._under.close()


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

    async def close(self) -> None:
        """Nothing is open."""


def identity(item: Item) -> str:
    """What a service calls an object: Ironic says uuid, all others id."""
    return str(item.get("id") or item.get("uuid") or "")


def items_of(body: Any, key: str) -> list[Item]:
    """The objects of an answer. Raises UpdateFailed for what is no list of objects with ids."""
    found = body.get(key) if isinstance(body, dict) else None
    if not isinstance(found, list) or not all(isinstance(item, dict) and identity(item) for item in found):
        raise UpdateFailed(f"An answer has no list of {key} with ids.")
    return found


def _has_next(body: Item, key: str) -> bool:
    """Nova, Neutron and Cinder tell the next page among `<key>_links`, Glance and Ironic as `next`."""
    links = body.get(f"{key}_links") or ()
    return bool(body.get("next")) or any(isinstance(link, dict) and link.get("rel") == "next" for link in links)


def _refused(service: str, path: str, status: int) -> Exception:
    if status in PASSING:
        return TransientError(f"{service} answers {path} with {status}.")
    if status in (401, 403):
        return UpdateFailed(f"{service} refuses {path} ({status}): the credential lacks the right.")
    return RemoteFault(f"{service} answers {path} with {status}.")


def _unreachable(service: str, path: str, error: Exception, faults: Any) -> Exception:
    told = str(error).splitlines()
    text = f"{service}: {path} got no answer: {told[0] if told else type(error).__name__}"
    status = getattr(error, "http_status", None) or getattr(error, "status_code", None)
    if isinstance(error, faults.connection.SSLError):
        return UpdateFailed(text)
    if status in PASSING or isinstance(error, faults.ConnectionError | load("requests.exceptions").ConnectionError):
        return TransientError(text)
    return UpdateFailed(text)

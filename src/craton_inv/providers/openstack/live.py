"""Asking a real OpenStack over openstacksdk: sign in once, page by page, microversions that both sides know."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from typing import Any

from craton_inv.errors import RemoteFault, TransientError, UpdateFailed
from craton_inv.http_out import check_url
from craton_inv.providers.base import Surroundings
from craton_inv.providers.credentials.definitions import ProviderCredential
from craton_inv.providers.extras import OPENSTACK
from craton_inv.providers.openstack.cloud import Item, NoSuchService, identity, is_id, items_of
from craton_inv.providers.openstack.guard import GuardedAdapter

load = OPENSTACK.load
PAGE_SIZE = 1000
REDIRECTS = 3
NO_SUCH = 404
DEFAULT_DOMAIN = "Default"
PUBLIC = "public"
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
# What is asked for at most, by service and list: servers tell tags in 2.26 and no longer their flavor's id in 2.47;
# hypervisors are found by name in 2.53; nodes tell traits, groups, owners and lessees in 1.65.
MICROVERSIONS = {
    ("compute", "servers"): "2.26",
    ("compute", "flavors"): "2.26",
    ("compute", "os-hypervisors"): "2.53",
    ("baremetal", "nodes"): "1.65",
}
# Filters that Nova refuses together with paging, and that it answers with 404 where nothing fits.
UNPAGED = frozenset({"hypervisor_hostname_pattern"})


class Live:
    """The real thing. openstacksdk works in a thread: one request at a time."""

    def __init__(self, login: ProviderCredential, region: str, around: Surroundings) -> None:
        self.login = login
        self.region = region or str(login.get("region") or "")
        self.around = around
        self._connection: Any = None

    async def items(self, service: str, path: str, key: str, **parameters: Any) -> AsyncIterator[Item]:
        """Pages by marker, as long as an answer says that there is another one."""
        whole = bool(parameters.keys() & UNPAGED)
        asked: dict[str, Any] = parameters if whole else {**parameters, "limit": PAGE_SIZE}
        while True:
            body = await asyncio.to_thread(self._get, service, path, asked, key, whole)
            found = items_of(body, key) if body is not None else []
            for item in found:
                yield item
            marker = identity(found[-1]) if found else None
            if marker is None or whole or not _has_next(body, key):
                return
            if marker == asked.get("marker"):
                raise UpdateFailed(f"{service} gives the page of {path} that ends with {marker} again and again.")
            asked["marker"] = marker

    async def one(self, service: str, path: str, ref: str, key: str) -> Item | None:
        """One object; a list's path without its `/detail`, and the id."""
        if not is_id(ref):
            return None
        body = await asyncio.to_thread(self._get, service, f"{path.removesuffix('/detail')}/{ref}", {}, key, True)
        if body is None:
            return None
        item = body
        if isinstance(body, dict) and "uuid" not in body:
            item = body.get(key, body)
        [found] = items_of({key: [item]}, key)
        return found if identity(found) == ref else None  # Ironic takes names as well, some databases capitals

    async def project(self) -> str:
        """The project that the credential is for."""
        return await asyncio.to_thread(self._project)

    def _get(self, service: str, path: str, parameters: Mapping[str, Any], key: str, absent: bool = False) -> Any:
        """The JSON of an answer; None for what is not there, if that may be."""
        faults, ours = load("keystoneauth1.exceptions"), load("openstack.exceptions")
        lost = load("requests.exceptions").RequestException
        try:
            self._find(service)
            options: dict[str, Any] = {"params": dict(parameters), "raise_exc": False}
            # By keystoneauth's own method: openstacksdk's wrapper keeps each path for its metrics, and warns of itself.
            asking = getattr(self._open(), service)
            wanted = MICROVERSIONS.get((service, path.split("/")[1]))
            if wanted is not None:
                options["microversion"] = load("openstack.utils").maximum_supported_microversion(asking, wanted)
            response = load("keystoneauth1.adapter").Adapter.request(asking, path, "GET", **options)
        except (faults.ClientException, ours.SDKException, lost) as error:
            raise _unreachable(service, path, error) from error
        if absent and response.status_code == NO_SUCH:
            return None
        if response.status_code != 200:
            raise _refused(service, path, response.status_code)
        try:
            return response.json()
        except (ValueError, RecursionError) as error:
            raise UpdateFailed(f"{service} answers {path} with what is no JSON.") from error

    def _find(self, service: str) -> None:
        """Raise NoSuchService unless the catalog that came with the token has the service in the region."""
        session = self._open().session
        catalog = session.auth.get_access(session).service_catalog
        kind = service.replace("_", "-")
        if any(catalog.get_endpoints_data(kind, interface=PUBLIC, region_name=self.region or None).values()):
            return
        regions = {
            str(endpoint.get("region_id") or endpoint.get("region"))
            for entry in catalog.normalize_catalog()
            for endpoint in entry["endpoints"]
        }
        where = f" in the region {self.region}" if self.region else ""
        known = ", ".join(sorted(regions - {"None"}))
        raise NoSuchService(f"The cloud offers no {service}{where}; its catalog has the regions {known or '(none)'}.")

    def _project(self) -> str:
        faults = load("keystoneauth1.exceptions")
        try:
            return str(self._open().session.get_project_id() or "")
        except faults.ClientException as error:
            raise _unreachable("identity", "/auth/tokens", error) from error

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
            region = self.region or None
            self._connection = load("openstack.connection").Connection(session=session, region_name=region)
            self._under = under
        return self._connection

    async def close(self) -> None:
        """Close the connections."""
        if self._connection is not None:
            await asyncio.to_thread(self._connection.close)
            self._under.close()


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


def _unreachable(service: str, path: str, error: Exception) -> Exception:
    """An error of the libraries in our words. What they say names addresses and statuses, never what was sent."""
    faults = load("keystoneauth1.exceptions")
    told = (str(error).splitlines() or [type(error).__name__])[0]
    if isinstance(error, faults.Unauthorized):
        return UpdateFailed(f"{service}: {path}: Keystone refuses the credential: {told}")
    text = f"{service}: {path} got no answer: {told}"
    if isinstance(error, faults.SSLError):
        return UpdateFailed(text)
    status = getattr(error, "http_status", None) or getattr(error, "status_code", None)
    lost = (faults.ConnectionError, load("requests.exceptions").ConnectionError)
    return TransientError(text) if status in PASSING or isinstance(error, lost) else UpdateFailed(text)

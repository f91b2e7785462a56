"""A cloud on loopback: Keystone and services that answer as OpenStack does, from the provider's sample, in pages."""

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from craton_inv.providers import openstack

SAMPLE = Path(openstack.__file__).parent / "sample"
PASSWORD = "a-secret-password"
# By service: its type in the catalog, its path, and its versions as its root tells them.
SERVICES = {
    "compute": ("compute", "/compute/v2.1", {"id": "v2.1", "version": "2.90", "min_version": "2.1"}),
    "network": ("network", "/network", {"id": "v2.0"}),
    "image": ("image", "/image/v2", {"id": "v2.9"}),
    "block_storage": ("block-storage", "/volume/v3", {"id": "v3.0", "version": "3.70", "min_version": "3.0"}),
    "baremetal": ("baremetal", "/baremetal/v1", {"id": "v1", "version": "1.80", "min_version": "1.1"}),
}
ROOTS = {"network": "/network/v2.0"}
PROJECT = "9b7c0d5e8f1a4c2b9d3e6f7081a2b3c4"
FILTERS = {"node": "node_uuid", "device_id": "device_id", "network_id": "network_id"}
PATTERN = "hypervisor_hostname_pattern"


class OpenStack:
    """What the cloud has. `lists`: by service and path; `fails`: statuses by service; `page`: objects a page.

    `absent`: services that the catalog lacks; `elsewhere`: where it says that others are; `broken`: services of which
    not even the versions can be read.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.lists = {
            tuple(file.stem.split(".", 1)): json.loads(file.read_text("utf-8")) for file in SAMPLE.glob("*.json")
        }
        self.lists = copy.deepcopy(self.lists)
        self.fails: dict[str, int] = {}
        self.absent: set[str] = set()
        self.broken: set[str] = set()
        self.elsewhere: dict[str, str] = {}
        self.asked: list[str] = []
        self.page = 100

    def list_of(self, service: str, path: str) -> list[dict[str, Any]]:
        """The objects of a list, to be changed."""
        return next(iter(self.lists[service, path].values()))  # type: ignore[no-any-return]

    def catalog(self) -> list[dict[str, Any]]:
        """As a token has it."""
        return [
            {
                "type": kind,
                "name": name,
                "id": name,
                "endpoints": [
                    {
                        "id": name,
                        "interface": "public",
                        "region": "RegionOne",
                        "region_id": "RegionOne",
                        "url": self.elsewhere.get(name, self.url + path),
                    }
                ],
            }
            for name, (kind, path, _) in SERVICES.items()
            if name not in self.absent
        ]

    def get(self, path: str, query: dict[str, str]) -> tuple[int, Any]:
        """Status and body of an answer."""
        self.asked.append(path)
        if path.rstrip("/") == "/identity/v3":
            links = [{"rel": "self", "href": f"{self.url}/identity/v3/"}]
            return 200, {"version": {"id": "v3.14", "status": "stable", "links": links}}
        for service, (_, root, version) in SERVICES.items():
            base = ROOTS.get(service, root)
            if service in self.broken and path.startswith(root):
                return 503, {}
            if path.rstrip("/") in (root, base):
                links = [{"rel": "self", "href": f"{self.url}{base}/"}]
                return 200, {"versions": [{**version, "status": "CURRENT", "links": links}]}
            if path.startswith(f"{base}/"):
                return self._answer(service, path.removeprefix(f"{base}/"), query)
        return 404, {}

    def _answer(self, service: str, path: str, query: dict[str, str]) -> tuple[int, Any]:
        if service in self.fails:
            return self.fails[service], {"error": {"message": "it does not work"}}
        whole = self.lists.get((service, path.replace("/", ".")))
        if whole is None:
            listed, _, ref = path.partition("/")
            key, items = next(
                (
                    next(iter(body.items()))
                    for (at, name), body in self.lists.items()
                    if (at, name.split(".")[0]) == (service, listed)
                ),
                ("", []),
            )
            found = [item for item in items if ref.casefold() in (item.get("id"), item.get("uuid"))]
            if not found:
                return 404, {"error": {"message": "not found"}}
            return 200, found[0] if service in ("image", "baremetal") else {key[:-1]: found[0]}
        [(key, items)] = whole.items()
        if PATTERN in query:
            if query.keys() & {"limit", "marker"}:
                return 400, {"badRequest": {"message": "Paging over hypervisors with a pattern is not supported."}}
            items = [item for item in items if query[PATTERN] in item["hypervisor_hostname"]]
            return (200, {key: items}) if items else (404, {"itemNotFound": {"message": "No hypervisor matching."}})
        items = [item for item in items if shows(key, item, query)]
        for name, field in FILTERS.items():
            items = [item for item in items if name not in query or item.get(field) == query[name]]
        ids = [item.get("id") or item["uuid"] for item in items]
        start = ids.index(query["marker"]) + 1 if "marker" in query else 0
        body: dict[str, Any] = {key: items[start : start + self.page]}
        if start + self.page < len(items):
            following = f"{self.url}/{path}?marker={ids[start + self.page - 1]}"
            body |= (
                {"next": following}
                if service in ("image", "baremetal")
                else {f"{key}_links": [{"rel": "next", "href": following}]}
            )
        return 200, body

    def token(self, body: dict[str, Any]) -> tuple[int, Any]:
        """What Keystone gives for a name and a password."""
        user = body["auth"]["identity"]["password"]["user"]
        if user["password"] != PASSWORD:
            return 401, {"error": {"message": "The request you have made requires authentication.", "code": 401}}
        domain = {"id": "default", "name": "Default"}
        return 201, {
            "token": {
                "methods": ["password"],
                "user": {"id": "u", "name": user["name"], "domain": domain},
                "project": {"id": PROJECT, "name": "ops", "domain": domain},
                "roles": [{"id": "r", "name": "reader"}],
                "issued_at": "2026-11-01T00:00:00.000000Z",
                "expires_at": "2099-01-01T00:00:00.000000Z",
                "catalog": self.catalog(),
            }
        }


def shows(key: str, item: dict[str, Any], query: dict[str, str]) -> bool:
    """Whether a list has an object for an administrator who asks so; each can be had by its id as well."""
    if key == "servers":
        return "all_tenants" in query or item["tenant_id"] == PROJECT
    if key == "flavors":
        return query.get("is_public") == "None" or bool(item.get("os-flavor-access:is_public"))
    if key == "images":
        wanted = query["id"].removeprefix("in:").split(",") if "id" in query else [item["id"]]
        return item["id"] in wanted and item.get("visibility") != "community"
    return True


@contextmanager
def running() -> Iterator[OpenStack]:
    """The cloud, served on loopback for the time of a test."""

    class Handler(BaseHTTPRequestHandler):
        def _send(self, status: int, body: Any) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.send_header("X-Subject-Token", "a-token")
            self.end_headers()
            self.wfile.write(text)

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            self._send(*cloud.get(parts.path, {name: values[0] for name, values in parse_qs(parts.query).items()}))

        def do_POST(self) -> None:
            self._send(*cloud.token(json.loads(self.rfile.read(int(self.headers["Content-Length"])))))

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    cloud = OpenStack(f"http://127.0.0.1:{server.server_port}")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield cloud
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

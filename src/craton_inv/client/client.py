"""A synchronous client: one connection pool, one token, errors as sentences, lists as iterators."""

import time
from collections.abc import Callable, Iterator, Mapping
from json import dumps, loads
from types import TracebackType
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

import httpx

from craton_inv.client.errors import ClientError, ServiceUnreachable, UpdateNotFinished, refusal_text

ENDED = frozenset({"successful", "failed", "error", "canceled"})
EVENT_PAGE = 200
# A 503 says that nothing was done; these methods may also be sent twice if it was.
REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
ATTEMPTS = 4
LONGEST_PAUSE_S = 30.0

Event = dict[str, Any]


class Client:
    """Talks to the service at `url` (its root, without /v1 or /v2). `timeout`: seconds for one request.

    Paths start with "/": "/v2/hosts/", "/v1/tenants". Parameters that are None are left out. Every method raises
    ClientError when the service refuses and ServiceUnreachable when nobody answers.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        timeout: float = 60.0,
        verify: bool = True,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        try:
            address = urlsplit(url)
            httpx.URL(url)
        except (ValueError, httpx.InvalidURL) as error:
            raise ClientError(f"{url!r} is no address of a service: {error}.") from error
        if address.scheme not in ("http", "https"):
            raise ClientError(f"{url!r} is no address of a service: it starts with http:// or https://.")
        if token is not None and not (token.isascii() and token.isprintable()):
            raise ClientError("This is no token: it has characters that no token has.")
        self.url = url.rstrip("/")
        headers = {"Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        # trust_env off for loopback: a proxy of the environment cannot reach this machine's own service.
        loopback = address.hostname in ("127.0.0.1", "::1", "localhost")
        # Without TLS there is nothing to verify, and reading the authorities would cost 0.2 s at every start.
        verify = verify and address.scheme == "https"
        self._http = httpx.Client(
            headers=headers, timeout=timeout, verify=verify, transport=transport, trust_env=not loopback
        )

    @classmethod
    def login(cls, url: str, username: str, password: str, *, description: str = "", **options: Any) -> Self:
        """A client with a new token, bought with a user name and password."""
        with cls(url, **options) as anonymous:
            answer = anonymous.send(
                "POST",
                "/api/v2/tokens/",
                json={"description": description, "scope": "write"},
                auth=(username, password),
            )
        return cls(url, answer.json()["token"], **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request and its good answer, whatever its content type; waits and repeats on 503 where that is safe."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                response = self._http.request(method, self._address(path), **options)
            except httpx.TransportError as error:
                words = str(error) or type(error).__name__
                raise ServiceUnreachable(f"No answer from {self.url}: {words}. Is the service running?") from error
            if response.status_code != 503 or method not in REPEATABLE or attempt == ATTEMPTS:
                break
            time.sleep(_pause(response, attempt))
        if response.is_success or response.status_code == 304:
            return response
        raise _refusal(method, path, response)

    def get(self, path: str, /, **params: Any) -> Any:
        """The JSON at `path`."""
        return _json(self.send("GET", path, params=_given(params)))

    def post(self, path: str, json: Any = None, /, **params: Any) -> Any:
        """Send `json`; the answer's JSON, None when it has no body."""
        return _json(self.send("POST", path, json={} if json is None else json, params=_given(params)))

    def put(self, path: str, json: Any, /, **params: Any) -> Any:
        """Replace what is at `path`."""
        return _json(self.send("PUT", path, json=json, params=_given(params)))

    def patch(self, path: str, json: Any, /, **params: Any) -> Any:
        """Change what is at `path`."""
        return _json(self.send("PATCH", path, json=json, params=_given(params)))

    def delete(self, path: str, /, **params: Any) -> Any:
        """Delete what is at `path`; the answer's JSON, None when it has no body."""
        return _json(self.send("DELETE", path, params=_given(params)))

    def iterate(self, path: str, /, **params: Any) -> Iterator[dict[str, Any]]:
        """All rows of a list, page by page, of either dialect."""
        page = self.get(path, **params)
        while True:
            rows, following = _rows(page)
            yield from rows
            if following is None:
                return
            page = self.get(following)

    def find(self, path: str, /, **params: Any) -> dict[str, Any] | None:
        """The one row of a list that fits, None when there is none. Raises ClientError when several fit."""
        rows, following = _rows(self.get(path, **params))
        if len(rows) > 1 or (rows and following is not None):
            words = ", ".join(f"{key}={value}" for key, value in params.items())
            raise ClientError(f"Several rows of {path} fit {words}: say more, or give the id.")
        return rows[0] if rows else None

    def put_facts(self, host_id: int, facts: Mapping[str, Any]) -> Any:
        """Replace the facts of a host."""
        return self.put(f"/v2/hosts/{host_id}/ansible_facts/", dict(facts))

    def iterate_facts(self, inventory_id: int, /, **params: Any) -> Iterator[dict[str, Any]]:
        """The hosts of an inventory with their facts, as they arrive: {"id", "name", "ansible_facts", …}.

        `params`: `host`, `host_filter`, `keys`, `newer_than` (seconds).
        """
        path = self._address(f"/v2/inventories/{inventory_id}/ansible_facts/")
        try:
            with self._http.stream("GET", path, params=_given(params)) as response:
                if not response.is_success:
                    response.read()
                    raise _refusal("GET", path, response)
                for line in response.iter_lines():
                    yield loads(line)
        except httpx.TransportError as error:
            words = str(error) or type(error).__name__
            raise ServiceUnreachable(f"No answer from {self.url}: {words}. Is the service running?") from error

    def merge_facts(self, inventory_id: int, facts: Mapping[str, Mapping[str, Any]], *, skip: bool = False) -> Any:
        """Merge facts of many hosts, by name. `skip`: hosts that the inventory lacks are told, not refused."""
        lines = [dumps({"name": name, "ansible_facts": dict(values)}) for name, values in facts.items()]
        return _json(
            self.send(
                "PATCH",
                f"/v2/inventories/{inventory_id}/ansible_facts/",
                params={"missing": "skip" if skip else "refuse"},
                content="\n".join(lines).encode(),
                headers={"Content-Type": "application/x-ndjson"},
            )
        )

    def launch_update(self, source_id: int, **options: Any) -> dict[str, Any]:
        """Ask for a refresh of an inventory source; the update, which a worker then runs."""
        update: dict[str, Any] = self.post(f"/v2/inventory_sources/{source_id}/update/", options)
        return update

    def wait_update(
        self,
        update_id: int,
        on_event: Callable[[Event], None] | None = None,
        *,
        timeout: float | None = None,
        poll: float = 0.5,
    ) -> dict[str, Any]:
        """The update when it has ended, well or not. Each of its events goes to `on_event` once, in order.

        `timeout` and `poll` in seconds. Raises UpdateNotFinished when the time is over; the update then goes on.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        path = f"/v2/inventory_updates/{update_id}/"
        seen = 0
        while True:
            update: dict[str, Any] = self.get(path)  # before the events: those of an ended update are all there
            if on_event is not None:
                for event in self._events_after(path, seen):
                    on_event(event)
                    seen += 1
            if update["status"] in ENDED:
                return update
            if deadline is not None and time.monotonic() > deadline:
                raise UpdateNotFinished(
                    f"Inventory update {update_id} is {update['status']} after {timeout:g} s.", body=update
                )
            time.sleep(poll)

    def _events_after(self, path: str, seen: int) -> Iterator[Event]:
        """Events beyond the first `seen`, beginning at the page that holds the next one."""
        page, skip = seen // EVENT_PAGE + 1, seen % EVENT_PAGE
        while True:
            query = {"order_by": "counter", "page_size": EVENT_PAGE, "page": page}
            try:
                events = self.get(f"{path}events/", **query)["results"]
            except ClientError as error:
                if error.status == 404 and page > 1:  # exactly full pages so far: AWX has no empty page at the end
                    return
                raise
            yield from events[skip:]
            if len(events) < EVENT_PAGE:
                return
            page, skip = page + 1, 0

    def _address(self, path: str) -> str:
        """The URL of a path below the service's root, or of a link it gave. The token goes to no other origin."""
        if path.startswith("/") and not path.startswith("//"):
            return self.url + path
        address = urljoin(f"{self.url}/", path)
        if urlsplit(address)[:2] != urlsplit(self.url)[:2]:
            raise ClientError(f"{path} leads away from {self.url}; not followed.")
        return address


def _given(params: Mapping[str, Any]) -> dict[str, Any] | None:
    """Parameters without the None ones; None if nothing is left, so that a link's own query stays."""
    return {name: value for name, value in params.items() if value is not None} or None


def _json(response: httpx.Response) -> Any:
    if not response.content:
        return None
    try:
        return response.json()
    except ValueError as error:
        kind = response.headers.get("Content-Type", "no content type")
        raise ClientError(
            f"{response.request.url} answered {kind} where JSON was expected. Is this the service's address?",
            status=response.status_code,
            body=response.text[:500],
        ) from error


def _rows(page: Any) -> tuple[list[dict[str, Any]], str | None]:
    """Rows and the link to the next page of /v2's {"results", "next"} or /v1's {"<plural>": [...], "links": [...]}."""
    rows, following = _listed(page)
    if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        return rows, following
    raise ClientError("The answer is not a list of objects. Is this the service's address?", body=page)


def _listed(page: Any) -> tuple[Any, str | None]:
    if not isinstance(page, dict):
        return page, None
    if "results" in page:
        return page["results"], page.get("next")
    lists = [value for name, value in page.items() if name != "links" and isinstance(value, list)]
    if len(lists) != 1:
        return None, None
    following = (link["href"] for link in page.get("links", []) if link["rel"] == "next")
    return lists[0], next(following, None)


def _pause(response: httpx.Response, attempt: int) -> float:
    """Seconds to wait: what Retry-After says, else a growing guess."""
    said = response.headers.get("Retry-After", "")
    return min(float(said) if said.isdigit() else 0.5 * 2**attempt, LONGEST_PAUSE_S)


def _refusal(method: str, path: str, response: httpx.Response) -> ClientError:
    try:
        body: Any = response.json()
    except ValueError:
        body = response.text
    words = refusal_text(body) or response.reason_phrase
    return ClientError(f"{method} {path}: {response.status_code}: {words}", status=response.status_code, body=body)

"""The client against a small real HTTP server that answers what each test lays down."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from craton_inv.client import Client, ClientError, ServiceUnreachable, UpdateNotFinished

Answer = tuple[int, Any, dict[str, str]]
Handler = Callable[[str, str, dict[str, str], Any], Answer]


class Service:
    """A loopback server: `handle(method, path, query, body)` gives (status, JSON, headers)."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.headers: list[dict[str, str]] = []
        self.handle: Handler = lambda *_: (200, {}, {})
        service = self

        class Requests(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                parts = urlsplit(self.path)
                query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
                raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                service.seen.append((self.command, parts.path, query))
                service.headers.append(dict(self.headers.items()))
                status, body, headers = service.handle(
                    self.command, parts.path, query, json.loads(raw) if raw else None
                )
                data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(data))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})

    def close(self) -> None:
        """Stop and wait for the thread."""
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def service() -> Iterator[Service]:
    """A server of this test alone."""
    service = Service()
    service.thread.start()
    yield service
    service.close()


@pytest.fixture
def api(service: Service) -> Iterator[Client]:
    """A client of it, with a token."""
    with Client(service.url + "/", "civ_1_secret") as client:
        yield client


def test_the_token_travels_as_a_bearer(api: Client, service: Service) -> None:
    api.get("/v2/me/")
    assert service.headers[0]["Authorization"] == "Bearer civ_1_secret"


def test_parameters_that_are_none_are_left_out(api: Client, service: Service) -> None:
    api.get("/v2/hosts/", name="a", host_filter=None)
    assert service.seen == [("GET", "/v2/hosts/", {"name": "a"})]


def test_an_empty_answer_is_none(api: Client, service: Service) -> None:
    service.handle = lambda *_: (204, None, {})
    assert api.post("/v2/groups/1/hosts/", {"id": 2}) is None


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"status": 400, "message": "Bad.", "code": "x", "errors": {"name": ["too long"]}}, "Bad. (name: too long)"),
        ({"detail": "Not found."}, "Not found."),
        ({"error": "Busy."}, "Busy."),
        ({"msg": "No id."}, "No id."),
        ({"__all__": ["Host already exists."]}, "Host already exists."),
        ({"name": ["May not be blank."], "inventory": ["Wrong."]}, "name: May not be blank.; inventory: Wrong."),
    ],
)
def test_each_dialects_error_becomes_its_sentence(api: Client, service: Service, body: Any, sentence: str) -> None:
    service.handle = lambda *_: (400, body, {})
    with pytest.raises(ClientError) as caught:
        api.get("/v2/hosts/")
    assert caught.value.message == f"GET /v2/hosts/: 400: {sentence}"
    assert (caught.value.status, caught.value.body) == (400, body)


def test_an_answer_that_is_no_json_names_its_content_type(api: Client, service: Service) -> None:
    service.handle = lambda *_: (200, b"<html>", {"Content-Type": "text/html"})
    with pytest.raises(ClientError, match="text/html"):
        api.get("/v2/hosts/")


def test_a_list_of_v2_is_followed_to_its_end(api: Client, service: Service) -> None:
    def handle(_: str, __: str, query: dict[str, str], ___: Any) -> Answer:
        page = int(query.get("page", 1))
        following = f"/v2/hosts/?page={page + 1}&name=a" if page < 3 else None
        return 200, {"count": 3, "next": following, "previous": None, "results": [{"id": page}]}, {}

    service.handle = handle
    assert [row["id"] for row in api.iterate("/v2/hosts/", name="a")] == [1, 2, 3]
    assert service.seen[2][2] == {"page": "3", "name": "a"}


def test_a_list_of_v1_is_followed_by_its_links(api: Client, service: Service) -> None:
    def handle(_: str, __: str, query: dict[str, str], ___: Any) -> Answer:
        links = [] if "marker" in query else [{"rel": "next", "href": f"{service.url}/v1/hosts?marker=m"}]
        return 200, {"hosts": [{"id": len(query)}], "links": links}, {}

    service.handle = handle
    assert [row["id"] for row in api.iterate("/v1/hosts")] == [0, 1]


def test_a_link_to_another_host_is_not_followed(api: Client, service: Service) -> None:
    service.handle = lambda *_: (200, {"results": [], "next": "http://127.0.0.1:1/v2/hosts/"}, {})
    with pytest.raises(ClientError, match="leads away"):
        list(api.iterate("/v2/hosts/"))


def test_find_gives_the_row_or_none(api: Client, service: Service) -> None:
    service.handle = lambda *_: (200, {"results": [{"id": 7}], "next": None}, {})
    assert api.find("/v2/inventories/", name="a") == {"id": 7}
    service.handle = lambda *_: (200, {"results": [], "next": None}, {})
    assert api.find("/v2/inventories/", name="a") is None


def test_find_refuses_to_choose_among_several(api: Client, service: Service) -> None:
    service.handle = lambda *_: (200, {"results": [{"id": 7}, {"id": 8}], "next": None}, {})
    with pytest.raises(ClientError, match="Several rows"):
        api.find("/v2/inventories/", name="a")


def test_a_503_is_repeated_after_the_time_it_names(api: Client, service: Service) -> None:
    service.handle = lambda *_: (200, {"ok": 1}, {}) if len(service.seen) > 1 else (503, {}, {"Retry-After": "0"})
    assert api.get("/v2/hosts/") == {"ok": 1}


def test_a_post_is_never_repeated(api: Client, service: Service) -> None:
    service.handle = lambda *_: (503, {"detail": "Away."}, {"Retry-After": "0"})
    with pytest.raises(ClientError, match=r"Away\."):
        api.post("/v2/hosts/", {})
    assert len(service.seen) == 1


def test_nobody_at_the_address_is_said_plainly() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with Client(f"http://127.0.0.1:{port}") as api, pytest.raises(ServiceUnreachable, match="Is the service running"):
        api.get("/v2/ping/")


def test_an_address_without_a_scheme_is_refused() -> None:
    with pytest.raises(ClientError, match="http://"):
        Client("localhost:8000")


def test_login_buys_a_token_with_basic_authentication(service: Service) -> None:
    service.handle = lambda *_: (201, {"id": 1, "token": "civ_1_new"}, {})
    with Client.login(service.url, "ann", "pw") as api:
        api.get("/v2/me/")
    assert service.headers[0]["Authorization"].startswith("Basic ")
    assert service.headers[1]["Authorization"] == "Bearer civ_1_new"


def updates(service: Service, *statuses: str, events: int) -> Handler:
    """An update that shows `statuses` one after the other; half of its events come with the first."""
    shown = iter(statuses)
    status = ""

    def handle(_: str, path: str, query: dict[str, str], __: Any) -> Answer:
        nonlocal status
        if not path.endswith("/events/"):
            status = next(shown, status)
            return 200, {"id": 5, "status": status}, {}
        there = events if status == statuses[-1] else events // 2
        first = (int(query["page"]) - 1) * int(query["page_size"])
        if first and first >= there:
            return 404, {"detail": "Invalid page."}, {}
        rows = [{"counter": n} for n in range(first + 1, min(first + int(query["page_size"]), there) + 1)]
        return 200, {"results": rows, "next": None}, {}

    return handle


@pytest.mark.parametrize("events", [1, 7, 400, 401])
def test_each_event_of_an_update_comes_once_and_in_order(api: Client, service: Service, events: int) -> None:
    service.handle = updates(service, "running", "successful", events=events)
    got: list[int] = []
    update = api.wait_update(5, lambda event: got.append(event["counter"]), poll=0.001)
    assert (update["status"], got) == ("successful", list(range(1, events + 1)))


def test_waiting_ends_when_the_time_is_over(api: Client, service: Service) -> None:
    service.handle = updates(service, "running", events=0)
    with pytest.raises(UpdateNotFinished, match=r"is running after 0\.01 s"):
        api.wait_update(5, timeout=0.01, poll=0.005)

"""What surrounds every request: ids, logs, headers, slashes and methods."""

import json
import logging

import httpx
import pytest
import structlog
from fastapi import FastAPI
from starlette.types import Message

from craton_inv.api.middleware import canonical_path


async def test_a_given_request_id_is_kept(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/health/live", headers={"X-Request-ID": "trace-7"})
    assert answer.headers["x-request-id"] == "trace-7"


@pytest.mark.parametrize("given", ["a" * 129, "with blank", "new\tline", "<script>"])
async def test_a_request_id_that_could_spoil_a_log_is_replaced(given: str, anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/health/live", headers={"X-Request-ID": given})
    assert answer.headers["x-request-id"] != given
    assert len(answer.headers["x-request-id"]) == 32


async def test_a_refusal_names_the_id_of_its_request(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/v1/hosts", headers={"X-Request-ID": "trace-8"})
    assert answer.json()["request_id"] == "trace-8"


async def test_one_request_is_one_log_line_with_its_id(client: httpx.AsyncClient) -> None:
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        await client.get("/v1/tenants/99", headers={"X-Request-ID": "trace-9"})
    requests = [line for line in lines if line["event"] == "request"]
    assert [(line["request_id"], line["route"], line["status"]) for line in requests] == [
        ("trace-9", "/v1/tenants/{tenant_id}", 404)
    ]


async def test_no_credential_reaches_the_log(client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), structlog.testing.capture_logs() as lines:
        made = (await client.post("/v1/tokens", json={})).json()["token"]
        await client.get("/v1/tenants", headers={"Authorization": f"Bearer {made}"})
    assert made.split("_", 2)[2] not in json.dumps(lines, default=str) + caplog.text


async def test_answers_tell_their_time_and_the_product(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v2/tokens/")
    assert answer.headers["x-api-time"].endswith("s")
    assert answer.headers["x-api-node"]
    assert (answer.headers["x-api-product-name"], answer.headers["x-api-product-version"][:3]) == ("AWX", "24.")


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        ("/v1", "/v1/"),
        ("/v1/hosts/", "/v1/hosts"),
        ("/v1/hosts", "/v1/hosts"),
        ("/v2", "/v2/"),
        ("/v2/hosts", "/v2/hosts/"),
        ("/api", "/api/"),
        ("/api/v2", "/api/v2/"),
        ("/v1/docs/", "/v1/docs"),
        ("/v2/openapi.json", "/v2/openapi.json"),
        ("/v1x/hosts", "/v1x/hosts"),
        ("/health/live", "/health/live"),
    ],
)
def test_both_slash_forms_become_one(path: str, canonical: str) -> None:
    assert canonical_path(path) == canonical


@pytest.mark.parametrize("path", ["/v1/tenants", "/v2/tokens", "/api/v2/tokens"])
async def test_both_slash_forms_answer_without_a_redirect(path: str, client: httpx.AsyncClient) -> None:
    assert [(await client.get(form)).status_code for form in (path, path + "/")] == [200, 200]


async def test_a_post_without_its_slash_keeps_its_body(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v2/tokens", json={"description": "kept"})).json()["description"] == "kept"


@pytest.mark.parametrize("path", ["/v1/tenants/1", "/v2/tokens/1/"])
async def test_the_allow_header_names_every_method_of_a_path(path: str, client: httpx.AsyncClient) -> None:
    allowed = {"GET", "DELETE", "HEAD", "OPTIONS"} | ({"PUT", "PATCH"} if path.startswith("/v1") else set())
    for method in ("OPTIONS", "POST"):
        answer = await client.request(method, path)
        assert answer.status_code == (200 if method == "OPTIONS" else 405)
        assert set(answer.headers["allow"].split(", ")) == allowed


async def test_head_is_get_without_its_body(client: httpx.AsyncClient) -> None:
    answer = await client.head("/v1/tenants")
    assert (answer.status_code, answer.content) == (200, b"")


async def test_an_unknown_path_is_a_404_of_its_dialect(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/nothing")).json()["message"] == "Not found."
    assert (await client.get("/v2/nothing/")).json() == {"detail": "Not found."}


async def test_head_leaves_the_servers_own_scope_alone(app: FastAPI) -> None:
    scope = {
        "type": "http",
        "method": "HEAD",
        "path": "/health/live",
        "raw_path": b"/health/live",
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": [],
        "server": ("test", 80),
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    assert scope["method"] == "HEAD"  # uvicorn counts the bytes of a body by it
    assert [message.get("body", b"") for message in sent if message["type"] == "http.response.body"] == [b""]

"""S15 and S16 of the list of bad inputs, over the API: refused with a 4xx that says where."""

import gzip
import json
from typing import Any

import httpx
import pytest

JSON = {"Content-Type": "application/json"}
ROUTES = ("/v1/tenants", "/v2/organizations/")


async def post(client: httpx.AsyncClient, text: str | bytes, route: str = ROUTES[0]) -> httpx.Response:
    return await client.post(route, content=text, headers=JSON)


def nested(depth: int) -> str:
    """A tenant whose variables make the body `depth` levels deep."""
    return '{"name": "deep", "variables": ' + '{"a":' * (depth - 1) + "1" + "}" * (depth - 1) + "}"


@pytest.mark.parametrize("depth", [65, 1_000, 100_000])
async def test_s15_json_nesting_beyond_64_is_refused(depth: int, client: httpx.AsyncClient) -> None:
    answer = await post(client, nested(depth))
    assert answer.status_code == 400
    assert "64 levels" in answer.json()["message"]


async def test_s15_json_nesting_of_64_is_taken_and_given_back(client: httpx.AsyncClient) -> None:
    text = nested(64)
    answer = await post(client, text)
    assert answer.status_code == 201, answer.text
    assert answer.json()["variables"] == json.loads(text)["variables"]


async def test_s15_brackets_inside_strings_are_no_nesting(client: httpx.AsyncClient) -> None:
    answer = await post(client, json.dumps({"name": "brackets", "description": '[{"' * 500}))
    assert answer.status_code == 201


FAULTS: list[tuple[str, str, str]] = [
    ("nan", '{"name": "x", "variables": {"a": [1, NaN]}}', "/variables/a/1"),
    ("infinity", '{"name": "x", "variables": {"a": -Infinity}}', "/variables/a"),
    ("too large a real", '{"name": "x", "variables": {"a": 1e999}}', "/variables/a"),
    ("an integer of 5000 digits", '{"name": "x", "variables": {"a": ' + "9" * 5000 + "}}", "/variables/a"),
    ("a key twice", '{"name": "x", "variables": {"a": 1, "a": 2}}', "/variables/a"),
    ("a field twice", '{"name": "x", "name": "y"}', "/name"),
    ("half a surrogate pair", '{"name": "x", "description": "\\ud800"}', "/description"),
    ("half a surrogate pair as key", '{"name": "x", "variables": {"\\udfff": 1}}', "/variables"),
    ("nul", '{"name": "x", "variables": {"a": {"b/c": "\\u0000"}}}', "/variables/a/b~1c"),
    ("no json", '{"name": }', "line 1 column 10"),
    ("half a document", '{"name": "x"', "line 1 column 13"),
    ("two documents", '{"name": "x"} {}', "line 1 column 15"),
]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(("text", "place"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS])
async def test_s16_what_json_cannot_mean_is_refused_with_its_place(
    text: str, place: str, route: str, client: httpx.AsyncClient
) -> None:
    answer = await post(client, text, route)
    assert answer.status_code == 400
    message = answer.json().get("message") or answer.json()["detail"]
    assert place in message


async def test_s16_whole_surrogate_pairs_are_text(client: httpx.AsyncClient) -> None:
    answer = await post(client, '{"name": "x", "description": "\\ud83d\\ude00"}')
    assert answer.json()["description"] == "😀"


async def test_s16_a_million_keys_are_too_many_bytes(client: httpx.AsyncClient) -> None:
    keys = ",".join(f'"{number}":1' for number in range(1_000_000))
    answer = await post(client, '{"name": "x", "variables": {' + keys + "}}")
    assert answer.status_code == 413
    assert "1048576" in answer.json()["message"]


async def test_s16_50_megabytes_are_refused_unread(client: httpx.AsyncClient) -> None:
    answer = await post(client, b'{"name": "' + b"x" * 50_000_000 + b'"}')
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_s16_a_body_without_a_length_is_measured_while_it_comes(client: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        for _ in range(1_000):
            sent += 65_536
            yield b" " * 65_536

    answer = await client.post("/v1/tenants", content=endless(), headers=JSON)
    assert answer.status_code == 413
    assert sent < 4 * 1024 * 1024


async def test_s16_many_small_keys_are_read_quickly_and_stored(client: httpx.AsyncClient) -> None:
    variables = {f"k{number}": number for number in range(50_000)}
    answer = await post(client, json.dumps({"name": "wide", "variables": variables}))
    assert answer.status_code == 201


@pytest.mark.parametrize("text", ["\xff\xfe", "é"], ids=["utf-16 mark", "latin-1"])
async def test_a_body_that_is_not_utf_8_is_refused(text: str, client: httpx.AsyncClient) -> None:
    answer = await post(client, b'{"name": "' + text.encode("latin-1") + b'"}')
    assert answer.status_code == 400
    assert "not UTF-8" in answer.json()["message"]


@pytest.mark.parametrize("body", ["[]", "1", '"x"', "null", "true"])
async def test_a_body_of_another_shape_names_the_body(body: str, client: httpx.AsyncClient) -> None:
    answer = await post(client, body)
    assert answer.status_code == 400
    assert "body" in answer.json()["errors"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml"])
@pytest.mark.parametrize("route", ROUTES)
async def test_a_body_that_is_not_json_gets_a_415(kind: str, route: str, client: httpx.AsyncClient) -> None:
    answer = await client.post(route, content=b"name=x", headers={"Content-Type": kind})
    assert answer.status_code == 415
    assert "application/json" in answer.text


@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson", "application/octet-stream"])
@pytest.mark.parametrize("route", [*ROUTES, "/v2/inventories/1/ansible_facts/"])
async def test_a_compressed_body_is_refused_as_such(kind: str, route: str, client: httpx.AsyncClient) -> None:
    body = gzip.compress(b'{"name": "x"}')
    method = "PATCH" if "facts" in route else "POST"
    answer = await client.request(
        method, route, content=body, headers={"Content-Type": kind, "Content-Encoding": "gzip"}
    )
    assert answer.status_code == 415
    assert 'Content-Encoding "gzip"' in answer.text.replace("\\", "")


async def test_identity_is_no_compression(client: httpx.AsyncClient) -> None:
    headers = JSON | {"Content-Encoding": "identity"}
    assert (await client.post(ROUTES[0], content=b'{"name": "plain"}', headers=headers)).status_code == 201


@pytest.mark.parametrize("path", ["/v1/hosts?name=a%00b", "/v2/hosts/?name=a%00b", "/v1/hosts/%00"])
async def test_nul_in_a_path_or_query_is_refused(path: str, client: httpx.AsyncClient) -> None:
    assert (await client.get(path)).status_code == 400


@pytest.mark.parametrize("route", ROUTES)
async def test_a_refused_body_stores_nothing(route: str, client: httpx.AsyncClient) -> None:
    await post(client, '{"name": "half", "variables": {"a": NaN}}', route)
    names = [tenant["name"] for tenant in (await client.get("/v1/tenants")).json()["tenants"]]
    assert "half" not in names

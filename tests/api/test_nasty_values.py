"""Every operation with values that nobody should send: always an answer below 500, in the shape of its dialect."""

from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from tests.api.routes import Operation, operations
from tests.api.test_tenant_isolation import World, ask, make_world, own_ids

VALUES: list[Any] = [
    None,
    "",
    " ",
    "x" * 70_000,
    "\u0001",
    "💥",
    "{{ 7 * 7 }}",
    "../..",
    True,
    0,
    -1,
    2**31,
    2**63,
    10**300,
    1.5,
    1e308,
    [],
    [None],
    [[]],
    {},
    {"a": {"b": [None]}},
    {"": 1},
]
NUMBERS = ["-1", "0", "9" * 40, "1.5"]
TEXTS = [*NUMBERS, "", "x", "%", "null", "__", "'", '"', "\\", "é", "\x01", "(", "a" * 5_000, "[]", "true"]
FILTERS = [
    "id__in=",
    "id__in=1,x",
    "name__regex=(",
    "name__regex=(a%2B)%2B$",
    "created__gt=x",
    "created__gt=99999-01-01",
    "created__gt=0001-01-01",
    "id=99999999999999999999999",
    "id__isnull=maybe",
    "or__not__id=1",
    "__=1",
    "=1",
    "name__icontains__x=1",
    "%C3%A9=1",
    "order_by=,,",
    "order_by=-",
    "order_by=--name",
    "order_by=nope",
    "search=%22",
    "page=2",
    "page=0",
    "page=9" + "9" * 30,
    "page_size=0",
    "page_size=9" + "9" * 30,
    "type=host",
    "type=nope",
    "format=api",
    "count_disabled",
    "role_level=x",
]


@pytest.fixture
async def ours(session: AsyncSession) -> World:
    """One of everything."""
    return await make_world(session, "alpha")


def check(answer: httpx.Response, asked: object) -> None:
    """An answer that is no fault of the service."""
    assert answer.status_code < 500, (asked, answer.text)
    if answer.status_code >= 400:
        assert isinstance(answer.json(), dict), asked


@pytest.mark.full
@pytest.mark.parametrize("operation", [each for each in operations() if each.body is not None], ids=str)
async def test_no_value_in_a_body_is_a_500(operation: Operation, client: httpx.AsyncClient, ours: World) -> None:
    ids = own_ids(operation, ours)
    for value in VALUES:
        check(await ask(client, operation, ids, value), value)
    base = operation.example(ours.ids)
    if not isinstance(base, dict):
        return
    for name in (operation.body or {}).get("properties", {}):
        for value in VALUES:
            check(await ask(client, operation, ids, {**base, name: value}), (name, value))


@pytest.mark.full
@pytest.mark.parametrize("operation", [each for each in operations() if each.query_names], ids=str)
async def test_no_value_in_a_query_is_a_500(operation: Operation, client: httpx.AsyncClient, ours: World) -> None:
    path = operation.url(own_ids(operation, ours))
    for name in operation.query_names:
        for value in TEXTS:
            check(await client.request(operation.method, path, params={name: value}), (name, value))
    if operation.dialect == "v2":
        for query in FILTERS:
            check(await client.request(operation.method, f"{path}?{query}"), query)


@pytest.mark.full
@pytest.mark.parametrize("operation", [each for each in operations() if each.path_names], ids=str)
async def test_no_id_in_a_path_is_a_500(operation: Operation, client: httpx.AsyncClient, ours: World) -> None:
    for name in operation.path_names:
        for value in ("0", "-1", "x", "9" * 40, "1.5", "%20", "é", "1%2F2", "++", "a++b", "[+]"):
            ids: dict[str, Any] = {**own_ids(operation, ours), name: value}
            check(await ask(client, operation, ids, operation.example(ours.ids)), (name, value))

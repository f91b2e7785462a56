"""variable_data/: the variables as an object, in JSON or YAML, of inventories, hosts and groups."""

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Inventory
from tests.factories import make_group, make_host

YAML = {"Content-Type": "application/yaml"}


@pytest.fixture
async def paths(session: AsyncSession, inventory: Inventory) -> list[str]:
    """The variables of an inventory, a host and a group."""
    host, group = await make_host(session, inventory=inventory), await make_group(session, inventory=inventory)
    return [
        f"/v2/{plural}/{row.id}/variable_data/"
        for plural, row in (("inventories", inventory), ("hosts", host), ("groups", group))
    ]


async def test_yaml_goes_in_and_out(client: httpx.AsyncClient, paths: list[str]) -> None:
    for path in paths:
        put = await client.put(path, content="b: [1, two]\na: é\n", headers=YAML)
        assert (put.status_code, put.json()) == (200, {"b": [1, "two"], "a": "é"})
        shown = await client.get(path, headers={"Accept": "text/yaml"})
        assert shown.headers["content-type"].startswith("application/yaml")
        assert shown.text == "a: é\nb:\n- 1\n- two\n"


async def test_patch_replaces_all(client: httpx.AsyncClient, paths: list[str]) -> None:
    for path in paths:
        await client.put(path, json={"a": 1, "b": 2})
        assert (await client.patch(path, json={"c": 3})).json() == {"c": 3}
        assert (await client.get(path)).json() == {"c": 3}


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        ("[1]", "application/json", 400),
        ("null", "application/json", 400),
        ("", "application/json", 400),
        ("{", "application/json", 400),
        ("- 1", "application/yaml", 400),
        ("a: [", "application/yaml", 400),
        ("!!python/object/apply:os.system [id]", "application/yaml", 400),
        (b"a: \xff", "application/yaml", 400),
        ("a: " + "x" * 1_100_000, "application/yaml", 413),
        ("a=1", "text/plain", 415),
    ],
)
async def test_what_is_no_object_is_refused(
    client: httpx.AsyncClient, paths: list[str], content: str | bytes, kind: str, status: int
) -> None:
    await client.put(paths[0], json={"kept": 1})
    answer = await client.put(paths[0], content=content, headers={"Content-Type": kind})
    assert answer.status_code == status, answer.text
    assert (await client.get(paths[0])).json() == {"kept": 1}

"""S12 to S14 of the list of bad inputs, over the API: variables written as YAML text."""

from functools import partial

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Inventory
from tests.factories import make_inventory
from tests.processor_time import least_awaited


def alias_bomb(levels: int) -> str:
    """Each level names the one before nine times."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines)


async def write(client: httpx.AsyncClient, inventory: Inventory, text: str) -> httpx.Response:
    return await client.post("/v2/hosts/", json={"name": "h", "inventory": inventory.id, "variables": text})


async def test_s12_a_yaml_alias_bomb_is_refused_before_it_grows(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    inventory = await make_inventory(session)
    answer = await write(client, inventory, alias_bomb(8))
    assert answer.status_code == 400
    assert "variables" in answer.json()
    assert await least_awaited(partial(write, client, inventory, alias_bomb(8)), 1) < 1


async def test_s12_a_modest_alias_is_no_bomb(client: httpx.AsyncClient, session: AsyncSession) -> None:
    answer = await write(client, await make_inventory(session), "a: &a [1, 2]\nb: *a\n")
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "text",
    ['x: !!python/object/apply:os.system ["true"]', "x: !!python/name:os.system", "a: &a\n  <<: *a\n"],
    ids=["object", "name", "merge cycle"],
)
async def test_s13_a_tag_that_runs_code_and_a_merge_cycle_are_refused(
    text: str, client: httpx.AsyncClient, session: AsyncSession
) -> None:
    answer = await write(client, await make_inventory(session), text)
    assert answer.status_code == 400
    assert "variables" in answer.json()


@pytest.mark.parametrize("text", ["a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n", "a: !unsafe '{{ x }}'\n"])
async def test_s13_vault_and_unsafe_are_kept_as_written(
    text: str, client: httpx.AsyncClient, session: AsyncSession
) -> None:
    answer = await write(client, await make_inventory(session), text)
    assert answer.status_code == 201
    assert answer.json()["variables"] == text


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "], ids=["lists", "mappings", "block"])
async def test_s14_yaml_nesting_is_refused_and_the_service_lives(
    opening: str, client: httpx.AsyncClient, session: AsyncSession
) -> None:
    inventory = await make_inventory(session)
    answer = await write(client, inventory, "x: " + opening * 5_000)
    assert answer.status_code == 400
    assert (await client.get("/health/live")).status_code == 200

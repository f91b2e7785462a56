"""How many statements a script costs, from the request to the answer."""

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from tests.api.v2.conftest import Statements
from tests.factories import make_group, make_host, make_inventory


@pytest.mark.parametrize("hosts", [1, 30])
async def test_a_script_costs_a_constant_number_of_statements(
    client: httpx.AsyncClient, session: AsyncSession, statements: Statements, hosts: int
) -> None:
    inventory = await make_inventory(session)
    for _ in range(hosts):
        await make_host(session, inventory=inventory, groups=[await make_group(session, inventory=inventory)])
    await client.get("/v2/me/")  # a token is noted as used once in five minutes
    with statements.recorded() as seen:
        answer = await client.get(f"/v2/inventories/{inventory.id}/script/?hostvars=1")
    assert answer.status_code == 200
    # The token, the inventory, the four row sets, and whether they are of one state.
    assert len(seen) == 7


async def test_an_unchanged_script_asks_for_the_token_and_the_inventory_alone(
    client: httpx.AsyncClient, session: AsyncSession, statements: Statements
) -> None:
    inventory = await make_inventory(session)
    path = f"/v2/inventories/{inventory.id}/script/"
    etag = (await client.get(path)).headers["etag"]
    with statements.recorded() as seen:
        answer = await client.get(path, headers={"If-None-Match": etag})
    assert answer.status_code == 304
    assert [statement.partition("FROM ")[2].split()[0] for statement in seen] == ["tokens", "inventories"]

"""Ids in paths are digits; what merely looks like a number to a lenient reader is no id."""

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from tests.factories import make_host


@pytest.mark.parametrize("written", ["{id}%20", "%20{id}", "+{id}", "{id}.0", "0x{id}", "{id}_0", "{id}e0", "٣"])
@pytest.mark.parametrize(("path", "status"), [("/v1/hosts/{}", 400), ("/v2/hosts/{}/", 404), ("/v2/groups/{}/", 404)])
async def test_an_id_that_is_not_plain_digits_reaches_nothing(
    client: httpx.AsyncClient, session: AsyncSession, path: str, status: int, written: str
) -> None:
    host = await make_host(session)
    for method in ("GET", "DELETE"):
        answer = await client.request(method, path.format(written.format(id=host.id)))
        assert answer.status_code == status, answer.text
    assert (await client.get(f"/v1/hosts/{host.id}")).status_code == 200

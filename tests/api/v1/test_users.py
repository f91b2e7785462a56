"""/v1/users and /v1/tenants/{tenant_id}/grants."""

from base64 import b64encode

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from tests.api.conftest import ClientOf
from tests.factories import make_tenant, make_user


def basic(username: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{username}:{password}".encode()).decode()}


async def test_a_user_is_made_and_logs_in(client: httpx.AsyncClient, anonymous: httpx.AsyncClient) -> None:
    made = await client.post("/v1/users", json={"username": "ann", "password": "correct horse"})
    assert made.status_code == 201, made.text
    assert "password" not in made.json()
    assert (await anonymous.get("/v1/tenants", headers=basic("ann", "correct horse"))).status_code == 200


async def test_a_new_password_replaces_the_old_one(client: httpx.AsyncClient, anonymous: httpx.AsyncClient) -> None:
    made = (await client.post("/v1/users", json={"username": "ann", "password": "correct horse"})).json()
    await client.patch(f"/v1/users/{made['id']}", json={"password": "battery staple"})
    statuses = [
        (await anonymous.get("/v1/tenants", headers=basic("ann", password))).status_code
        for password in ("correct horse", "battery staple")
    ]
    assert statuses == [401, 200]


async def test_a_username_is_taken_once(client: httpx.AsyncClient) -> None:
    for status in (201, 409):
        assert (await client.post("/v1/users", json={"username": "ann"})).status_code == status


@pytest.mark.parametrize("body", [{"username": "a b"}, {"username": ""}, {"username": "x", "password": "short"}])
async def test_a_user_that_does_not_fit_is_refused(body: dict[str, str], client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/users", json=body)
    assert answer.status_code == 400
    assert "short" not in answer.text


async def test_others_see_only_themselves(session: AsyncSession, client_of: ClientOf) -> None:
    await make_user(session, "somebody")
    reader = await client_of(await make_tenant(session), "reader")
    listed = (await reader.get("/v1/users")).json()["users"]
    assert len(listed) == 1
    assert (await reader.patch(f"/v1/users/{listed[0]['id']}", json={"is_superuser": True})).status_code == 403


async def test_a_grant_opens_a_tenant_and_its_end_closes_it(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, session: AsyncSession
) -> None:
    tenant = await make_tenant(session)
    user = (await client.post("/v1/users", json={"username": "ann", "password": "correct horse"})).json()
    path, login = f"/v1/tenants/{tenant.id}", basic("ann", "correct horse")
    assert (await anonymous.get(path, headers=login)).status_code == 404
    grant = await client.post(f"{path}/grants", json={"user_id": user["id"], "role": "reader"})
    assert grant.status_code == 201, grant.text
    assert (await anonymous.get(path, headers=login)).status_code == 200
    assert (await client.delete(grant.headers["location"])).status_code == 204
    assert (await anonymous.get(path, headers=login)).status_code == 404


async def test_an_operator_grants_nothing(session: AsyncSession, client_of: ClientOf) -> None:
    tenant = await make_tenant(session)
    operator = await client_of(tenant, "operator")
    user = await make_user(session)
    answer = await operator.post(f"/v1/tenants/{tenant.id}/grants", json={"user_id": user.id, "role": "admin"})
    assert answer.status_code == 403

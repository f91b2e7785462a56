"""/v1/tokens and /api/v2/tokens/."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.crypto import digest_secret, hash_password
from craton_inv.models import Token
from tests.api.conftest import KEY, ClientOf
from tests.factories import make_tenant, make_user


async def test_a_token_is_shown_once_and_kept_as_a_hash(client: httpx.AsyncClient, session: AsyncSession) -> None:
    made = (await client.post("/v1/tokens", json={"description": "ci"})).json()
    text = made["token"]
    row = await session.get(Token, made["id"])
    assert row is not None
    assert row.secret_hash == digest_secret(KEY, text.split("_", 2)[2])
    for path in ("/v1/tokens", f"/v1/tokens/{made['id']}", "/v2/tokens/", f"/v2/tokens/{made['id']}/"):
        answer = await client.get(path)
        assert answer.status_code == 200
        assert text.split("_", 2)[2] not in answer.text


async def test_a_new_token_opens_the_door(client: httpx.AsyncClient, anonymous: httpx.AsyncClient) -> None:
    text = (await client.post("/v1/tokens", json={})).json()["token"]
    assert (await anonymous.get("/v1/tenants", headers={"Authorization": f"Bearer {text}"})).status_code == 200


async def test_the_collection_logs_in_with_basic_auth_and_leaves(
    session: AsyncSession, anonymous: httpx.AsyncClient
) -> None:
    await make_user(session, "ann", password_hash=hash_password("correct horse"))
    login = {"Authorization": "Basic " + b64encode(b"ann:correct horse").decode()}
    body = {"description": "Ansible Collection", "application": None, "scope": "write"}
    made = await anonymous.post("/api/v2/tokens/", headers=login, json=body)
    assert made.status_code == 201
    bearer = {"Authorization": f"Bearer {made.json()['token']}"}
    path = f"/api/v2/tokens/{made.json()['id']}/"
    assert made.json()["url"] == made.headers["location"] == path
    assert (await anonymous.delete(path, headers=bearer)).status_code == 204
    assert (await anonymous.get("/v1/tenants", headers=bearer)).status_code == 401


async def test_a_token_of_somebody_else_is_absent(session: AsyncSession, client_of: ClientOf) -> None:
    tenant = await make_tenant(session)
    one, other = await client_of(tenant), await client_of(tenant)
    made = (await one.post("/v1/tokens", json={})).json()
    assert (await other.get(f"/v1/tokens/{made['id']}")).status_code == 404
    assert (await other.delete(f"/v1/tokens/{made['id']}")).status_code == 404
    assert (await one.get(f"/v1/tokens/{made['id']}")).status_code == 200


async def test_a_limited_token_makes_only_tokens_with_its_limit(session: AsyncSession, client_of: ClientOf) -> None:
    tenant = await make_tenant(session)
    limited = await client_of(tenant, "admin", tenant_id=tenant.id)
    made = await limited.post("/v1/tokens", json={})
    assert (made.status_code, made.json()["tenant_id"]) == (201, tenant.id)


async def test_a_superusers_limited_token_is_no_system_administrator(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, session: AsyncSession
) -> None:
    tenant = await make_tenant(session)
    text = (await client.post("/v1/tokens", json={"tenant_id": tenant.id})).json()["token"]
    answer = await anonymous.post("/v1/tenants", json={"name": "x"}, headers={"Authorization": f"Bearer {text}"})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"expires": (datetime.now(UTC) - timedelta(days=1)).isoformat()}, "expires"),
        ({"expires": "soon"}, "expires"),
        ({"scope": "root"}, "scope"),
        ({"token": "mine"}, "token"),
        ({"tenant_id": "1"}, "tenant_id"),
    ],
    ids=["past", "no time", "scope", "unknown", "text id"],
)
async def test_a_field_that_does_not_fit_is_named(body: dict[str, str], field: str, client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/tokens", json=body)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


async def test_awx_applications_are_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/v2/tokens/", json={"application": 3})
    assert (answer.status_code, list(answer.json())) == (400, ["application"])

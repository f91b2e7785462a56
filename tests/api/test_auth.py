"""Who is let in, and with what rights."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.crypto import digest_secret, hash_password
from craton_inv.models import Grant, Token, User
from tests.api.conftest import KEY, ClientOf, make_token
from tests.factories import make_tenant, make_user, save

LIST = "/v1/tenants"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def basic(username: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{username}:{password}".encode()).decode()}


async def test_a_token_opens_the_door(session: AsyncSession, anonymous: httpx.AsyncClient) -> None:
    token = await make_token(session, await make_user(session))
    assert (await anonymous.get(LIST, headers=bearer(token))).status_code == 200


async def test_a_token_text_without_an_id_is_found_by_its_hash(
    session: AsyncSession, anonymous: httpx.AsyncClient
) -> None:
    user = await make_user(session)
    await save(session, Token(user_id=user.id, secret_hash=digest_secret(KEY, "chosen-by-an-operator")))
    assert (await anonymous.get(LIST, headers=bearer("chosen-by-an-operator"))).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "Bearer civ_1_wrong",
        "Bearer civ_99999999999999999999_x",
        "Bearer civ_0_x",
        "Bearer civ__",
        "Bearer ",
        "Bearer",
        "Bearer " + "x" * 100_000,
        "Basic !!!",
        "Basic " + b64encode(b"no colon").decode(),
        "Basic " + b64encode(b"\xff:\xff").decode(),
        "Basic " + b64encode(b"nobody:nothing").decode(),
        "Digest username=x",
        "",
    ],
    ids=lambda header: header[:30] or "empty",
)
async def test_what_is_no_credential_gets_a_401_with_a_challenge(header: str, anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get(LIST, headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer realm=api authorization_url=/api/o/authorize/"


async def test_the_hash_of_a_token_is_no_token(session: AsyncSession, anonymous: httpx.AsyncClient) -> None:
    await make_token(session, await make_user(session))
    stored = await session.scalar(select(Token.secret_hash).order_by(Token.id.desc()).limit(1))
    assert stored is not None
    assert (await anonymous.get(LIST, headers=bearer(stored.hex()))).status_code == 401


@pytest.mark.parametrize("days", [-1, 1])
async def test_a_token_ends_when_it_expires(days: int, session: AsyncSession, anonymous: httpx.AsyncClient) -> None:
    expires = datetime.now(UTC) + timedelta(days=days)
    token = await make_token(session, await make_user(session), expires=expires)
    assert (await anonymous.get(LIST, headers=bearer(token))).status_code == (200 if days > 0 else 401)


async def test_a_revoked_token_is_unknown(session: AsyncSession, anonymous: httpx.AsyncClient) -> None:
    token = await make_token(session, await make_user(session))
    answer = await anonymous.delete(f"/v1/tokens/{token.split('_')[1]}", headers=bearer(token))
    assert answer.status_code == 204
    assert (await anonymous.get(LIST, headers=bearer(token))).status_code == 401


async def test_a_user_that_is_switched_off_is_out(session: AsyncSession, anonymous: httpx.AsyncClient) -> None:
    token = await make_token(session, await make_user(session, is_active=False))
    assert (await anonymous.get(LIST, headers=bearer(token))).status_code == 401


@pytest.mark.parametrize(("password", "status"), [("correct horse", 200), ("wrong", 401)])
async def test_basic_auth_takes_the_right_password(
    password: str, status: int, session: AsyncSession, anonymous: httpx.AsyncClient
) -> None:
    await make_user(session, "ann", password_hash=hash_password("correct horse"))
    assert (await anonymous.get(LIST, headers=basic("ann", password))).status_code == status


async def test_a_user_without_a_password_cannot_log_in_by_basic_auth(
    session: AsyncSession, anonymous: httpx.AsyncClient
) -> None:
    await make_user(session, "token-only")
    assert (await anonymous.get(LIST, headers=basic("token-only", ""))).status_code == 401


async def test_a_token_for_reading_may_not_write(session: AsyncSession, anonymous: httpx.AsyncClient) -> None:
    user = await make_user(session, is_superuser=True)
    token = await make_token(session, user, scope="read")
    assert (await anonymous.get(LIST, headers=bearer(token))).status_code == 200
    assert (await anonymous.post(LIST, headers=bearer(token), json={"name": "x"})).status_code == 403


FORGED = {
    "X-User": "root",
    "X-User-Id": "1",
    "X-Roles": "admin",
    "X-Identity-Status": "Confirmed",
    "X-Is-Admin-Project": "True",
    "X-Project-Id": "1",
    "Remote-User": "root",
}


async def test_s27_forged_identity_headers_are_no_credentials(anonymous: httpx.AsyncClient) -> None:
    assert (await anonymous.get(LIST, headers=FORGED)).status_code == 401


async def test_s27_forged_identity_headers_add_no_right(session: AsyncSession, client_of: ClientOf) -> None:
    tenant = await make_tenant(session)
    reader = await client_of(tenant, "reader")
    answer = await reader.patch(f"/v1/tenants/{tenant.id}", json={"description": "x"}, headers=FORGED)
    assert answer.status_code == 403


async def test_the_use_of_a_token_is_noted_coarsely(session: AsyncSession, anonymous: httpx.AsyncClient) -> None:
    token = await make_token(session, await make_user(session))
    row = await session.get(Token, int(token.split("_")[1]))
    assert row is not None
    noted = []
    for _ in range(2):
        await anonymous.get(LIST, headers=bearer(token))
        await session.refresh(row)
        noted.append(row.last_used)
    assert noted[0] is not None
    assert noted[0] == noted[1]


async def test_an_admin_of_a_tenant_is_no_system_administrator(session: AsyncSession, client_of: ClientOf) -> None:
    tenant = await make_tenant(session)
    admin = await client_of(tenant, "admin")
    assert (await admin.post(LIST, json={"name": "another"})).status_code == 403


async def test_the_text_false_in_a_header_is_not_a_yes(session: AsyncSession, anonymous: httpx.AsyncClient) -> None:
    user: User = await make_user(session)
    tenant = await make_tenant(session)
    await save(session, Grant(user_id=user.id, tenant_id=tenant.id, role="reader"))
    token = await make_token(session, user)
    headers = {**bearer(token), "X-Is-Admin-Project": "False"}
    assert (await anonymous.post(LIST, headers=headers, json={"name": "x"})).status_code == 403

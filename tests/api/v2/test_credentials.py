"""credentials/ and credential_types/: secrets go in and never come out; AWX's routes, words and refusals."""

import json
import threading
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Credential, CredentialType, Tenant
from craton_inv.providers.credentials import MANAGED
from craton_inv.providers.credentials.private_keys import PrivateKey, read_private_key
from craton_inv.services.credentials import opened
from craton_inv.settings import Settings
from tests.api.conftest import ClientOf
from tests.api.v2.conftest import Statements
from tests.factories import make_credential, make_credential_type, make_tenant

CANARY = "canary-of-the-api"
AWS = {"username": "AK", "password": CANARY}


@pytest.fixture
async def tenant(session: AsyncSession) -> Tenant:
    """An organization."""
    return await make_tenant(session)


async def type_id(session: AsyncSession, namespace: str) -> int:
    """The id of a managed type."""
    return (await session.scalars(select(CredentialType.id).where(CredentialType.namespace == namespace))).one()


@pytest.fixture
async def aws(session: AsyncSession) -> int:
    """The id of Amazon's type."""
    return await type_id(session, "aws")


async def made(client: httpx.AsyncClient, tenant: Tenant, kind: int, **values: Any) -> dict[str, Any]:
    """A credential made through the API."""
    body = {"name": "key", "organization": tenant.id, "credential_type": kind, "inputs": AWS, **values}
    answer = await client.post("/api/v2/credentials/", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def secrets_of(session: AsyncSession, settings: Settings, row_id: int) -> dict[str, Any]:
    """What a run would log in with."""
    found = await opened(session, settings, row_id)
    assert found is not None
    return dict(found.inputs)


async def test_a_credential_is_made_shown_and_deleted_without_its_secret(
    client: httpx.AsyncClient, session: AsyncSession, settings: Settings, tenant: Tenant, aws: int
) -> None:
    shown = await made(client, tenant, aws, description="ours")
    assert (shown["type"], shown["url"]) == ("credential", f"/api/v2/credentials/{shown['id']}/")
    assert shown["inputs"] == {"username": "AK", "password": "$encrypted$"}
    assert (shown["kind"], shown["cloud"], shown["kubernetes"], shown["managed"]) == ("aws", True, False, False)
    assert shown["related"]["credential_type"] == f"/api/v2/credential_types/{aws}/"
    assert shown["summary_fields"]["credential_type"]["name"] == "Amazon Web Services"
    assert shown["summary_fields"]["user_capabilities"] == {"edit": True, "delete": True, "use": True}
    for path in (shown["url"], "/api/v2/credentials/", f"/api/v2/organizations/{tenant.id}/credentials/"):
        answer = await client.get(path)
        assert (answer.status_code, CANARY in answer.text, "$encrypted$" in answer.text) == (200, False, True)
    assert await secrets_of(session, settings, shown["id"]) == AWS
    stored = await session.execute(text("SELECT * FROM credentials"))
    assert CANARY not in str(stored.all())
    assert (await client.delete(shown["url"])).status_code == 204
    assert (await client.get(shown["url"])).status_code == 404


async def test_encrypted_keeps_what_is_stored_and_everything_else_replaces_it(
    client: httpx.AsyncClient, session: AsyncSession, settings: Settings, tenant: Tenant, aws: int
) -> None:
    shown = await made(client, tenant, aws)
    kept = {"username": "AK2", "password": "$encrypted$", "security_token": "token"}
    answer = await client.patch(shown["url"], json={"inputs": kept})
    assert answer.status_code == 200, answer.text
    assert answer.json()["inputs"] == {"username": "AK2", "password": "$encrypted$", "security_token": "$encrypted$"}
    session.expire_all()
    expected = {"username": "AK2", "password": CANARY, "security_token": "token"}
    assert await secrets_of(session, settings, shown["id"]) == expected
    answer = await client.put(shown["url"], json={"name": "key", "inputs": {"username": "AK", "password": "new"}})
    assert answer.json()["inputs"] == {"username": "AK", "password": "$encrypted$"}
    session.expire_all()
    assert await secrets_of(session, settings, shown["id"]) == {"username": "AK", "password": "new"}


async def test_plain_inputs_change_without_any_key(
    client: httpx.AsyncClient, session: AsyncSession, settings: Settings, tenant: Tenant, aws: int
) -> None:
    shown = await made(client, tenant, aws)
    (settings.data_dir / "root.keys").unlink()
    inputs = {"username": "AK2", "password": "$encrypted$"}
    answer = await client.patch(shown["url"], json={"inputs": inputs, "name": "renamed"})
    assert (answer.status_code, answer.json()["inputs"]) == (200, inputs)
    mixed = await client.patch(shown["url"], json={"inputs": {**inputs, "security_token": CANARY}})
    assert (mixed.status_code, mixed.headers["Retry-After"]) == (503, "60")
    assert "root keys that are not configured here" in mixed.json()["detail"]
    assert CANARY not in mixed.text


async def test_without_its_key_the_service_is_not_ready_and_all_else_works(
    client: httpx.AsyncClient, settings: Settings, tenant: Tenant, aws: int
) -> None:
    shown = await made(client, tenant, aws)
    assert (await client.get("/health/ready")).json()["secrets"] == "ok"
    (settings.data_dir / "root.keys").unlink()
    ready = await client.get("/health/ready")
    assert (ready.status_code, ready.json()["status"]) == (503, "unavailable")
    assert "root keys that are not configured here" in ready.json()["secrets"]
    assert (await client.get(shown["url"])).status_code == 200
    assert (await client.get("/v2/hosts/")).status_code == 200


async def test_s29_a_changed_secret_is_a_conflict_that_tells_nothing(
    client: httpx.AsyncClient, session: AsyncSession, tenant: Tenant, aws: int
) -> None:
    shown = await made(client, tenant, aws)
    await session.execute(
        text("UPDATE credentials SET ciphertext = set_bit(ciphertext, 3, 1 - get_bit(ciphertext, 3))")
    )
    inputs = {"username": "AK", "password": "$encrypted$", "security_token": "x"}
    answer = await client.patch(shown["url"], json={"inputs": inputs})
    assert (answer.status_code, CANARY in answer.text) == (409, False)
    assert "does not open" in answer.json()["error"]


@pytest.mark.parametrize(
    ("inputs", "faults"),
    [
        ({"username": "AK"}, {"password": ["required for Amazon Web Services"]}),
        ({**AWS, "nope": CANARY}, {"nope": ["Additional properties are not allowed ('nope' was unexpected)"]}),
        ({"username": {"a": CANARY}, "password": "x"}, {"username": ["Not a valid string."]}),
        (CANARY, ["Expected an object."]),
        ([CANARY], ["Expected an object."]),
        (None, ["Expected an object."]),
    ],
)
async def test_inputs_that_do_not_fit_are_refused_without_being_repeated(
    client: httpx.AsyncClient, session: AsyncSession, tenant: Tenant, aws: int, inputs: Any, faults: Any
) -> None:
    body = {"name": "key", "organization": tenant.id, "credential_type": aws, "inputs": inputs}
    answer = await client.post("/v2/credentials/", json=body)
    assert (answer.status_code, answer.json()) == (400, {"inputs": faults})
    assert CANARY not in answer.text
    assert (await session.scalars(select(Credential))).all() == []


async def test_names_are_taken_once_and_owners_and_types_are_fixed(
    client: httpx.AsyncClient, session: AsyncSession, tenant: Tenant, aws: int
) -> None:
    shown = await made(client, tenant, aws)
    again = await client.post(
        "/v2/credentials/",
        json={"name": "key", "organization": tenant.id, "credential_type": aws, "inputs": AWS},
    )
    assert (again.status_code, again.json()) == (
        400,
        {"__all__": ["Credential with this Organization, Name and Credential type already exists."]},
    )
    other = await make_tenant(session)
    moved = await client.patch(shown["url"], json={"organization": other.id})
    assert (moved.status_code, moved.json()["detail"]) == (403, "Unable to change organization on a credential.")
    turned = await client.patch(shown["url"], json={"credential_type": await type_id(session, "vmware")})
    assert turned.status_code == 400
    assert turned.json()["credential_type"][0].startswith("You cannot change the credential type of a credential")


async def test_who_may_do_what(client: httpx.AsyncClient, client_of: ClientOf, tenant: Tenant, aws: int) -> None:
    shown = await made(client, tenant, aws)
    body = {"name": "more", "organization": tenant.id, "credential_type": aws, "inputs": AWS}
    for role, may in (("admin", True), ("operator", False), ("reader", False)):
        caller = await client_of(tenant, role)
        seen = await caller.get(shown["url"])
        assert (seen.status_code, CANARY in seen.text) == (200, False)
        assert seen.json()["summary_fields"]["user_capabilities"]["edit"] is may
        assert (await caller.patch(shown["url"], json={"description": role})).status_code == (200 if may else 403)
        assert (await caller.post("/v2/credentials/", json=body)).status_code == (201 if may else 403)
    secrets = await client_of(tenant, "reader", "secrets")
    assert CANARY not in (await secrets.get(shown["url"])).text


@pytest.mark.parametrize(
    "query",
    [
        "inputs__username=AK",
        "inputs__contains=canary",
        "inputs=1",
        "order_by=inputs",
        "inventory_sources__credential__inputs__password__startswith=c",
    ],
)
async def test_s20_no_filter_or_order_looks_into_inputs(
    client: httpx.AsyncClient, tenant: Tenant, aws: int, query: str
) -> None:
    await made(client, tenant, aws)
    answer = await client.get(f"/v2/credentials/?{query}")
    assert answer.status_code in (400, 403), answer.text
    if "inventory_sources" not in query:
        assert (answer.status_code, answer.json()["detail"]) == (403, "Filtering on inputs is not allowed.")


@pytest.mark.parametrize("column", ["ciphertext", "nonce", "wrapped_key", "key_id", "secret_fields"])
async def test_sealed_columns_are_no_fields(client: httpx.AsyncClient, column: str) -> None:
    answer = await client.get(f"/v2/credentials/?{column}__isnull=false")
    assert (answer.status_code, answer.json()["detail"]) == (400, f"Credential has no field named '{column}'")


async def test_credentials_are_found_by_name_type_and_organization(
    client: httpx.AsyncClient, session: AsyncSession, tenant: Tenant, aws: int
) -> None:
    shown = await made(client, tenant, aws)
    await make_credential(session, "other")
    for query in (
        "name=key",
        f"credential_type={aws}",
        "credential_type__kind=cloud&credential_type__namespace=aws",
        f"organization={tenant.id}",
        "search=key",
    ):
        answer = await client.get(f"/v2/credentials/?{query}")
        assert [row["id"] for row in answer.json()["results"]] == [shown["id"]], query


async def test_a_list_costs_the_same_statements_whatever_its_length(
    client: httpx.AsyncClient, session: AsyncSession, statements: Statements
) -> None:
    await make_credential(session)
    await client.get("/v2/credentials/")  # the first one notes that the token was used
    with statements.recorded() as few:
        await client.get("/v2/credentials/")
    for _ in range(5):
        await make_credential(session)
    with statements.recorded() as many:
        answer = await client.get("/v2/credentials/")
    assert (answer.json()["count"], len(many)) == (6, len(few))
    assert not [statement for statement in many if "ciphertext" in statement]


async def test_options_tell_what_a_credential_takes(client: httpx.AsyncClient) -> None:
    actions = (await client.options("/api/v2/credentials/")).json()["actions"]
    assert actions["POST"]["inputs"]["type"] == "object"
    assert actions["POST"]["credential_type"]["type"] == "id"
    assert actions["GET"]["inputs"]["filterable"] is False


async def test_managed_types_are_the_releases_own(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v2/credential_types/?managed=true&order_by=namespace")
    shown = {row["namespace"]: row for row in answer.json()["results"]}
    assert shown.keys() == MANAGED.keys()
    for namespace, row in shown.items():
        definition = MANAGED[namespace]
        assert (row["name"], row["kind"], row["organization"]) == (definition.name, definition.kind, None)
        assert row["inputs"] == json.loads(json.dumps(definition.inputs_as_json()))
        assert row["summary_fields"]["user_capabilities"] == {"edit": False, "delete": False}


async def test_managed_types_cannot_be_changed_or_deleted(client: httpx.AsyncClient, aws: int) -> None:
    path = f"/v2/credential_types/{aws}/"
    changed, deleted = await client.patch(path, json={"name": "x"}), await client.delete(path)
    assert (changed.status_code, changed.json()["detail"]) == (
        403,
        "Modifications not allowed for managed credential types",
    )
    assert (deleted.status_code, deleted.json()["detail"]) == (
        403,
        "Deletion not allowed for managed credential types",
    )


TYPE = {
    "name": "Ours",
    "kind": "cloud",
    "inputs": {"fields": [{"id": "word", "label": "Word", "secret": True}], "required": ["word"]},
    "injectors": {"env": {"OURS_WORD": "{{ word }}"}},
}


async def test_a_custom_type_lives_through_its_life(client: httpx.AsyncClient, tenant: Tenant) -> None:
    answer = await client.post("/v2/credential_types/", json=TYPE)
    kind = answer.json()
    assert (answer.status_code, kind["managed"], kind["namespace"]) == (201, False, None)
    assert kind["inputs"]["fields"] == [{"id": "word", "label": "Word", "type": "string", "secret": True}]
    credential = await made(client, tenant, kind["id"], inputs={"word": CANARY})
    listed = await client.get(f"{kind['url']}credentials/")
    assert [row["id"] for row in listed.json()["results"]] == [credential["id"]]
    renamed = await client.patch(kind["url"], json={"name": "Theirs"})
    assert (renamed.status_code, renamed.json()["name"]) == (200, "Theirs")
    changed = await client.patch(kind["url"], json={"inputs": {"fields": []}, "injectors": {}})
    assert (changed.status_code, changed.json()["detail"]) == (
        403,
        "Modifications to inputs are not allowed for credential types that are in use",
    )
    deleted = await client.delete(kind["url"])
    assert (deleted.status_code, deleted.json()["detail"]) == (
        403,
        "Credential types that are in use cannot be deleted",
    )
    await client.delete(credential["url"])
    assert (await client.delete(kind["url"])).status_code == 204


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "ssh"}, "kind"),
        ({"inputs": {"fields": [{"id": "x"}]}}, "inputs"),
        ({"injectors": {"env": {"PATH": "x"}}}, "injectors"),
        ({"injectors": {"env": {"OURS": "{{ nope }}"}}}, "injectors"),
        ({"inputs": "x"}, "inputs"),
    ],
)
async def test_a_type_that_makes_no_sense_is_refused(
    client: httpx.AsyncClient, change: dict[str, Any], field: str
) -> None:
    answer = await client.post("/v2/credential_types/", json={**TYPE, **change})
    assert (answer.status_code, list(answer.json())) == (400, [field])


async def test_an_organization_has_types_of_its_own(client_of: ClientOf, session: AsyncSession, tenant: Tenant) -> None:
    admin, other = await client_of(tenant), await make_tenant(session)
    everybodys = await admin.post("/v2/credential_types/", json=TYPE)
    assert everybodys.status_code == 403
    own = await admin.post("/v2/credential_types/", json={**TYPE, "organization": tenant.id})
    assert (own.status_code, own.json()["organization"]) == (201, tenant.id)
    stranger = await client_of(other)
    assert (await stranger.get(own.json()["url"])).status_code == 404
    body = {"name": "key", "organization": other.id, "credential_type": own.json()["id"], "inputs": {"word": "x"}}
    refused = await stranger.post("/v2/credentials/", json=body)
    assert (refused.status_code, list(refused.json())) == (400, ["credential_type"])


async def test_a_type_of_another_organization_is_refused_to_whoever_sees_both(
    client: httpx.AsyncClient, session: AsyncSession, tenant: Tenant
) -> None:
    foreign = await make_credential_type(session, tenant=await make_tenant(session))
    body = {"name": "key", "organization": tenant.id, "credential_type": foreign.id, "inputs": {}}
    refused = await client.post("/v2/credentials/", json=body)
    assert (refused.status_code, refused.json()) == (
        400,
        {"credential_type": ["The type belongs to another organization."]},
    )


async def test_locked_keys_are_opened_beside_the_event_loop(
    client: httpx.AsyncClient, session: AsyncSession, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []

    def watched(text: str, passphrase: str, *, may_be_encrypted: bool) -> PrivateKey:
        threads.append(threading.current_thread())
        return read_private_key(text, passphrase, may_be_encrypted=may_be_encrypted)

    monkeypatch.setattr("craton_inv.providers.credentials.inputs.read_private_key", watched)
    key = ed25519.Ed25519PrivateKey.generate()
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, BestAvailableEncryption(b"words")).decode()
    inputs = {"ssh_key_data": locked, "ssh_key_unlock": "words"}
    shown = await made(client, tenant, await type_id(session, "scm"), inputs=inputs)
    kept = {"inputs": {"ssh_key_data": locked, "ssh_key_unlock": "$encrypted$"}}
    assert (await client.patch(shown["url"], json=kept)).status_code == 200
    assert len(threads) == 2
    assert threading.main_thread() not in threads


async def test_operators_see_the_keys_and_order_a_rewrap(
    client: httpx.AsyncClient, client_of: ClientOf, tenant: Tenant, aws: int
) -> None:
    await made(client, tenant, aws)
    keys = (await client.get("/v1/keys")).json()
    [root] = keys["root_keys"]
    assert (root["first"], root["configured"], root["tenant_keys"]) == (True, True, 1)
    assert keys["versions"] == [{"version": 1, "tenants": 1, "retired": 0, "secrets": 1}]
    ordered = await client.post("/v1/keys/rewrap")
    again = await client.post("/v1/keys/rewrap")
    assert (ordered.status_code, again.json()) == (202, ordered.json())
    admin = await client_of(tenant)
    assert (await admin.get("/v1/keys")).status_code == 403
    assert (await admin.post("/v1/keys/rewrap")).status_code == 403

"""/v1/tenants: bodies, codes and links."""

import httpx


async def test_a_tenant_is_made_read_changed_and_deleted(client: httpx.AsyncClient) -> None:
    made = await client.post("/v1/tenants", json={"name": "acme", "customer": "ACME", "variables": {"a": 1}})
    assert made.status_code == 201
    body = made.json()
    assert made.headers["location"] == f"/v1/tenants/{body['id']}"
    assert (body["name"], body["description"], body["variables"]) == ("acme", "", {"a": 1})
    read = await client.get(made.headers["location"])
    assert read.json() == body
    changed = await client.patch(
        made.headers["location"], json={"name": "acme two"}, headers={"If-Match": read.headers["etag"]}
    )
    assert (changed.status_code, changed.json()["name"]) == (200, "acme two")
    assert (await client.delete(made.headers["location"])).status_code == 204
    assert (await client.get(made.headers["location"])).status_code == 404


async def test_a_patch_that_turns_one_into_true_is_a_change(client: httpx.AsyncClient) -> None:
    made = await client.post("/v1/tenants", json={"name": "acme", "variables": {"a": 1}})
    await client.patch(made.headers["location"], json={"variables": {"a": True}})
    assert (await client.get(made.headers["location"])).json()["variables"]["a"] is True


async def test_a_tenant_with_a_region_stays(client: httpx.AsyncClient) -> None:
    made = await client.post("/v1/tenants", json={"name": "acme"})
    await client.post(f"/v1/regions/{made.json()['id']}", json={"name": "north"})
    answer = await client.delete(made.headers["location"])
    assert (answer.status_code, answer.json()["code"]) == (409, "not_empty")


async def test_a_name_is_taken_once(client: httpx.AsyncClient) -> None:
    for status in (201, 409):
        assert (await client.post("/v1/tenants", json={"name": "acme"})).status_code == status


async def test_a_clash_is_told_in_the_words_of_its_dialect(client: httpx.AsyncClient) -> None:
    await client.post("/v1/tenants", json={"name": "acme"})
    v1 = (await client.post("/v1/tenants", json={"name": "acme"})).json()
    v2 = (await client.post("/v2/organizations/", json={"name": "acme"})).json()
    assert v1["message"] == "Tenant with this Name already exists."
    assert v2 == {"__all__": ["Organization with this Name already exists."]}

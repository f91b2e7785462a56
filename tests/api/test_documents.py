"""The OpenAPI documents and the pages that show them."""

import re

import httpx
import pytest
from fastapi import FastAPI

from tests.api.routes import operations

DIALECTS = ("v1", "v2")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_operation_ids_are_plain_and_unique(dialect: str) -> None:
    ids = [each.operation_id for each in operations() if each.dialect == dialect]
    assert len(ids) == len(set(ids))
    assert [each for each in ids if not re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", each)] == []


@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_document_speaks_of_422(dialect: str, app: FastAPI) -> None:
    document = app.state.dialects[dialect].openapi()
    statuses = {
        status
        for methods in document["paths"].values()
        for operation in methods.values()
        for status in operation["responses"]
    }
    assert "422" not in statuses
    assert {"400", "401", "403", "404"} <= statuses
    assert not {"HTTPValidationError", "ValidationError"} & set(document["components"]["schemas"])


@pytest.mark.parametrize("dialect", DIALECTS)
def test_bearer_and_basic_are_declared(dialect: str, app: FastAPI) -> None:
    schemes = app.state.dialects[dialect].openapi()["components"]["securitySchemes"]
    assert {scheme["scheme"] for scheme in schemes.values()} == {"bearer", "basic"}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_ids_in_paths_are_integers(dialect: str, app: FastAPI) -> None:
    for methods in app.state.dialects[dialect].openapi()["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "path":
                    assert parameter["schema"]["type"] == "integer", operation["operationId"]


def test_every_paged_list_of_v2_tells_how_to_go_without_the_count(app: FastAPI) -> None:
    taken = [
        {parameter["name"] for parameter in operation.get("parameters", [])}
        for methods in app.state.dialects["v2"].openapi()["paths"].values()
        for operation in methods.values()
    ]
    paged = [names for names in taken if "page_size" in names]
    assert len(paged) > 20
    assert all("count_disabled" in names for names in paged)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_docs_need_no_other_host(dialect: str, anonymous: httpx.AsyncClient) -> None:
    page = await anonymous.get(f"/{dialect}/docs")
    assert page.status_code == 200
    assert not re.search(r"(src|href)=\"(https?:)?//", page.text)
    assert "<script" not in page.text
    for operation in operations():
        if operation.dialect == dialect:
            assert f'id="{operation.operation_id}"' in page.text


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_the_document_is_served_with_its_prefix(dialect: str, anonymous: httpx.AsyncClient) -> None:
    document = (await anonymous.get(f"/{dialect}/openapi.json")).json()
    assert document["servers"] == [{"url": f"/{dialect}"}]


async def test_the_second_mount_has_no_document_of_its_own(anonymous: httpx.AsyncClient) -> None:
    assert (await anonymous.get("/api/v2/openapi.json")).status_code == 404


async def test_the_api_root_is_open_and_points_to_v2(anonymous: httpx.AsyncClient) -> None:
    body = (await anonymous.get("/api/")).json()
    assert (body["current_version"], body["available_versions"]) == ("/api/v2/", {"v2": "/api/v2/"})

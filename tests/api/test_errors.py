"""Refusals: one tree, two shapes, and never a trace."""

from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
from fastapi import APIRouter, FastAPI
from pydantic import BaseModel
from sqlalchemy import exc
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi

from craton_inv import errors
from craton_inv.api.build import build_dialect
from craton_inv.api.database_errors import translate_database_error
from craton_inv.api.v1.dialect import V1
from craton_inv.api.v2.dialect import V2
from craton_inv.app import make_context
from craton_inv.db.session import SessionFactory
from craton_inv.settings import Settings
from tests.api.conftest import RingingBell, client_for

RAISED: dict[str, Exception] = {
    "field": errors.InvalidFields({"name": ["This field is required."], "kind": ["Unknown."]}),
    "all": errors.Duplicate("Host with this Name and Inventory already exists."),
    "detail": errors.Forbidden("You do not have permission to perform this action."),
    "error": errors.Conflict("Resource is being used by running jobs.", code="busy"),
    "cycle": errors.Conflict("Cyclical Group association.", code="cycle"),
    "msg": errors.BadRequest('"id" is required to disassociate', key="msg"),
    "filter": errors.InvalidFilter("Invalid query", column=7),
    "absent": errors.NotFound("Not found."),
    "away": errors.ServiceUnavailable("The database is not reachable; try again soon."),
    "bug": RuntimeError("a secret in a message"),
}


class Thing(BaseModel):
    """A body."""

    size: int


@pytest.fixture(params=["v1", "v2"])
async def failing(
    request: pytest.FixtureRequest, settings: Settings, session_factory: SessionFactory, bell: RingingBell
) -> AsyncIterator[httpx.AsyncClient]:
    """A dialect whose routes raise what their path says."""
    router = APIRouter()

    @router.get("/raise/{name}")
    async def fail(name: str) -> None:
        raise RAISED[name]

    @router.post("/things/{id}")
    async def take(id: int, thing: Thing) -> Thing:
        return thing

    dialect = V1 if request.param == "v1" else V2
    context = make_context(settings, session_factory, bell)
    part = build_dialect(dialect, context, [router], prefix=f"/{request.param}", description="Fails.")
    app = FastAPI()
    app.mount(f"/{request.param}", part)
    async with client_for(app) as client:
        client.base_url = httpx.URL(f"http://test/{request.param}/")
        yield client


V2_BODIES = {
    "field": (400, {"name": ["This field is required."], "kind": ["Unknown."]}),
    "all": (400, {"__all__": ["Host with this Name and Inventory already exists."]}),
    "detail": (403, {"detail": "You do not have permission to perform this action."}),
    "error": (409, {"error": "Resource is being used by running jobs."}),
    "cycle": (400, {"error": "Cyclical Group association."}),
    "msg": (400, {"msg": '"id" is required to disassociate'}),
    "filter": (400, {"error": "Invalid query"}),
    "absent": (404, {"detail": "Not found."}),
    "away": (503, {"detail": "The database is not reachable; try again soon."}),
}


@pytest.mark.parametrize("name", V2_BODIES)
@pytest.mark.parametrize("failing", ["v2"], indirect=True)
async def test_v2_says_it_as_awx_does(name: str, failing: httpx.AsyncClient) -> None:
    answer = await failing.get(f"raise/{name}")
    assert (answer.status_code, answer.json()) == V2_BODIES[name]


@pytest.mark.parametrize("name", V2_BODIES)
@pytest.mark.parametrize("failing", ["v1"], indirect=True)
async def test_v1_says_status_message_and_code(name: str, failing: httpx.AsyncClient) -> None:
    error = RAISED[name]
    assert isinstance(error, errors.CratonInvError)
    answer = await failing.get(f"raise/{name}")
    body = answer.json()
    assert answer.status_code == body["status"] == error.status
    assert (body["message"], body["code"]) == (error.message, error.code)
    assert body.get("errors") == (error.fields or None)
    assert body.get("column") == (7 if name == "filter" else None)


async def test_a_bug_is_a_500_without_its_words(failing: httpx.AsyncClient) -> None:
    answer = await failing.get("raise/bug")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


async def test_a_dead_part_says_when_to_come_back(failing: httpx.AsyncClient) -> None:
    assert (await failing.get("raise/away")).headers["retry-after"] == "5"


async def test_a_problem_document_is_given_to_who_asks_for_one(failing: httpx.AsyncClient) -> None:
    answer = await failing.get("raise/field", headers={"Accept": "application/problem+json"})
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["title"], body["status"]) == ("Bad Request", 400)
    assert body["errors"] == {"name": ["This field is required."], "kind": ["Unknown."]}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "This field is required."),
        ({"size": None}, "This field may not be null."),
        ({"size": "big"}, "A valid integer is required. (got 'big')"),
    ],
    ids=["missing", "null", "text"],
)
async def test_a_field_that_does_not_fit_is_named(body: object, text: str, failing: httpx.AsyncClient) -> None:
    answer = await failing.post("things/1", json=body)
    fields = answer.json().get("errors", answer.json())
    assert (answer.status_code, fields["size"]) == (400, [text])


@pytest.mark.parametrize("failing", ["v1"], indirect=True)
async def test_an_id_that_is_no_number_is_named_in_v1(failing: httpx.AsyncClient) -> None:
    answer = await failing.post("things/one", json={"size": 1})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["id"])


@pytest.mark.parametrize("failing", ["v2"], indirect=True)
async def test_an_id_that_is_no_number_is_absent_in_v2(failing: httpx.AsyncClient) -> None:
    assert (await failing.post("things/one", json={"size": 1})).status_code == 404


def wrapped(cause: Exception, kind: type[exc.DBAPIError] = exc.DBAPIError) -> exc.DBAPIError:
    """An error of the driver as SQLAlchemy hands it on."""
    adapted = AsyncAdapt_asyncpg_dbapi.Error(str(cause))
    adapted.__cause__ = cause
    return kind("SELECT 1", {}, adapted)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (exc.TimeoutError("QueuePool limit"), "database.busy"),
        (ConnectionRefusedError(111, "refused"), "database.away"),
        (FileNotFoundError(2, "No such file or directory"), "database.away"),
        (TimeoutError(), "database.away"),
        (asyncpg.CannotConnectNowError("starting up"), "database.away"),
        (asyncpg.InvalidPasswordError("wrong"), "database.away"),
        (asyncpg.InvalidCatalogNameError("gone"), "database.away"),
        (wrapped(asyncpg.TooManyConnectionsError("too many")), "database.away"),
        (wrapped(asyncpg.AdminShutdownError("bye")), "database.away"),
        (wrapped(asyncpg.QueryCanceledError("statement timeout")), "database.timeout"),
        (wrapped(asyncpg.DeadlockDetectedError("deadlock")), "database.locked"),
        (wrapped(asyncpg.UniqueViolationError("twice"), exc.IntegrityError), "conflict"),
        (wrapped(asyncpg.DataError("value out of int64 range")), "invalid_value"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_an_error_of_the_database_has_one_meaning(error: Exception, code: str) -> None:
    found = translate_database_error(error)
    assert found is not None
    assert found.code == code


@pytest.mark.parametrize("error", [ValueError("x"), FileNotFoundError(2, "gone", "/etc/x"), KeyError("y")])
def test_an_error_of_our_own_is_not_blamed_on_the_database(error: Exception) -> None:
    assert translate_database_error(error) is None

"""Health with everything up, without Redis, and without a database; and requests meanwhile."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import make_url

from craton_inv.app import create_app
from craton_inv.queue.bell import ArqBell, SilentBell
from craton_inv.settings import Settings
from tests.api.conftest import RingingBell, client_for
from tests.conftest import clone_template, drop_database

# Port 1 of the loopback address refuses at once.
DEAD_DATABASE = "postgresql+asyncpg://nobody@127.0.0.1:1/none"
DEAD_REDIS = "redis://127.0.0.1:1/0"


async def test_a_live_process_says_so(anonymous: httpx.AsyncClient) -> None:
    assert (await anonymous.get("/health/live")).json() == {"status": "ok"}


async def test_a_ready_service_has_database_and_redis(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json() == dict.fromkeys(("status", "database", "redis", "secrets"), "ok")


@pytest.fixture(params=["arq", "silent"])
async def without_redis(request: pytest.FixtureRequest, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The service, its Redis dead or not configured."""
    bell = ArqBell(DEAD_REDIS, "q") if request.param == "arq" else SilentBell()
    app = create_app(settings, bell=bell)
    async with client_for(app) as client:
        yield client
    await app.state.context.engine.dispose()


async def test_without_redis_the_service_is_degraded_but_ready(without_redis: httpx.AsyncClient) -> None:
    answer = await without_redis.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert "sweeper" in answer.json()["redis"]


@pytest.fixture(
    params=[DEAD_DATABASE, "postgresql+asyncpg://x@/none?host=/nowhere", None], ids=["tcp", "socket", "none"]
)
async def without_database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The service, its database dead or not configured."""
    settings = Settings(data_dir=tmp_path, database_url=request.param, secret_key="k")  # type: ignore[arg-type]
    app = create_app(settings, bell=RingingBell())
    async with client_for(app, {"Authorization": "Bearer civ_1_x"}) as client:
        yield client
    if app.state.context.engine is not None:
        await app.state.context.engine.dispose()


async def test_without_a_database_the_service_is_alive_but_not_ready(without_database: httpx.AsyncClient) -> None:
    assert (await without_database.get("/health/live")).status_code == 200
    answer = await without_database.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
    assert answer.headers["retry-after"] == "5"
    assert "database" in answer.json()["database"]


@pytest.mark.parametrize("path", ["/v1/tenants", "/v2/tokens/", "/api/v2/tokens/"])
async def test_without_a_database_a_request_gets_a_503(path: str, without_database: httpx.AsyncClient) -> None:
    answer = await without_database.get(path)
    assert answer.status_code == 503
    assert "atabase" in answer.text
    assert answer.headers["retry-after"] == "5"


async def test_a_database_that_goes_away_and_comes_back_needs_no_restart(
    fresh_database_url: str, server_url: str, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path, database_url=fresh_database_url, secret_key="k")  # type: ignore[arg-type]
    app = create_app(settings, bell=RingingBell())
    name = make_url(fresh_database_url).database or ""
    statuses = []
    async with client_for(app, {"Authorization": "Bearer civ_1_x"}) as client:
        statuses.append((await client.get("/v1/tenants")).status_code)
        await drop_database(server_url, name)
        statuses.append((await client.get("/v1/tenants")).status_code)
        await clone_template(server_url, name)
        statuses.append((await client.get("/v1/tenants")).status_code)
    await app.state.context.engine.dispose()
    assert statuses == [401, 503, 401]


async def test_metrics_without_a_database_say_that_it_is_down(without_database: httpx.AsyncClient) -> None:
    answer = await without_database.get("/metrics")
    assert (answer.status_code, "craton_inv_database_up 0.0" in answer.text) == (200, True)


async def test_metrics_count_requests_by_route_and_jobs_by_status(client: httpx.AsyncClient) -> None:
    await client.get("/v1/tenants/12345")
    text = (await client.get("/metrics")).text
    assert 'craton_inv_requests_total{method="GET",route="/v1/tenants/{tenant_id}",status="404"}' in text
    assert "craton_inv_database_up 1.0" in text


async def test_a_scanner_cannot_fill_the_metrics(client: httpx.AsyncClient) -> None:
    for number in range(5):
        await client.get(f"/scan/{number}")
    assert "/scan/" not in (await client.get("/metrics")).text

"""An application on the test's own connection, and clients that are logged in."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import httpx
import pytest
import structlog
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.app import create_app, make_context
from craton_inv.crypto import digest_secret
from craton_inv.db.session import SessionFactory
from craton_inv.models import Grant, Tenant, Token, User
from craton_inv.settings import Settings
from tests.factories import make_user, save

ClientOf = Callable[..., Awaitable[httpx.AsyncClient]]
KEY = b"test-key"


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> Iterator[None]:
    """Logs as in production: structlog's own default draws tracebacks with all local variables, for seconds."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(),
        ],
        cache_logger_on_first_use=False,
    )
    yield
    structlog.reset_defaults()


class RingingBell:
    """Keeps the ids it was rung for."""

    def __init__(self) -> None:
        self.rung: list[int] = []

    async def ring(self, job_id: int) -> None:
        """Note the job."""
        self.rung.append(job_id)

    async def ping(self) -> None:
        """Always works."""


@pytest.fixture
def bell() -> RingingBell:
    """The doorbell of `app`."""
    return RingingBell()


@pytest.fixture(scope="session")
def built_app() -> FastAPI:
    """The application, built once: FastAPI prepares its routes at the first request, which costs 0.1 s a dialect."""
    return create_app(Settings(secret_key=KEY.decode()))  # type: ignore[arg-type]


@pytest.fixture
def app(built_app: FastAPI, settings: Settings, session_factory: SessionFactory, bell: RingingBell) -> FastAPI:
    """The whole application; what it writes is undone after the test."""
    context = make_context(settings, session_factory, bell)
    for part in (built_app, *built_app.state.dialects.values()):
        part.state.context = context
    return built_app


async def make_token(session: AsyncSession, user: User, *, secret: str = "", **values: object) -> str:
    """A bearer token of a user, as text."""
    secret = secret or f"secret-of-{user.username}-{len(values)}"
    token = await save(session, Token(user_id=user.id, secret_hash=digest_secret(KEY, secret), **values))
    return f"civ_{token.id}_{secret}"


def client_for(app: FastAPI, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
    """A client without a network."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", headers=headers)


@pytest.fixture
async def anonymous(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Nobody."""
    async with client_for(app) as client:
        yield client


@pytest.fixture
async def client(app: FastAPI, session: AsyncSession) -> AsyncIterator[httpx.AsyncClient]:
    """A system administrator."""
    user = await make_user(session, "root", is_superuser=True)
    token = await make_token(session, user)
    async with client_for(app, {"Authorization": f"Bearer {token}"}) as client:
        yield client


@pytest.fixture
async def client_of(app: FastAPI, session: AsyncSession) -> AsyncIterator[ClientOf]:
    """`await client_of(tenant, "operator")`: a client of a new user with these roles there (default: admin)."""
    async with AsyncExitStack() as stack:

        async def make(tenant: Tenant, *roles: str, **token: object) -> httpx.AsyncClient:
            user = await make_user(session)
            for role in roles or ("admin",):
                await save(session, Grant(user_id=user.id, tenant_id=tenant.id, role=role))
            text = await make_token(session, user, **token)
            return await stack.enter_async_context(client_for(app, {"Authorization": f"Bearer {text}"}))

        yield make

"""The administrator of the first start."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.db.engine import make_engine
from craton_inv.db.session import make_session_factory, unit_of_work
from craton_inv.errors import SetupError
from craton_inv.models import Token, User
from craton_inv.services.authentication import scope_of_token
from craton_inv.services.users import ensure_admin
from craton_inv.settings import Settings

KEY = b"test-key"


def with_token(settings: Settings, token: str) -> Settings:
    return Settings(**{**settings.model_dump(exclude={"admin_token"}), "admin_token": token})


async def test_the_first_start_gives_a_token_that_works_and_the_second_none(
    session: AsyncSession, settings: Settings
) -> None:
    text = await ensure_admin(session, settings)
    assert text is not None
    scope = await scope_of_token(session, KEY, text)
    assert scope is not None
    assert scope.is_superuser
    assert await ensure_admin(session, settings) is None


@pytest.mark.parametrize("text", ["sixteen-letters!", "civ_1_looks-like-one-of-ours"])
async def test_a_chosen_token_works_and_is_not_told_again(text: str, session: AsyncSession, settings: Settings) -> None:
    assert await ensure_admin(session, with_token(settings, text)) is None
    scope = await scope_of_token(session, KEY, text)
    assert scope is not None
    assert scope.is_superuser


async def test_a_changed_chosen_token_ends_the_old_one(session: AsyncSession, settings: Settings) -> None:
    for text in ("the-first-choice-1", "the-second-choice-2"):
        await ensure_admin(session, with_token(settings, text))
    assert await scope_of_token(session, KEY, "the-first-choice-1") is None
    assert await scope_of_token(session, KEY, "the-second-choice-2") is not None
    assert await session.scalar(select(func.count()).select_from(Token)) == 1


@pytest.mark.parametrize("text", ["short", "with a blank in the middle", "with-ümläuts-in-it", "x" * 600])
async def test_a_text_that_cannot_be_a_token_is_refused(text: str, session: AsyncSession, settings: Settings) -> None:
    with pytest.raises(SetupError, match="CRATON_INV_ADMIN_TOKEN"):
        await ensure_admin(session, with_token(settings, text))


async def test_two_processes_that_start_at_once_make_one_administrator(fresh_database_url: str, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url=fresh_database_url, secret_key="test-key")  # type: ignore[arg-type]
    engine = make_engine(fresh_database_url, settings)
    factory = make_session_factory(engine)

    async def start() -> str | None:
        async with unit_of_work(factory) as session:
            return await ensure_admin(session, settings)

    texts = await asyncio.gather(start(), start(), start())
    async with unit_of_work(factory) as session:
        assert await session.scalar(select(func.count()).select_from(User)) == 1
    await engine.dispose()
    assert len([text for text in texts if text is not None]) == 1

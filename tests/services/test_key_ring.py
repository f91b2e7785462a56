"""The key ring: what is sealed opens while its keys are there, and fails closed when anything is not as it was."""

from pathlib import Path

import pytest
import structlog
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.db.session import SessionFactory, unit_of_work
from craton_inv.errors import Conflict, KeyMissing, NotFound, SecretUnreadable
from craton_inv.models import Credential, RootKey, Tenant, TenantKey
from craton_inv.repositories import keys
from craton_inv.repositories.credentials import load_sealed
from craton_inv.repositories.keys import CREDENTIALS
from craton_inv.services.key_ring import KeyRing, why_not_ready
from craton_inv.services.key_rotation import key_use, retire_root_key, retire_tenant_key, rewrap_all, rotate
from craton_inv.settings import Settings
from tests.factories import make_credential, make_tenant

OLD, NEW = f"old:{'00' * 32}", f"new:{'11' * 32}"
CANARY = "canary-of-the-ring"


def ringed(tmp_path: Path, *keys: str) -> Settings:
    """Settings with these root keys; with none, the file of the data directory."""
    given = {"root_keys": ",".join(keys)} if keys else {}
    return Settings(data_dir=tmp_path / "data", **given)  # type: ignore[arg-type]


@pytest.fixture
def old(tmp_path: Path) -> Settings:
    """The key that everything was sealed under."""
    return ringed(tmp_path, OLD)


async def keep(session: AsyncSession, settings: Settings, *, tenant: Tenant | None = None, word: str = CANARY) -> int:
    """A credential with a sealed secret; its id."""
    row = await make_credential(session, tenant=tenant)
    sealed = await KeyRing(session, settings).seal(CREDENTIALS, row.id, row.tenant_id, 1, word.encode())
    for column, value in sealed.columns().items():
        setattr(row, column, value)
    await session.flush()
    return row.id


async def opened(session: AsyncSession, settings: Settings, row_id: int) -> str:
    """The secret of a credential, read anew."""
    row = await load_sealed(session, row_id)
    return (await KeyRing(session, settings).unseal(CREDENTIALS, row)).decode()


async def test_a_secret_is_sealed_and_opens(session: AsyncSession, old: Settings) -> None:
    row_id = await keep(session, old)
    assert await opened(session, old, row_id) == CANARY
    stored = await session.execute(text("SELECT * FROM credentials, tenant_keys, root_keys"))
    assert CANARY not in str(stored.all())


async def test_a_tenant_has_one_key_for_all_its_secrets(session: AsyncSession, old: Settings) -> None:
    tenant = await make_tenant(session)
    for _ in range(3):
        await keep(session, old, tenant=tenant)
    assert await session.scalar(select(func.count()).select_from(TenantKey)) == 1


@pytest.mark.parametrize("column", ["nonce", "ciphertext", "wrapped_key"])
async def test_s29_a_flipped_bit_fails_closed(session: AsyncSession, old: Settings, column: str) -> None:
    row_id = await keep(session, old)
    flipped = text(f"UPDATE credentials SET {column} = set_bit({column}, 9, 1 - get_bit({column}, 9)) WHERE id = :id")
    await session.execute(flipped, {"id": row_id})
    with structlog.testing.capture_logs() as logs, pytest.raises(SecretUnreadable) as caught:
        await opened(session, old, row_id)
    assert caught.value.status == 409
    [alert] = [entry for entry in logs if entry["event"] == "secret_not_opened"]
    assert (alert["log_level"], alert["secret"]) == ("error", f"credential:{row_id}")
    assert CANARY not in f"{caught.value!r}{logs}"


async def test_s29_a_secret_copied_to_another_row_fails_closed(session: AsyncSession, old: Settings) -> None:
    tenant = await make_tenant(session)
    mine, other = [await keep(session, old, tenant=tenant, word=word) for word in (CANARY, "other")]
    columns = ("nonce", "ciphertext", "wrapped_key", "key_id", "key_version", "secret_version")
    row = await load_sealed(session, mine)
    await session.execute(
        update(Credential).where(Credential.id == other).values({name: getattr(row, name) for name in columns})
    )
    session.expire_all()
    with pytest.raises(SecretUnreadable):
        await opened(session, old, other)


async def test_s29_an_older_content_put_back_fails_closed(session: AsyncSession, old: Settings) -> None:
    row_id = await keep(session, old)
    await session.execute(update(Credential).where(Credential.id == row_id).values(secret_version=2))
    with pytest.raises(SecretUnreadable):
        await opened(session, old, row_id)


async def test_s29_under_a_retired_key_nothing_opens(session: AsyncSession, old: Settings) -> None:
    row_id = await keep(session, old)
    await session.execute(update(TenantKey).values(retired=func.now()))
    with pytest.raises(SecretUnreadable, match="is retired"):
        await opened(session, old, row_id)


async def test_without_its_root_key_a_secret_is_not_served_and_that_is_told(
    session: AsyncSession, old: Settings, tmp_path: Path
) -> None:
    row_id = await keep(session, old)
    assert await why_not_ready(session, old) == ""
    for other in (ringed(tmp_path / "a", NEW), ringed(tmp_path / "b")):
        with pytest.raises(KeyMissing, match="'old'"):
            await opened(session, other, row_id)
        assert "'old'" in await why_not_ready(session, other)
    assert not (tmp_path / "b" / "data" / "root.keys").exists()


async def test_a_key_of_the_same_name_but_another_one_opens_nothing(
    session: AsyncSession, old: Settings, tmp_path: Path
) -> None:
    row_id = await keep(session, old)
    other = ringed(tmp_path, OLD.replace("00", "22"))
    with pytest.raises(KeyMissing):
        await opened(session, other, row_id)
    with pytest.raises(KeyMissing):
        await keep(session, other)
    assert "'old'" in await why_not_ready(session, other)


async def test_a_deleted_tenant_takes_its_key_along(session: AsyncSession, old: Settings) -> None:
    tenant = await make_tenant(session)
    await keep(session, old, tenant=tenant)
    await session.delete(tenant)
    await session.flush()
    assert await session.scalar(select(func.count()).select_from(TenantKey)) == 0
    assert await session.scalar(select(func.count()).select_from(Credential)) == 0


async def roots_of(session: AsyncSession) -> set[str]:
    return set(await session.scalars(select(TenantKey.root_key_id)))


async def test_a_new_root_key_takes_over_and_the_old_one_retires(
    session: AsyncSession, session_factory: SessionFactory, old: Settings, tmp_path: Path
) -> None:
    ids = [await keep(session, old) for _ in range(5)]
    await session.commit()
    both = ringed(tmp_path, NEW, OLD)
    with pytest.raises(Conflict, match="still seals 5 keys"):
        await retire_root_key(session, both, "old")
    done = await rewrap_all(session_factory, both, chunk=2)
    assert (done.tenant_keys, done.secrets, done.unreadable) == (5, 0, 0)
    session.expire_all()
    assert await roots_of(session) == {"new"}
    only_new = ringed(tmp_path, NEW)
    assert [await opened(session, only_new, row_id) for row_id in ids] == [CANARY] * 5
    with pytest.raises(Conflict, match="is the first"):
        await retire_root_key(session, both, "new")
    await retire_root_key(session, both, "old")
    with pytest.raises(KeyMissing, match="retired"):
        await keep(session, ringed(tmp_path, OLD, NEW))
    again = await rewrap_all(session_factory, both)
    assert (again.tenant_keys, again.secrets, again.unreadable) == (0, 0, 0)


async def test_a_new_version_of_a_tenants_key_takes_over_and_the_old_one_retires(
    session: AsyncSession, session_factory: SessionFactory, old: Settings
) -> None:
    tenant = await make_tenant(session)
    ids = [await keep(session, old, tenant=tenant) for _ in range(5)]
    assert await rotate(session, old, tenant.id) == 2
    new = await keep(session, old, tenant=tenant)
    await session.commit()
    generations = select(Credential.id, Credential.generation, Credential.modified).order_by(Credential.id)
    before = (await session.execute(generations)).all()
    with pytest.raises(Conflict, match="still opens 5 secrets"):
        await retire_tenant_key(session, tenant.id, 1)
    use = await key_use(session, old)
    assert [(each.version, each.tenants, each.secrets) for each in use.versions] == [(1, 1, 5), (2, 1, 1)]
    done = await rewrap_all(session_factory, old, chunk=2)
    assert (done.tenant_keys, done.secrets, done.unreadable) == (0, 5, 0)
    assert (await session.execute(generations)).all() == before  # the same credentials as before, for who reads them
    await retire_tenant_key(session, tenant.id, 1)
    assert [await opened(session, old, row_id) for row_id in (*ids, new)] == [CANARY] * 6
    with pytest.raises(NotFound):
        await retire_tenant_key(session, tenant.id, 3)


async def test_what_does_not_open_is_left_told_and_passed_by(
    session: AsyncSession, session_factory: SessionFactory, old: Settings, tmp_path: Path
) -> None:
    ids = [await keep(session, old) for _ in range(4)]
    [broken] = (await session.scalars(select(TenantKey.id).order_by(TenantKey.id).limit(1))).all()
    before = await session.scalar(
        update(TenantKey).where(TenantKey.id == broken).values(wrapped=b"x" * 60).returning(TenantKey.wrapped)
    )
    await session.commit()
    done = await rewrap_all(session_factory, ringed(tmp_path, NEW, OLD), chunk=2)
    assert (done.tenant_keys, done.unreadable) == (3, 1)
    session.expire_all()
    assert await session.scalar(select(TenantKey.wrapped).where(TenantKey.id == broken)) == before
    for row_id in ids[1:]:
        assert await opened(session, ringed(tmp_path, NEW), row_id) == CANARY


async def test_a_secret_changed_while_keys_move_stays_changed(
    session: AsyncSession, session_factory: SessionFactory, old: Settings
) -> None:
    """Compare and set: the rewrap has read the row, then somebody writes a new content."""
    tenant = await make_tenant(session)
    row_id = await keep(session, old, tenant=tenant)
    await rotate(session, old, tenant.id)
    await session.commit()
    found = await keys.secrets_under_older(session, CREDENTIALS, 0, 10)
    async with unit_of_work(session_factory) as other:
        row = await load_sealed(other, row_id)
        assert row is not None
        sealed = await KeyRing(other, old).seal(CREDENTIALS, row_id, tenant.id, 2, b"changed")
        for column, value in sealed.columns().items():
            setattr(row, column, value)
    newest = await keys.find_tenant_key(session, found[0].new_id)
    assert newest is not None
    assert not await keys.move_secret(session, CREDENTIALS, found[0], b"y" * 60, newest)
    session.expire_all()
    assert await opened(session, old, row_id) == "changed"


async def test_the_overview_names_keys_and_what_they_seal(session: AsyncSession, old: Settings, tmp_path: Path) -> None:
    await keep(session, old)
    use = await key_use(session, ringed(tmp_path, NEW))
    [root] = use.root_keys
    assert (root.id, root.tenant_keys, root.id in use.given, use.first) == ("old", 1, False, "new")


async def test_the_root_key_of_the_data_directory_will_do(session: AsyncSession, tmp_path: Path) -> None:
    own = ringed(tmp_path)
    row_id = await keep(session, own)
    assert (own.data_dir / "root.keys").exists()
    assert await opened(session, own, row_id) == CANARY
    assert await session.scalar(select(func.count()).select_from(RootKey)) == 1

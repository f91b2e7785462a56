"""Root keys and keys of tenants in the database, and how many rows each of them still opens.

Locks: who seals holds the keys it seals under (FOR KEY SHARE, FOR SHARE); who retires a key locks its row, so that no
row comes to use a key in the moment it retires.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, literal, select, union_all, update
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Credential, RootKey, TenantKey


@dataclass(frozen=True)
class SecretTable:
    """A table whose rows keep a secret. `name` and `format` are part of what each is bound to: never change them."""

    model: type[Any]
    name: str
    format: str

    def secret(self, row_id: int) -> str:
        """What binds a secret to its row."""
        return f"{self.name}:{row_id}"


CREDENTIALS = SecretTable(Credential, "credential", "inputs/1")
SECRET_TABLES = (CREDENTIALS,)


@dataclass(frozen=True)
class RootKeyUse:
    """A root key and how many keys of tenants are sealed under it."""

    id: str
    fingerprint: bytes
    created: datetime
    retired: datetime | None
    tenant_keys: int


@dataclass(frozen=True)
class VersionUse:
    """All tenants' keys of one version: how many tenants have one, how many are retired, how many secrets they open."""

    version: int
    tenants: int
    retired: int
    secrets: int


async def hold_root_key(session: AsyncSession, key_id: str, fingerprint: bytes) -> RootKey:
    """The root key's row, made when there is none, kept from being retired until the transaction ends."""
    made = insert(RootKey).values(id=key_id, fingerprint=fingerprint).on_conflict_do_nothing()
    await session.execute(made)
    held = select(RootKey).where(RootKey.id == key_id).with_for_update(read=True)
    return (await session.scalars(held.execution_options(populate_existing=True))).one()


async def root_key_ids(session: AsyncSession, *, used: bool = False) -> dict[str, bytes]:
    """Fingerprints by id of the root keys that the database knows; `used`: those that keys of tenants need."""
    query = select(RootKey.id, RootKey.fingerprint)
    if used:
        query = query.where(exists().where(TenantKey.root_key_id == RootKey.id))
    return {row.id: row.fingerprint for row in await session.execute(query)}


async def hold_tenant_key(session: AsyncSession, tenant_id: int) -> TenantKey | None:
    """The tenant's newest key that is not retired, kept from retiring until the transaction ends."""
    query = (
        select(TenantKey)
        .where(TenantKey.tenant_id == tenant_id, TenantKey.retired.is_(None))
        .order_by(TenantKey.version.desc())
        .limit(1)
        .with_for_update(read=True, key_share=True)
    )
    found: TenantKey | None = await session.scalar(query.execution_options(populate_existing=True))
    return found


async def next_version(session: AsyncSession, tenant_id: int) -> int:
    """The version of a tenant's next key."""
    newest = await session.scalar(select(func.max(TenantKey.version)).where(TenantKey.tenant_id == tenant_id))
    return (newest or 0) + 1


async def add_tenant_key(session: AsyncSession, tenant_id: int, version: int, wrapped: bytes, root_key_id: str) -> None:
    """Keep a new key of a tenant; another writer's of the same version stays."""
    values = {"tenant_id": tenant_id, "version": version, "wrapped": wrapped, "root_key_id": root_key_id}
    await session.execute(insert(TenantKey).values(values).on_conflict_do_nothing())


async def find_tenant_key(session: AsyncSession, key_id: int) -> TenantKey | None:
    """A tenant's key, fresh from the database."""
    query = select(TenantKey).where(TenantKey.id == key_id).execution_options(populate_existing=True)
    found: TenantKey | None = await session.scalar(query)
    return found


async def keys_under_others(session: AsyncSession, root_key_id: str, after: int, limit: int) -> Sequence[TenantKey]:
    """Tenants' keys with ids above `after` that another root key seals; by id."""
    query = select(TenantKey).where(TenantKey.id > after, TenantKey.root_key_id != root_key_id)
    return (await session.scalars(query.order_by(TenantKey.id).limit(limit))).all()


async def move_tenant_key(session: AsyncSession, key: TenantKey, wrapped: bytes, root_key_id: str) -> bool:
    """Compare and set: seal the key under another root key, unless somebody did meanwhile."""
    statement = (
        update(TenantKey)
        .where(TenantKey.id == key.id, TenantKey.wrapped == key.wrapped)
        .values(wrapped=wrapped, root_key_id=root_key_id)
        .returning(TenantKey.id)
        .execution_options(synchronize_session=False)
    )
    return await session.scalar(statement) is not None


def _newest() -> Any:
    """The version and id of each tenant's newest key that is not retired."""
    return (
        select(TenantKey.tenant_id, TenantKey.id, TenantKey.version)
        .ext(distinct_on(TenantKey.tenant_id))
        .where(TenantKey.retired.is_(None))
        .order_by(TenantKey.tenant_id, TenantKey.version.desc())
        .subquery()
    )


async def secrets_under_older(session: AsyncSession, table: SecretTable, after: int, limit: int) -> Sequence[Any]:
    """Rows of a table with ids above `after` whose tenant has a newer key.

    Each: id, tenant_id, key_id, key_version, secret_version, wrapped_key, and the newer key's new_id; by id.
    """
    model, newest = table.model, _newest()
    query = (
        select(
            model.id,
            model.tenant_id,
            model.key_id,
            model.key_version,
            model.secret_version,
            model.wrapped_key,
            newest.c.id.label("new_id"),
        )
        .join(newest, newest.c.tenant_id == model.tenant_id)
        .where(model.id > after, model.key_version < newest.c.version)
        .order_by(model.id)
        .limit(limit)
    )
    return (await session.execute(query)).all()


async def move_secret(session: AsyncSession, table: SecretTable, row: Any, wrapped: bytes, key: TenantKey) -> bool:
    """Compare and set: keep the secret's own key under another of its tenant, unless the secret changed meanwhile."""
    model = table.model
    statement = (
        update(model)
        .where(model.id == row.id, model.wrapped_key == row.wrapped_key, model.key_id == row.key_id)
        .values(wrapped_key=wrapped, key_id=key.id, key_version=key.version)
        .returning(model.id)
        .execution_options(synchronize_session=False)
    )
    return await session.scalar(statement) is not None


async def root_key_uses(session: AsyncSession) -> list[RootKeyUse]:
    """All root keys the database knows, the oldest first."""
    uses = select(func.count()).where(TenantKey.root_key_id == RootKey.id).scalar_subquery()
    query = select(RootKey.id, RootKey.fingerprint, RootKey.created, RootKey.retired, uses)
    return [RootKeyUse(*row) for row in await session.execute(query.order_by(RootKey.created, RootKey.id))]


async def version_uses(session: AsyncSession) -> list[VersionUse]:
    """All versions of tenants' keys, with what they open."""
    opened = _opened().subquery()
    secrets = (
        select(opened.c.version, func.sum(opened.c.secrets).label("secrets")).group_by(opened.c.version).subquery()
    )
    query = (
        select(
            TenantKey.version,
            func.count(),
            func.count(TenantKey.retired),
            func.coalesce(func.max(secrets.c.secrets), 0),
        )
        .outerjoin(secrets, secrets.c.version == TenantKey.version)
        .group_by(TenantKey.version)
        .order_by(TenantKey.version)
    )
    return [
        VersionUse(version, tenants, retired, int(count))
        for version, tenants, retired, count in await session.execute(query)
    ]


def _opened() -> Any:
    return union_all(
        *(
            select(table.model.key_version.label("version"), func.count().label("secrets"))
            .where(table.model.key_version.is_not(None))
            .group_by(table.model.key_version)
            for table in SECRET_TABLES
        )
    )


async def lock_root_key(session: AsyncSession, key_id: str) -> RootKey | None:
    """The root key's row, which nobody seals under until the transaction ends."""
    return await session.get(RootKey, key_id, with_for_update=True, populate_existing=True)


async def lock_tenant_key(session: AsyncSession, tenant_id: int, version: int) -> TenantKey | None:
    """A tenant's key of that version, which nobody seals under until the transaction ends."""
    query = select(TenantKey).where(TenantKey.tenant_id == tenant_id, TenantKey.version == version)
    found: TenantKey | None = await session.scalar(query.with_for_update().execution_options(populate_existing=True))
    return found


async def tenant_keys_under(session: AsyncSession, root_key_id: str) -> int:
    """How many keys of tenants a root key seals."""
    query = select(func.count()).select_from(TenantKey).where(TenantKey.root_key_id == root_key_id)
    return await session.scalar(query) or 0


async def secrets_under(session: AsyncSession, key_id: int) -> int:
    """How many secrets a tenant's key opens."""
    counts = [
        select(func.count()).select_from(table.model).where(table.model.key_id == key_id).scalar_subquery()
        for table in SECRET_TABLES
    ]
    total: Any = literal(0)
    for count in counts:
        total = total + count
    return await session.scalar(select(total)) or 0


async def tenants_with_keys(session: AsyncSession) -> list[int]:
    """The tenants that have a key."""
    return list(await session.scalars(select(TenantKey.tenant_id).distinct().order_by(TenantKey.tenant_id)))


async def now(session: AsyncSession) -> datetime:
    """The database's time."""
    return (await session.execute(select(func.now()))).scalar_one()

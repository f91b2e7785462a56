"""Changing keys without a stop: what older keys seal is sealed under the newest ones, in chunks; then they retire.

Rewrapping touches keys alone, never a secret: a tenant's key moves under the first root key, a secret's own key under
its tenant's newest key. Each row is compared and set, each chunk a transaction: whoever dies over it leaves rows under
the old key or the new one, and both open.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.crypto import envelope
from craton_inv.crypto.envelope import Place
from craton_inv.crypto.root_keys import load_root_keys
from craton_inv.db.session import SessionFactory, unit_of_work
from craton_inv.errors import Conflict, CratonInvError, NotFound
from craton_inv.logs import get_logger
from craton_inv.models import TenantKey
from craton_inv.queue.jobs import enqueue
from craton_inv.repositories import keys
from craton_inv.repositories.keys import SECRET_TABLES, RootKeyUse, SecretTable, VersionUse
from craton_inv.services.key_ring import KeyRing
from craton_inv.settings import Settings

log = get_logger(__name__)
CHUNK = 200
Renew = Callable[[AsyncSession], Awaitable[Any]]


@dataclass
class Rewrapped:
    """What a rewrap did. `unreadable`: rows left as they were, since their key is missing or they were changed."""

    tenant_keys: int = 0
    secrets: int = 0
    unreadable: int = 0


@dataclass(frozen=True)
class KeyUse:
    """All keys and what they seal. `first` seals now; `given`: the root keys configured here."""

    first: str
    given: frozenset[str] = field(default_factory=frozenset)
    root_keys: tuple[RootKeyUse, ...] = ()
    versions: tuple[VersionUse, ...] = ()


async def _nothing(session: AsyncSession) -> None:
    """Nobody to tell that the work goes on."""


async def rewrap_all(
    factory: SessionFactory, settings: Settings, *, renew: Renew = _nothing, chunk: int = CHUNK
) -> Rewrapped:
    """Seal everything under the newest keys. May be interrupted anywhere, run again and run twice at once.

    `renew` is called at the end of each chunk's transaction. Raises KeyMissing.
    """
    done = Rewrapped()
    steps: list[Callable[[KeyRing, int], Awaitable[int | None]]] = [
        lambda ring, after: _rewrap_tenant_keys(ring, after, chunk, done)
    ]
    steps += [
        lambda ring, after, table=table: _rewrap_secrets(ring, table, after, chunk, done)  # type: ignore[misc]
        for table in SECRET_TABLES
    ]
    for step in steps:
        after: int | None = 0
        while after is not None:
            async with unit_of_work(factory) as session:
                after = await step(KeyRing(session, settings), after)
                await renew(session)
    log.info("keys_rewrapped", tenant_keys=done.tenant_keys, secrets=done.secrets, unreadable=done.unreadable)
    return done


async def _rewrap_tenant_keys(ring: KeyRing, after: int, limit: int, done: Rewrapped) -> int | None:
    first = (await ring.roots()).first
    await keys.hold_root_key(ring.session, first.id, first.fingerprint)
    found = await keys.keys_under_others(ring.session, first.id, after, limit)
    for key in found:
        try:
            inner = await ring.opened(key)
        except CratonInvError as error:
            _told(done, f"tenant_key:{key.id}", error)
            continue
        wrapped = envelope.wrap(first.key, inner, envelope.tenant_bound(key.tenant_id, key.version))
        done.tenant_keys += await keys.move_tenant_key(ring.session, key, wrapped, first.id)
    return found[-1].id if len(found) == limit else None


async def _rewrap_secrets(ring: KeyRing, table: SecretTable, after: int, limit: int, done: Rewrapped) -> int | None:
    found = await keys.secrets_under_older(ring.session, table, after, limit)
    opened: dict[int, tuple[TenantKey, bytes]] = {}
    for row in found:
        try:
            for key_id in (row.key_id, row.new_id):
                if key_id not in opened:
                    opened[key_id] = await _opened(ring, key_id)
            place = Place(row.tenant_id, table.secret(row.id), row.secret_version, table.format)
            key, newest = opened[row.new_id]
            wrapped = envelope.rewrap(opened[row.key_id][1], newest, place, row.wrapped_key)
        except CratonInvError as error:
            _told(done, table.secret(row.id), error)
            continue
        done.secrets += await keys.move_secret(ring.session, table, row, wrapped, key)
    return found[-1].id if len(found) == limit else None


async def _opened(ring: KeyRing, key_id: int) -> tuple[TenantKey, bytes]:
    key = await keys.find_tenant_key(ring.session, key_id)
    if key is None:
        raise NotFound("The key was deleted with its tenant.")
    return key, await ring.opened(key)


def _told(done: Rewrapped, what: str, error: CratonInvError) -> None:
    done.unreadable += 1
    log.error("key_not_rewrapped", what=what, reason=error.code)


async def order_rewrap(session: AsyncSession) -> int:
    """Let a worker rewrap. Returns the job's id; while one waits or works, its id."""
    return await enqueue(session, "rewrap_keys", {}, unique_key="rewrap_keys")


async def rotate(session: AsyncSession, settings: Settings, tenant_id: int) -> int:
    """Give a tenant a new key; what was sealed before moves under it with the next rewrap. Returns its version."""
    return (await KeyRing(session, settings).new_tenant_key(tenant_id)).version


async def key_use(session: AsyncSession, settings: Settings) -> KeyUse:
    """All keys and what they seal. Raises SetupError when the configured ones cannot be read."""
    given = load_root_keys(settings, make=False)
    roots = tuple(await keys.root_key_uses(session))
    known = {use.id: use.fingerprint for use in roots}
    here = (key.id for key in given.keys if key.id not in known or known[key.id] == key.fingerprint)
    first = given.keys[0].id if given.keys else ""
    return KeyUse(first, frozenset(here), roots, tuple(await keys.version_uses(session)))


async def retire_root_key(session: AsyncSession, settings: Settings, key_id: str) -> None:
    """Let nothing be sealed under a root key any more. Raises Conflict while it seals, NotFound."""
    given = load_root_keys(settings, make=False)
    row = await keys.lock_root_key(session, key_id)
    if row is None:
        raise NotFound(f"No secret was ever kept under a root key {key_id!r}.")
    if given.keys and given.keys[0].id == key_id:
        raise Conflict(f"Root key {key_id!r} is the first, which seals; put another one before it.", code="keys.used")
    used = await keys.tenant_keys_under(session, key_id)
    if used:
        raise Conflict(f"Root key {key_id!r} still seals {used} keys of tenants; rewrap first.", code="keys.used")
    if row.retired is None:
        row.retired = await keys.now(session)
    await session.flush()


async def retire_tenant_key(session: AsyncSession, tenant_id: int, version: int) -> None:
    """Let a version of a tenant's key open nothing any more. Raises Conflict while it does, NotFound."""
    row = await keys.lock_tenant_key(session, tenant_id, version)
    if row is None:
        raise NotFound(f"The tenant has no key of version {version}.")
    used = await keys.secrets_under(session, row.id)
    if used:
        raise Conflict(f"Version {version} still opens {used} secrets; rotate and rewrap first.", code="keys.used")
    if row.retired is None:
        row.retired = await keys.now(session)
    await session.flush()

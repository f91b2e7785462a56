"""The key ring: seals and opens secrets of tenants under the root keys that this process was given.

What does not open is refused, logged by its place alone, and never shown. A secret's row keeps what `seal` gives
(`models.sealed`); its place is its tenant, table, id, version and format.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.crypto import envelope
from craton_inv.crypto.envelope import Box, Place
from craton_inv.crypto.root_keys import RootKeys, load_root_keys
from craton_inv.errors import CratonInvError, KeyMissing, SecretUnreadable, SetupError
from craton_inv.logs import get_logger
from craton_inv.models import TenantKey
from craton_inv.repositories import keys
from craton_inv.repositories.keys import SecretTable
from craton_inv.settings import Settings

log = get_logger(__name__)


@dataclass(frozen=True)
class Sealed:
    """What the row of a secret keeps."""

    box: Box
    key_id: int
    key_version: int
    secret_version: int

    def columns(self) -> dict[str, Any]:
        """By the columns of `models.sealed`."""
        return {
            "key_id": self.key_id,
            "key_version": self.key_version,
            "secret_version": self.secret_version,
            "nonce": self.box.nonce,
            "ciphertext": self.box.ciphertext,
            "wrapped_key": self.box.wrapped_key,
        }


class KeyRing:
    """Seals and opens in the caller's transaction. Root keys are read at their first use."""

    def __init__(self, session: AsyncSession, settings: Settings) -> None:
        self.session = session
        self.settings = settings
        self._roots: RootKeys | None = None

    async def seal(self, table: SecretTable, row_id: int, tenant_id: int, version: int, plaintext: bytes) -> Sealed:
        """Seal the content number `version` of a row's secret under the tenant's newest key. Raises KeyMissing."""
        key = await keys.hold_tenant_key(self.session, tenant_id) or await self.new_tenant_key(tenant_id)
        place = Place(tenant_id, table.secret(row_id), version, table.format)
        box = envelope.seal(await self.opened(key), place, plaintext)
        return Sealed(box, key.id, key.version, version)

    async def unseal(self, table: SecretTable, row: Any) -> bytes:
        """The secret of a row whose sealed columns are loaded. Raises SecretUnreadable, KeyMissing."""
        place = Place(row.tenant_id, table.secret(row.id), row.secret_version, table.format)
        try:
            key = await keys.find_tenant_key(self.session, row.key_id)
            if key is None or key.tenant_id != row.tenant_id:
                raise SecretUnreadable("The key of a stored secret is gone.")
            if key.retired is not None:
                raise SecretUnreadable("The key of a stored secret is retired.")
            return envelope.unseal(await self.opened(key), place, Box(row.nonce, row.ciphertext, row.wrapped_key))
        except CratonInvError as error:
            log.error("secret_not_opened", secret=place.secret, tenant_id=row.tenant_id, reason=error.code)
            raise

    async def opened(self, key: TenantKey) -> bytes:
        """A tenant's key itself. Raises SecretUnreadable, KeyMissing."""
        root = (await self.roots()).get(key.root_key_id)
        return envelope.unwrap(root.key, key.wrapped, envelope.tenant_bound(key.tenant_id, key.version))

    async def new_tenant_key(self, tenant_id: int) -> TenantKey:
        """Make the tenant's next key, or take the one that another writer makes at this moment. Raises KeyMissing."""
        first = (await self.roots()).first
        row = await keys.hold_root_key(self.session, first.id, first.fingerprint)
        if row.fingerprint != first.fingerprint:
            raise KeyMissing(
                f"Root key {first.id!r} is another key than the one of that id that secrets are kept under."
            )
        if row.retired is not None:
            raise KeyMissing(f"Root key {first.id!r} is retired; put another one first.")
        version = await keys.next_version(self.session, tenant_id)
        wrapped = envelope.wrap(first.key, envelope.new_key(), envelope.tenant_bound(tenant_id, version))
        await keys.add_tenant_key(self.session, tenant_id, version, wrapped, first.id)
        made = await keys.hold_tenant_key(self.session, tenant_id)
        if made is None:
            raise KeyMissing("The tenant's key was retired while it was made; try again.")
        return made

    async def roots(self) -> RootKeys:
        """The root keys. A database that knows others than these is not one to make keys of its own for.

        Raises KeyMissing.
        """
        if self._roots is None:
            known = await keys.root_key_ids(self.session)
            try:
                self._roots = load_root_keys(self.settings, make=not known)
            except SetupError as error:
                raise KeyMissing(error.message) from None
            if known and not any(self._roots.has(key_id, fingerprint) for key_id, fingerprint in known.items()):
                raise KeyMissing(missing_text(known))
        return self._roots


def missing_text(ids: Any) -> str:
    """Why secrets cannot be served."""
    named = ", ".join(repr(key_id) for key_id in sorted(ids))
    return f"Secrets are kept under root keys that are not configured here: {named}."


async def why_not_ready(session: AsyncSession, settings: Settings) -> str:
    """Why secrets cannot be opened here; "" when all can. Asks for the keys that stored secrets need."""
    needed = await keys.root_key_ids(session, used=True)
    if not needed:
        return ""
    try:
        given = load_root_keys(settings, make=False)
    except SetupError as error:
        return error.message
    missing = [key_id for key_id, fingerprint in needed.items() if not given.has(key_id, fingerprint)]
    return missing_text(missing) if missing else ""

"""Envelope encryption with AES-256-GCM: a key per secret, wrapped by its tenant's key, wrapped by a root key.

What a box belongs to is authenticated with it: a secret's box opens only for the same tenant, secret, version and
format, a tenant's key only for the same tenant and version. A changed bit, a box copied to another row, an older one
put back: none opens.
"""

import os
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from craton_inv.errors import SecretUnreadable

KEY_BYTES = 32
NONCE_BYTES = 12


@dataclass(frozen=True)
class Place:
    """Where a secret belongs. `secret`: its row by kind and id; `version` counts contents, `format` names theirs."""

    tenant_id: int
    secret: str
    version: int
    format: str

    def bound(self, purpose: str) -> bytes:
        """What is authenticated with a box that belongs here."""
        return f"{purpose}|{self.tenant_id}|{self.secret}|{self.version}|{self.format}".encode()


@dataclass(frozen=True)
class Box:
    """A sealed secret: `wrapped_key` is its own key under the tenant's."""

    nonce: bytes
    ciphertext: bytes = field(repr=False)
    wrapped_key: bytes = field(repr=False)


def new_key() -> bytes:
    """256 random bits."""
    return os.urandom(KEY_BYTES)


def seal(tenant_key: bytes, place: Place, plaintext: bytes) -> Box:
    """Seal a secret under a key of its own."""
    own, nonce = new_key(), os.urandom(NONCE_BYTES)
    ciphertext = AESGCM(own).encrypt(nonce, plaintext, place.bound("secret"))
    return Box(nonce, ciphertext, wrap(tenant_key, own, place.bound("key")))


def unseal(tenant_key: bytes, place: Place, box: Box) -> bytes:
    """The secret. Raises SecretUnreadable when the box was changed or does not belong here."""
    own = unwrap(tenant_key, box.wrapped_key, place.bound("key"))
    return _open(own, box.nonce, box.ciphertext, place.bound("secret"))


def rewrap(old_key: bytes, new: bytes, place: Place, wrapped_key: bytes) -> bytes:
    """The secret's own key under another key of its tenant; the secret is not touched. Raises SecretUnreadable."""
    bound = place.bound("key")
    return wrap(new, unwrap(old_key, wrapped_key, bound), bound)


def tenant_bound(tenant_id: int, version: int) -> bytes:
    """What is authenticated with a tenant's key."""
    return f"tenant|{tenant_id}|{version}".encode()


def wrap(key: bytes, inner: bytes, bound: bytes) -> bytes:
    """A key under another: the nonce, then the sealed key."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, inner, bound)


def unwrap(key: bytes, wrapped: bytes, bound: bytes) -> bytes:
    """The inner key. Raises SecretUnreadable."""
    inner = _open(key, wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], bound)
    if len(inner) != KEY_BYTES:
        raise SecretUnreadable("A stored key has the wrong length.")
    return inner


def _open(key: bytes, nonce: bytes, ciphertext: bytes, bound: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, bound)
    except (InvalidTag, ValueError):
        # Without a cause: nothing of what was tried may travel along.
        raise SecretUnreadable("A stored secret does not open: it was changed, or belongs elsewhere.") from None

"""Token hashes and signatures, and the key of the service that they are made with."""

import hashlib
import hmac
import secrets

from craton_inv.crypto.files import made_once
from craton_inv.settings import Settings


def make_secret() -> str:
    """32 random bytes as URL-safe text."""
    return secrets.token_urlsafe(32)


def digest_secret(key: bytes, secret: str) -> bytes:
    """The peppered hash of a token's secret: HMAC-SHA256. The secret is random, so no slow hash is needed."""
    return hmac.new(key, b"token:" + secret.encode(), hashlib.sha256).digest()


def same_digest(left: bytes, right: bytes) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(left, right)


def sign(key: bytes, purpose: str, message: bytes) -> bytes:
    """16 bytes of HMAC-SHA256 over `message`, bound to `purpose`."""
    return hmac.new(key, purpose.encode() + b"\0" + message, hashlib.sha256).digest()[:16]


def secret_key(settings: Settings) -> bytes:
    """The key that peppers tokens and signs markers: CRATON_INV_SECRET_KEY, else made once in the data directory.

    Several API processes on several machines need the setting: a key of one machine does not open tokens of another.
    """
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value().encode()
    text = made_once(settings.data_dir / "secret.key", lambda: secrets.token_hex(32))
    return bytes.fromhex(text.strip())

"""Passwords, token hashes and signatures: library primitives under names of ours."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from craton_inv.settings import Settings

_hasher = PasswordHasher()
# Verified when a user does not exist, so that a wrong name costs as much time as a wrong password.
_DUMMY_HASH = _hasher.hash(secrets.token_hex(16))


def hash_password(password: str) -> str:
    """argon2id with the library's parameters; about 50 ms on purpose."""
    return _hasher.hash(password)


def verify_password(stored: str | None, password: str) -> bool:
    """Whether `password` is the one of `stored`; as slow for no hash as for a wrong one."""
    try:
        return _hasher.verify(stored or _DUMMY_HASH, password) and stored is not None
    except (VerifyMismatchError, InvalidHashError):
        return False


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
    path = settings.data_dir / "secret.key"
    while True:
        if path.exists():
            return bytes.fromhex(path.read_text().strip())
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"secret.key.{os.getpid()}.{secrets.token_hex(4)}")
        _write_private(draft, secrets.token_hex(32))
        try:
            os.link(draft, path)  # atomic and never over an existing key: two processes agree on one
        except FileExistsError:
            continue
        finally:
            draft.unlink()


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)

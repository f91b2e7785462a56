"""Root keys: what the service is given, or makes once for itself, to seal the keys of tenants under.

CRATON_INV_ROOT_KEYS, or a file with one key a line: `id:key` or the key alone, 32 bytes in hexadecimal or base64. The
first seals, all open. A key without an id is known by the beginning of its fingerprint.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from craton_inv.crypto import files
from craton_inv.crypto.envelope import KEY_BYTES, new_key
from craton_inv.errors import KeyMissing, SetupError
from craton_inv.settings import Settings

FILE = "root.keys"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
_HEX = re.compile(r"[0-9a-fA-F]{64}\Z")


@dataclass(frozen=True)
class RootKey:
    """One key. Its text never shows in messages or logs."""

    id: str
    key: bytes = field(repr=False)

    @property
    def fingerprint(self) -> bytes:
        """Tells whether two keys are the same without telling the key."""
        return hmac.new(self.key, b"craton-inv root key", hashlib.sha256).digest()

    def line(self) -> str:
        """As a file or the setting holds it. Secret."""
        return f"{self.id}:{base64.urlsafe_b64encode(self.key).decode()}"


@dataclass(frozen=True)
class RootKeys:
    """All keys that this process was given, in their order."""

    keys: tuple[RootKey, ...]

    @property
    def first(self) -> RootKey:
        """The one that seals."""
        return self.keys[0]

    def by_id(self) -> Mapping[str, RootKey]:
        """All of them."""
        return {key.id: key for key in self.keys}

    def has(self, key_id: str, fingerprint: bytes) -> bool:
        """Whether this very key is among them."""
        found = self.by_id().get(key_id)
        return found is not None and hmac.compare_digest(found.fingerprint, fingerprint)

    def get(self, key_id: str) -> RootKey:
        """The key of that id. Raises KeyMissing, naming it."""
        found = self.by_id().get(key_id)
        if found is None:
            raise KeyMissing(
                f"Root key {key_id!r} is needed and not configured here: add it to CRATON_INV_ROOT_KEYS or its file."
            )
        return found


def make_root_key() -> RootKey:
    """A new key with an id of its own."""
    return _named(new_key())


def load_root_keys(settings: Settings, *, make: bool = True) -> RootKeys:
    """The keys of this process, read anew: a file may have got another key. Raises SetupError.

    `make`: the file of the data directory is made when it is not there; otherwise that is no keys at all.
    """
    if settings.root_keys is not None:
        return parse_root_keys(settings.root_keys.get_secret_value().split(","), "CRATON_INV_ROOT_KEYS")
    path = root_keys_file(settings)
    try:
        if settings.root_keys_file is not None:
            text = path.read_text()
        elif make or path.exists():
            text = files.made_once(path, lambda: f"{make_root_key().line()}\n")
        else:
            return RootKeys(())
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(
            f"The root keys in {path} cannot be read ({type(error).__name__}).", code="keys.file"
        ) from None
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return parse_root_keys(lines, str(path))


def root_keys_file(settings: Settings) -> Path:
    """Where the keys are when they are not in the setting itself."""
    return settings.root_keys_file or settings.data_dir / FILE


def write_root_keys(settings: Settings, keys: RootKeys) -> None:
    """Keep these keys in the file, in their order."""
    files.replace(root_keys_file(settings), "".join(f"{key.line()}\n" for key in keys.keys))


def parse_root_keys(texts: Iterable[str], origin: str) -> RootKeys:
    """Keys from their texts, at least one. Raises SetupError naming place, number and fault, never the text."""
    found: dict[str, RootKey] = {}
    given = [text.strip() for text in texts if text.strip()]
    for number, text in enumerate(given, 1):
        where = f"{origin}: key {number}"
        key_id, colon, encoded = text.rpartition(":")
        if colon and not _ID.match(key_id):
            raise SetupError(
                f"{where} has an id that is not 1 to 64 letters, digits, dots and dashes.", code="keys.form"
            )
        raw = _decoded(encoded)
        if raw is None or len(raw) != KEY_BYTES:
            raise SetupError(f"{where} is not {KEY_BYTES} bytes in hexadecimal or base64.", code="keys.form")
        key = RootKey(key_id, raw) if colon else _named(raw)
        if key.id in found:
            raise SetupError(f"{where} has the id {key.id!r} of an earlier one.", code="keys.form")
        found[key.id] = key
    if not found:
        raise SetupError(f"{origin} holds no root key.", code="keys.none")
    return RootKeys(tuple(found.values()))


def _named(raw: bytes) -> RootKey:
    return RootKey(RootKey("", raw).fingerprint.hex()[:12], raw)


def _decoded(text: str) -> bytes | None:
    if _HEX.match(text):
        return bytes.fromhex(text)
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None

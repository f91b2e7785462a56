"""Packs of a few bytes that would grow to gigabytes are refused by what they say they grow to, however they say it."""

import io
import struct
import zlib

import pytest

from craton_inv.errors import UpdateFailed
from craton_inv.providers.scm.pack_guard import NAMED_DELTA, check_pack

LIMIT = 10_000_000
BLOB = 3
BASE = b"a" * 0xFFFF
COPY_BASE = b"\xb0\xff\xff"  # 65 535 bytes from the start of the base


class InDrops(io.BytesIO):
    """Read byte by byte, as a delta is that begins at the end of a block."""

    def read(self, size: int | None = -1) -> bytes:
        """One byte at most."""
        return super().read(min(1, size or 0))


def number(value: int, padding: int = 0) -> bytes:
    """A size as deltas write it; `padding`: bytes that add nothing to it."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value | (0x80 if padding else 0))
    return bytes(found + b"\x80" * (padding - 1) + (b"\x00" if padding else b""))


def entry(kind: int, content: bytes, reference: bytes = b"") -> bytes:
    """An object of a pack."""
    size, head = len(content) >> 4, bytearray([kind << 4 | len(content) & 15])
    while size:
        head[-1] |= 0x80
        head.append(size & 0x7F)
        size >>= 7
    return bytes(head) + reference + zlib.compress(content)


def pack_with(delta: bytes) -> bytes:
    """A pack with a file and a delta upon it."""
    entries = entry(BLOB, BASE) + entry(NAMED_DELTA, delta, b"\1" * 20)
    return b"PACK" + struct.pack(">II", 2, 2) + entries


def bomb(copies: int, padding: int = 0) -> bytes:
    """A delta that repeats its base."""
    return number(len(BASE), padding) + number(len(BASE) * copies) + COPY_BASE * copies


def test_a_delta_that_grows_within_the_limit_passes() -> None:
    check_pack(InDrops(pack_with(bomb(2))), LIMIT)


@pytest.mark.parametrize("file", [io.BytesIO, InDrops])
def test_a_delta_that_grows_beyond_the_limit_is_refused(file: type[io.BytesIO]) -> None:
    with pytest.raises(UpdateFailed, match="at most 10000000 are read"):
        check_pack(file(pack_with(bomb(20_000))), LIMIT)


@pytest.mark.parametrize("delta", [bomb(20_000, 40), b"", number(5), b"\x80" * 30], ids=["padded", "0", "1", "endless"])
def test_a_delta_that_does_not_say_plainly_how_far_it_grows_is_refused(delta: bytes) -> None:
    with pytest.raises(UpdateFailed, match="The git server's pack cannot be read"):
        check_pack(io.BytesIO(pack_with(delta)), LIMIT)

"""Looks through a pack before git's objects are unpacked from it: what each of them says it grows to, and does.

A pack of some kilobytes can hold objects of many gigabytes. So every entry is unpacked in small steps that are thrown
away, and its size counted; of a delta also the size of what it makes. Format: git's documentation, gitformat-pack.
"""

import zlib
from typing import IO

from craton_inv.errors import UpdateFailed

STEP = 64 * 1024
MAX_OBJECTS = 1_000_000
TIMES = 4  # all objects together may be so many times the limit: old versions of files, in a whole history
OFFSET_DELTA, NAMED_DELTA = 6, 7
ID_LENGTH = 20
NUMBERS = 32  # bytes: more than the two sizes at the start of a delta take
UNREADABLE = "The git server's pack cannot be read."
_KINDS = frozenset({1, 2, 3, 4, OFFSET_DELTA, NAMED_DELTA})


class _Bytes:
    """A pack read on and on, with bytes handed back that zlib did not need."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.rest = b""

    def some(self) -> bytes:
        rest, self.rest = self.rest or self.file.read(STEP), b""
        if not rest:
            raise UpdateFailed("The git server's pack breaks off.")
        return rest

    def exactly(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            found += self.some()
        self.rest = found[count:]
        return found[:count]

    def byte(self) -> int:
        return self.exactly(1)[0]


def check_pack(file: IO[bytes], limit: int) -> None:
    """Raise UpdateFailed for a pack with an object of more than `limit` bytes, or that is none."""
    pack = _Bytes(file)
    head = pack.exactly(12)
    count = int.from_bytes(head[8:])
    if head[:4] != b"PACK" or head[4:8] not in (b"\0\0\0\2", b"\0\0\0\3"):
        raise UpdateFailed("The git server's answer is no pack.")
    if count > MAX_OBJECTS:
        raise UpdateFailed(f"The git server's pack holds {count} objects; at most {MAX_OBJECTS} are read.")
    total = 0
    for _ in range(count):
        total += _object(pack, limit)
        if total > limit * TIMES:
            raise UpdateFailed(f"The objects of the repository take more than {limit * TIMES} bytes.")


def _object(pack: _Bytes, limit: int) -> int:
    byte = pack.byte()
    kind, size, shift = (byte >> 4) & 7, byte & 15, 4
    while byte & 0x80:
        byte = pack.byte()
        size |= (byte & 0x7F) << shift
        shift += 7
        if shift > 63:
            raise UpdateFailed(UNREADABLE)
    if kind not in _KINDS:
        raise UpdateFailed("The git server's pack holds an object of no known kind.")
    if kind == OFFSET_DELTA:
        while pack.byte() & 0x80:
            continue
    elif kind == NAMED_DELTA:
        pack.exactly(ID_LENGTH)
    _require(size, limit)
    start = _unfold(pack, size)
    if kind in (OFFSET_DELTA, NAMED_DELTA):
        made = _made_by(start)
        _require(made, limit)
        return made
    return size


def _require(size: int, limit: int) -> None:
    if size > limit:
        raise UpdateFailed(f"The repository holds a file of {size} bytes; at most {limit} are read.")


def _unfold(pack: _Bytes, size: int) -> bytes:
    """Unpack one entry and throw it away; its first bytes."""
    packer = zlib.decompressobj()
    start, seen = b"", 0
    chunk = b""
    while not packer.eof:
        chunk = chunk or pack.some()
        try:
            piece = packer.decompress(chunk, STEP)
        except zlib.error as error:
            raise UpdateFailed("The git server's pack cannot be unpacked.") from error
        seen += len(piece)
        start = (start + piece)[:NUMBERS]
        chunk = packer.unconsumed_tail
        if seen > size:
            break
    if seen != size:
        raise UpdateFailed("The git server's pack holds an object of another size than it says.")
    pack.rest = packer.unused_data + pack.rest
    return start


def _made_by(delta: bytes) -> int:
    """The size of what a delta makes: the second number at its start.

    Raises UpdateFailed for a number that does not end in time: whoever unpacks would read it to its end, and grow.
    """
    place = 0
    made = 0
    for _ in range(2):
        made, shift, more = 0, 0, 0x80
        while more:
            if place == len(delta) or shift > 63:
                raise UpdateFailed(UNREADABLE)
            made |= (delta[place] & 0x7F) << shift
            shift += 7
            more = delta[place] & 0x80
            place += 1
    return made

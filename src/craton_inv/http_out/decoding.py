"""Bodies unpacked in small steps, so that a bomb is stopped at its limit and not once it has gone off."""

import zlib
from collections.abc import Iterator

from craton_inv.errors import RemoteFault

STEP = 64 * 1024
GZIP = 16 + zlib.MAX_WBITS


class Decoder:
    """Decodes one body: `identity` or `gzip`. At most `limit` decoded bytes."""

    def __init__(self, encoding: str, limit: int) -> None:
        encoding = encoding.strip().lower()
        if encoding not in ("", "identity", "gzip", "x-gzip"):
            raise RemoteFault(f"The answer is encoded as {encoding[:40]!r}, which was not asked for.")
        self.limit = limit
        self.size = 0
        self._zlib = zlib.decompressobj(GZIP) if encoding.endswith("gzip") else None

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The next decoded pieces. Raises RemoteFault beyond the limit, or when the bytes are no gzip."""
        if self._zlib is None:
            yield self._counted(chunk)
            return
        full = True
        while chunk or full:
            if self._zlib.eof and chunk:
                self._zlib = zlib.decompressobj(GZIP)
            try:
                piece = self._zlib.decompress(chunk, STEP)
            except zlib.error as error:
                raise RemoteFault("The answer says that it is gzip, and is not.") from error
            yield self._counted(piece)
            chunk = self._zlib.unused_data if self._zlib.eof else self._zlib.unconsumed_tail
            full = len(piece) == STEP

    def end(self) -> None:
        """Raise RemoteFault when the body broke off."""
        if self._zlib is not None and self.size and not self._zlib.eof:
            raise RemoteFault("The answer breaks off in the middle.")

    def _counted(self, piece: bytes) -> bytes:
        self.size += len(piece)
        if self.size > self.limit:
            raise RemoteFault(f"The answer is larger than {self.limit} bytes; it was not read further.")
        return piece

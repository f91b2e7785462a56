"""git's protocol over ssh: the server's `git-upload-pack`, started through the door to the outside."""

from collections.abc import Callable
from typing import IO, cast

from dulwich.client import TraditionalGitClient
from dulwich.protocol import Protocol

from craton_inv.errors import RemoteFault
from craton_inv.http_out.ssh import SshLogin, SshOut, SshProgram
from craton_inv.http_out.ssh_url import read_ssh_url
from craton_inv.providers.scm.bridge import Bridge

BLOCK = 64 * 1024


class SshClient(TraditionalGitClient):
    """dulwich's client on our door; each conversation is a connection of its own.

    The server is not told of newer versions of the protocol, so it speaks the first, which all servers know.
    """

    def __init__(self, door: SshOut, bridge: Bridge, url: str, login: SshLogin) -> None:
        super().__init__(thin_packs=True, quiet=True)
        self.door = door
        self.bridge = bridge
        self.url = url
        self.login = login
        self._program: SshProgram | None = None

    def hang_up(self) -> None:
        """In the loop: let go of what is still open."""
        if self._program is not None:
            self._program.close()

    def _connect(
        self, cmd: bytes, path: str | bytes, protocol_version: int | None = None
    ) -> tuple[Protocol, Callable[[], bool], IO[bytes] | None]:
        command = f"git-{cmd.decode('ascii')} {quoted(read_ssh_url(self.url).path)}"
        if self._program is not None:
            self.bridge.loop.call_soon_threadsafe(self._program.close)
        self._program = self.bridge.wait(self.door.run(self.url, self.login, command))
        conversation = _Conversation(self.bridge, self._program)
        # dulwich closes what it was given only on some of its ways; whoever fetches closes on all of them.
        return (
            Protocol(conversation.read, conversation.write),
            conversation.can_read,
            cast(IO[bytes], _Heard(conversation)),  # dulwich only ever asks for its lines
        )


class _Conversation:
    """Blocking reads of exactly so many bytes, and writes, in the thread."""

    def __init__(self, bridge: Bridge, program: SshProgram) -> None:
        self.bridge = bridge
        self.program = program
        self.buffer = b""
        self.size = 0

    def read(self, size: int) -> bytes:
        pieces, missing = [], size
        while missing:
            self.buffer = self.buffer or self._more()
            if not self.buffer:
                break
            pieces.append(self.buffer[:missing])
            self.buffer = self.buffer[missing:]
            missing -= len(pieces[-1])
        return b"".join(pieces)

    def _more(self) -> bytes:
        chunk = self.bridge.wait(self.program.read(BLOCK))
        self.size += len(chunk)
        if self.size > self.bridge.allowance:
            raise RemoteFault(f"The answer is larger than {self.bridge.allowance} bytes; it was not read further.")
        return chunk

    def write(self, content: bytes) -> None:
        self.bridge.wait(self.program.write(content))

    def can_read(self) -> bool:
        return bool(self.buffer)


class _Heard:
    """What the server said beside its answer, for dulwich to read when the answer breaks off."""

    def __init__(self, conversation: _Conversation) -> None:
        self.conversation = conversation

    def readlines(self) -> list[bytes]:
        """All lines there are."""
        return self.conversation.bridge.wait(self.conversation.program.heard()).encode().splitlines(keepends=True)


def quoted(path: str) -> str:
    """A path as git quotes it for the server's shell: always in single quotes."""
    escaped = path.replace("'", "'\\''")
    return f"'{escaped}'"

"""The repository of a test over ssh: a real server on loopback, and dulwich's upload-pack behind it."""

import asyncio
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_ssh_private_key,
)
from dulwich.protocol import ReceivableProtocol
from dulwich.server import DictBackend, UploadPackHandler

from tests.providers.scm.conftest import GitServer

PASSPHRASE = "correct horse"


@dataclass
class SshServer:
    """`key` opens it; `known_hosts` is a file that knows it. `silent`: programs start, and never say a word."""

    git: GitServer
    folder: Path
    port: int = 0
    host_key: asyncssh.SSHKey = field(default_factory=lambda: asyncssh.generate_private_key("ssh-ed25519"))
    client_key: asyncssh.SSHKey = field(default_factory=lambda: asyncssh.generate_private_key("ssh-ed25519"))
    users: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    silent: bool = False
    said: bytes = b""

    @property
    def url(self) -> str:
        return f"ssh://127.0.0.1:{self.port}/org/shop.git"

    @property
    def key(self) -> str:
        return self.client_key.export_private_key().decode()

    @property
    def locked_key(self) -> str:
        plain = load_ssh_private_key(self.key.encode(), None)
        locked = BestAvailableEncryption(PASSPHRASE.encode())
        return plain.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, locked).decode()  # type: ignore[union-attr]

    @property
    def known_hosts(self) -> Path:
        """A file with the server's key."""
        return self.knowing(self.host_key)

    def knowing(self, *keys: asyncssh.SSHKey, revoked: bool = False) -> Path:
        """A file with these keys for the server."""
        lines = [f"[127.0.0.1]:{self.port} {key.export_public_key().decode()}" for key in keys]
        lines += [f"@revoked {line}" for line in lines if revoked]
        path = self.folder / "known_hosts"
        path.write_text("".join(lines))
        return path

    def begin_auth(self, username: str) -> bool:
        self.users.append(username)
        return True

    async def work(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        """Play a git server's account: upload-pack and nothing else."""
        command = process.command or ""
        self.commands.append(command)
        if self.silent:
            await process.stdin.read()
            return
        if self.said:
            process.stderr.write(self.said)
            process.exit(1)
            return
        program, path = shlex.split(command)
        assert program == "git-upload-pack"
        loop = asyncio.get_running_loop()

        async def send(content: bytes) -> None:
            process.stdout.write(content)
            await process.stdout.drain()

        def serve() -> None:
            protocol = ReceivableProtocol(
                lambda size: asyncio.run_coroutine_threadsafe(process.stdin.read(size), loop).result(),
                lambda content: asyncio.run_coroutine_threadsafe(send(content), loop).result(),
            )
            UploadPackHandler(DictBackend({path: self.git.repo}), [path], protocol).handle()

        try:
            await asyncio.to_thread(serve)
            process.exit(0)
        except Exception as error:  # the client hung up, or asked for what is not there
            process.stderr.write(f"ERROR: {type(error).__name__}\n".encode())
            process.exit(1)


@asynccontextmanager
async def serving(git: GitServer, folder: Path) -> AsyncIterator[SshServer]:
    """The server at work."""
    made = SshServer(git, folder)
    authorized = asyncssh.import_authorized_keys(made.client_key.export_public_key().decode())

    class Account(asyncssh.SSHServer):
        def begin_auth(self, username: str) -> bool:
            return made.begin_auth(username)

    server = await asyncssh.create_server(
        Account,
        "127.0.0.1",
        0,
        server_host_keys=[made.host_key],
        authorized_client_keys=authorized,
        process_factory=made.work,
        encoding=None,
    )
    made.port = server.get_port()
    try:
        yield made
    finally:
        server.close()
        await server.wait_closed()

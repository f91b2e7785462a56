"""Programs run on a server over ssh: addresses checked and pinned, the host's key known beforehand, no other way in.

Nothing of the machine's own ssh is used: no configuration, agent, keys or known hosts of the user who runs the service.
"""

import asyncio
import getpass
import logging
import os
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh
from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

from craton_inv.errors import RemoteFault, TransientError, UpdateFailed
from craton_inv.http_out.known_hosts import HostKeyCheck, read_known_hosts
from craton_inv.http_out.networks import Allowed
from craton_inv.http_out.resolver import Resolver, addresses_of, system_resolver
from craton_inv.http_out.ssh_url import PORT, SshUrl, check_ssh_url
from craton_inv.settings import Settings

CONNECT_SECONDS = 10.0
LOGIN_SECONDS = 20.0
SAID_LIMIT = 4096  # bytes of what a server says beside its answer

logging.getLogger("asyncssh").setLevel(logging.WARNING)


@dataclass(frozen=True)
class SshLogin:
    """Who logs in, and with what. `user`: for addresses that name none."""

    user: str = ""
    key: str = field(default="", repr=False)
    passphrase: str = field(default="", repr=False)
    password: str = field(default="", repr=False)


class SshProgram:
    """A program at work on a server. `said`: the start of its standard error."""

    def __init__(
        self, host: str, connection: asyncssh.SSHClientConnection, process: "asyncssh.SSHClientProcess[bytes]"
    ):
        self.host = host
        self.said = b""
        self._connection = connection
        self._process = process
        self._listening = asyncio.create_task(self._listen())

    async def read(self, size: int) -> bytes:
        """What is there of the answer, at most `size` bytes; b"" at its end. Raises TransientError."""
        try:
            return await self._process.stdout.read(size)
        except (OSError, asyncssh.Error) as error:
            raise TransientError(f"{self.host} broke off: {_told(error)}.") from error

    async def write(self, content: bytes) -> None:
        """Send to the program. Raises TransientError."""
        try:
            self._process.stdin.write(content)
            await self._process.stdin.drain()
        except BrokenPipeError:
            return  # the program has ended; what it said last is still to be read
        except (OSError, asyncssh.Error) as error:
            raise TransientError(f"{self.host} broke off: {_told(error)}.") from error

    async def heard(self) -> str:
        """What the program said beside its answer, once it has ended, or one second later."""
        await asyncio.wait({self._listening}, timeout=1.0)
        return self.said.decode("utf-8", "replace")

    def close(self) -> None:
        """Let go of the server at once."""
        self._listening.cancel()
        self._connection.abort()

    async def _listen(self) -> None:
        try:
            while chunk := await self._process.stderr.read(SAID_LIMIT):
                self.said = (self.said + chunk)[:SAID_LIMIT]
        except (OSError, asyncssh.Error):
            return  # the answer breaks off as well, and says so


class SshOut:
    """The door. `allow`: as the setting http_out_allow; `known_hosts`: a file. `resolver`: for tests."""

    def __init__(self, allow: str = "", known_hosts: Path = Path(), *, resolver: Resolver = system_resolver) -> None:
        self.allow = allow
        self.known_hosts = known_hosts
        self.resolver = resolver

    @classmethod
    def of(cls, settings: Settings) -> "SshOut":
        """The door as the operator set it."""
        return cls(settings.http_out_allow, settings.known_ssh_hosts())

    async def run(self, text: str, login: SshLogin, command: str) -> SshProgram:
        """Log in and start `command`. The caller closes the program.

        Raises BlockedAddress before anything is sent; RemoteFault for a host key that is not known and a login that is
        refused; UpdateFailed for a key that cannot be used; TransientError for faults of the network.
        """
        url = check_ssh_url(text, self.allow)
        key = await asyncio.to_thread(_opened, login)
        addresses = await addresses_of(url.host, Allowed.read(self.allow), self.resolver)
        known = await asyncio.to_thread(read_known_hosts, self.known_hosts)
        connection = await self._connection(url, login, key, [str(address) for address in addresses], known)
        try:
            process: Any = await connection.create_process(command, encoding=None)
        except (OSError, asyncssh.Error) as error:
            connection.abort()
            raise RemoteFault(f"{url.host} runs no such program: {_told(error)}.") from error
        except BaseException:
            connection.abort()
            raise
        return SshProgram(url.host, connection, process)

    async def _connection(
        self,
        url: SshUrl,
        login: SshLogin,
        key: asyncssh.SSHKey | None,
        addresses: list[str],
        known: asyncssh.SSHKnownHosts,
    ) -> asyncssh.SSHClientConnection:
        check = HostKeyCheck()
        taken, address = await _connected(url, addresses)
        user = url.user or login.user or "git"
        made = None
        try:
            made = await asyncssh.connect(url.host, url.port, sock=taken, **_options(user, login, key, known, check))
            return made
        except asyncssh.HostKeyNotVerifiable:
            others = any(known.match(url.host, address, None if url.port == PORT else url.port)[:2])
            raise RemoteFault(check.refusal(url.host, url.port, others)) from None
        except asyncssh.PermissionDenied:
            raise RemoteFault(
                f"{url.host} does not let {user} in: the project needs a credential with an SSH key, or another one."
            ) from None
        except asyncssh.KeyExchangeFailed as error:
            raise RemoteFault(f"{url.host} and this service find no common way to speak ssh: {_told(error)}.") from None
        except (OSError, TimeoutError, asyncssh.Error) as error:
            raise TransientError(f"{url.host} broke off or spoke no ssh: {_told(error)}.") from error
        finally:
            if made is None:
                taken.close()


def _options(
    user: str, login: SshLogin, key: asyncssh.SSHKey | None, known: asyncssh.SSHKnownHosts, check: HostKeyCheck
) -> dict[str, Any]:
    """Every way in but the one given is shut, and so is what the other side could ask of this machine."""
    try:
        getpass.getuser()
    except (KeyError, OSError):
        # A container's user often has no name; asyncssh wants one though it is never sent.
        os.environ["LOGNAME"] = "craton-inv"
    return {
        "client_factory": lambda: check,
        "known_hosts": known,
        "username": user,
        "client_keys": None if key is None else [key],
        "password": login.password or None,
        "preferred_auth": "publickey,password",
        "config": None,
        "agent_path": None,
        "agent_forwarding": False,
        "gss_kex": False,
        "gss_auth": False,
        "host_based_auth": False,
        "kbdint_auth": False,
        "x509_trusted_certs": None,
        "compression_algs": None,  # what is sent is packed already, and cannot grow on its way in
        "login_timeout": LOGIN_SECONDS,
        "keepalive_interval": 30,
    }


def _opened(login: SshLogin) -> asyncssh.SSHKey | None:
    """The key of a login. Raises UpdateFailed in a sentence that repeats nothing of it."""
    if not login.key:
        return None
    content = login.key.encode()
    load = load_ssh_private_key if b"BEGIN OPENSSH" in content else load_pem_private_key
    try:
        # Opened here: asyncssh would warn of each key that ssh-keygen locked with its usual number of rounds.
        # That an RSA key consists of primes is not looked after: the whole process would stand still for seconds.
        key = load(content, login.passphrase.encode() or None, unsafe_skip_rsa_key_validation=True)
        plain = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
        return asyncssh.import_private_key(plain, unsafe_skip_rsa_key_validation=True)
    except (asyncssh.KeyImportError, UnsupportedAlgorithm, InternalError, ValueError, TypeError, AttributeError):
        raise UpdateFailed("The SSH key of the credential cannot be opened with its passphrase.") from None


async def _connected(url: SshUrl, addresses: list[str]) -> tuple[socket.socket, str]:
    """A connection to the first address that takes one, and that address. Raises TransientError."""
    failure = "no address was tried"
    for address in addresses:
        made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        made.setblocking(False)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await asyncio.get_running_loop().sock_connect(made, (address, url.port))
            return made, address
        except (OSError, TimeoutError) as error:
            made.close()
            failure = _told(error)
        except BaseException:
            made.close()
            raise
    raise TransientError(f"{url.host} could not be reached: {failure}.")


def _told(error: BaseException) -> str:
    """An error in one short line: some of its words are the other side's."""
    text = str(error) or type(error).__name__
    return "".join(char if char.isprintable() else " " for char in text)[:200].rstrip(".")

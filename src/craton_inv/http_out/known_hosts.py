"""Host keys that may be talked to over ssh, from a file in OpenSSH's format; a key that is not in it is refused."""

from pathlib import Path

import asyncssh

from craton_inv.errors import UpdateFailed

SETTING = "CRATON_INV_SSH_KNOWN_HOSTS"


def read_known_hosts(path: Path) -> asyncssh.SSHKnownHosts:
    """The keys of the file; none when there is no file. Raises UpdateFailed for one that cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return asyncssh.import_known_hosts("")
    except (OSError, ValueError):
        raise UpdateFailed(f"The file of host keys, which {SETTING} names, cannot be read.") from None
    try:
        return asyncssh.import_known_hosts(text)
    except ValueError:
        raise UpdateFailed(f"The file of host keys, which {SETTING} names, has a line that is none.") from None


class HostKeyCheck(asyncssh.SSHClient):
    """Asked for a key that is not known: never takes it, and remembers it for the refusal to name."""

    def __init__(self) -> None:
        self.offered: asyncssh.SSHKey | None = None

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """No."""
        self.offered = key
        return False

    def refusal(self, host: str, port: int, others_known: bool) -> str:
        """Why the host is not talked to, and what to do about it."""
        if self.offered is None:
            return f"The host key of {host} is revoked or cannot be checked; nothing was sent."
        shown = f"{self.offered.get_algorithm()} {self.offered.get_fingerprint()}"
        scan = f"ssh-keyscan {host}" if port == 22 else f"ssh-keyscan -p {port} {host}"
        if others_known:
            return (
                f"{host} shows another host key than the one that is known: {shown}. Either it was changed, or "
                f"somebody stands in between; nothing was sent. The known key stands in the file that {SETTING} names."
            )
        return (
            f"The host key of {host} is not known: {shown}; nothing was sent. Once its owner says that this is the "
            f"fingerprint, the operator adds the line of `{scan}` to the file that {SETTING} names."
        )

"""git's smart protocol over HTTP, each request handed to the door to the outside."""

import base64
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from dulwich.client import AbstractHttpGitClient
from dulwich.errors import NotGitRepository

from craton_inv.errors import RemoteFault, TransientError
from craton_inv.http_out import HttpOut, Limits
from craton_inv.http_out.door import Answer
from craton_inv.providers.scm.bridge import Bridge

IN_MEMORY = 4 * 1024 * 1024


@dataclass
class _Response:
    """What dulwich looks at of an answer."""

    content_type: str | None
    redirect_location: str
    file: IO[bytes]

    def close(self) -> None:
        self.file.close()


class HttpClient(AbstractHttpGitClient):
    """dulwich's client on our door. Only the smart protocol: files of a plain web server are not asked for."""

    def __init__(self, door: HttpOut, bridge: Bridge, url: str, login: tuple[str, str], seconds: float) -> None:
        # We have nothing that a thin pack could build upon; but some servers talk to nobody who cannot read one.
        super().__init__(url, dumb=False, thin_packs=True, quiet=True)
        self.door = door
        self.bridge = bridge
        self.seconds = seconds
        self.origin = _origin(url)
        self.authorization = ""
        if any(login):
            self.authorization = f"Basic {base64.b64encode(':'.join(login).encode()).decode()}"

    def _http_request(
        self,
        url: str,
        headers: dict[str, str] | None = None,
        data: bytes | Iterator[bytes] | None = None,
        raise_for_status: bool = True,
    ) -> Any:
        sent = {name: text for name, text in (headers or {}).items() if name.lower() != "content-length"}
        if self.authorization and _origin(url) == self.origin:
            sent["Authorization"] = self.authorization
        body = data if data is None or isinstance(data, bytes) else b"".join(data)
        file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - dulwich closes it
        try:
            answer = self._ask("GET" if body is None else "POST", url, sent, body, file)
        except BaseException:
            file.close()
            raise
        kind = answer.headers.get("content-type")
        if answer.status != 200 or not (kind or "").startswith("application/x-git-"):
            file.close()
            raise _refusal(answer, url)
        file.seek(0)
        return _Response(kind, answer.url if answer.url != url else "", file), file.read

    def _ask(self, method: str, url: str, headers: dict[str, str], body: bytes | None, file: IO[bytes]) -> Answer:
        limits = Limits(seconds=self.seconds, size=self.bridge.allowance)
        return self.bridge.wait(self.door.request(method, url, headers=headers, body=body, limits=limits, sink=file))


def _origin(url: str) -> str:
    return "/".join(url.split("/", 3)[:3]).lower()


def _refusal(answer: Answer, url: str) -> Exception:
    where = url.partition("?")[0]
    if answer.status in (401, 403):
        return RemoteFault(f"{where} answers {answer.status}: the project needs a credential, or another one.")
    if answer.status in (429, 502, 503, 504):
        return TransientError(f"{where} answers {answer.status}.")
    if answer.status in (200, 404):
        return NotGitRepository()
    return RemoteFault(f"{where} answers {answer.status}.")

"""The way out of openstacksdk: a name is asked at its checked address, with its own certificate, within limits."""

import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from threading import Thread

import pytest
import requests
import requests.adapters
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from craton_inv.errors import BlockedAddress, RemoteFault
from craton_inv.http_out import HttpOut
from craton_inv.http_out.networks import Address
from craton_inv.providers.openstack import guard
from craton_inv.providers.openstack.guard import GuardedAdapter

NAME = "cloud.example.org"
LEADS = {"/inside": "http://169.254.169.254/", "/other": "https://other.example.org/", "/path": "/large"}


class Answers(BaseHTTPRequestHandler):
    """The host that was asked for; /large is large, /slow comes byte by byte, /inside, /other and /path lead on."""

    def do_GET(self) -> None:
        body = b"x" * 5000 if self.path == "/large" else self.headers["Host"].encode()
        self.send_response(302 if self.path in LEADS else 200)
        if self.path in LEADS:
            self.send_header("Location", LEADS[self.path])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        pause = 0.05 if self.path == "/slow" else 0
        with suppress(OSError):  # whoever asked may be gone
            for start in range(0, len(body), 1 if pause else len(body)):
                self.wfile.write(body[start : start + 1] if pause else body)
                time.sleep(pause)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of NAME with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + made.public_bytes(pem))
    return path


@pytest.fixture
def port(certificate: Path) -> Iterator[int]:
    """A server on loopback with that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


async def loopback(host: str) -> list[Address]:
    """Every name is here."""
    return [ip_address("127.0.0.1")]


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """A session that goes out through the guard."""
    with requests.Session() as made:
        made.trust_env = False
        made.mount("https://", GuardedAdapter(HttpOut("127.0.0.0/8", resolver=loopback), requests.adapters, 1000))
        yield made


def test_a_name_is_asked_at_its_checked_address(session: requests.Session, port: int, certificate: Path) -> None:
    answer = session.get(f"https://{NAME}:{port}/", verify=str(certificate))
    assert (answer.status_code, answer.text) == (200, f"{NAME}:{port}")


def test_a_certificate_of_another_name_is_refused(session: requests.Session, port: int, certificate: Path) -> None:
    with pytest.raises(requests.exceptions.SSLError, match="doesn't match"):
        session.get(f"https://other.example.org:{port}/", verify=str(certificate))


def test_a_redirect_that_leads_inside_is_refused(session: requests.Session, port: int, certificate: Path) -> None:
    with pytest.raises(BlockedAddress):
        session.get(f"https://{NAME}:{port}/inside", verify=str(certificate), allow_redirects=False)


def test_a_large_answer_is_not_read_to_its_end(session: requests.Session, port: int, certificate: Path) -> None:
    with pytest.raises(RemoteFault, match="larger than 1000 bytes"):
        session.get(f"https://{NAME}:{port}/large", verify=str(certificate))


def test_a_token_is_not_taken_to_another_host(session: requests.Session, port: int, certificate: Path) -> None:
    with pytest.raises(RemoteFault, match=r"leads on to https://other\.example\.org; the token is not sent there"):
        session.get(f"https://{NAME}:{port}/other", verify=str(certificate), allow_redirects=False)
    within = session.get(f"https://{NAME}:{port}/path", verify=str(certificate), allow_redirects=False)
    assert within.status_code == 302


def test_an_answer_that_comes_bit_by_bit_is_given_up(
    session: requests.Session, port: int, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "WHOLE_SECONDS", 0.2)
    with pytest.raises(RemoteFault, match=r"took more than 0\.2 seconds"):
        session.get(f"https://{NAME}:{port}/slow", verify=str(certificate))


async def nowhere_then_loopback(host: str) -> list[Address]:
    """Nobody listens at the first address."""
    return [ip_address("127.0.0.99"), ip_address("127.0.0.1")]


def test_the_next_address_is_tried_when_one_takes_no_connection(port: int, certificate: Path) -> None:
    with requests.Session() as session:
        session.trust_env = False
        door = HttpOut("127.0.0.0/8", resolver=nowhere_then_loopback)
        session.mount("https://", GuardedAdapter(door, requests.adapters, 1000))
        assert session.get(f"https://{NAME}:{port}/", verify=str(certificate)).status_code == 200

"""Inputs by their type; S33: private keys as people paste them. No complaint repeats a value."""

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from craton_inv.providers.credentials import MANAGED
from craton_inv.providers.credentials.inputs import ENCRYPTED, InvalidInputs, check_inputs
from craton_inv.providers.credentials.private_keys import PrivateKeyFault, read_private_key

ED25519 = ed25519.Ed25519PrivateKey.generate()
RSA = rsa.generate_private_key(65537, 2048)


def pem(key: Any, form: PrivateFormat = PrivateFormat.PKCS8, passphrase: str = "") -> str:
    how: KeySerializationEncryption = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    return str(key.private_bytes(Encoding.PEM, form, how).decode())


KEYS = {
    "pkcs8": pem(ED25519),
    "pkcs1": pem(RSA, PrivateFormat.TraditionalOpenSSL),
    "openssh": pem(ED25519, PrivateFormat.OpenSSH),
}
ENCRYPTED_KEYS = {
    "pkcs8": pem(ED25519, passphrase="words"),
    "pkcs1": pem(RSA, PrivateFormat.TraditionalOpenSSL, "words"),
}
PUBLIC = ED25519.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize("form", KEYS)
def test_s33_a_key_is_read(form: str) -> None:
    assert read_private_key(KEYS[form]).text == KEYS[form]


@pytest.mark.parametrize("form", KEYS)
def test_s33_windows_line_ends_and_blanks_around_are_taken_off(form: str) -> None:
    pasted = "\r\n  " + KEYS[form].replace("\n", "\r\n") + "\r\n\r\n"
    assert read_private_key(pasted).text == KEYS[form]


@pytest.mark.parametrize("form", ENCRYPTED_KEYS)
def test_s33_an_encrypted_key_opens_with_its_passphrase_alone(form: str) -> None:
    assert read_private_key(ENCRYPTED_KEYS[form], "words").encrypted
    for passphrase, fault in (("", "must be set when SSH key is encrypted."), ("other", "does not open")):
        with pytest.raises(PrivateKeyFault, match=fault) as caught:
            read_private_key(ENCRYPTED_KEYS[form], passphrase)
        assert caught.value.field == "ssh_key_unlock"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (KEYS["pkcs8"] + KEYS["pkcs1"], "there are 2 PEM blocks"),
        ("", "there are 0 PEM blocks"),
        ("junk\n" + KEYS["pkcs8"], "line 1 stands outside"),
        (KEYS["pkcs8"] + "junk", "line 4 stands outside"),
        (KEYS["pkcs8"].replace("END PRIVATE", "END RSA PRIVATE"), "ends another kind"),
        (KEYS["pkcs8"].rsplit("-----END", 1)[0], "END line is missing"),
        (KEYS["pkcs8"].rsplit("-----END", 1)[0] + KEYS["pkcs8"], "inside the first"),
        (KEYS["pkcs8"].replace("MC4", "AAA"), "content cannot be read"),
        (PUBLIC, "this is a public key"),
        ("x" * (1024 * 1024), "at most 16384"),
    ],
    ids=["two", "none", "junk before", "junk behind", "other end", "no end", "nested", "broken", "public", "1 MB"],
)
def test_s33_what_is_no_key_is_refused_precisely(text: str, fault: str) -> None:
    with pytest.raises(PrivateKeyFault, match=fault) as caught:
        read_private_key(text)
    assert "junk" not in str(caught.value)


def der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content).to_bytes((len(content).bit_length() + 7) // 8 or 1)
    return bytes([tag]) + (size if len(content) < 0x80 else bytes([0x80 | len(size)]) + size) + content


def number(value: int) -> bytes:
    return der(2, value.to_bytes(value.bit_length() // 8 + 1))


def locked(stretching: bytes) -> str:
    """An encrypted PKCS #8 key whose passphrase is stretched so."""
    algorithm = der(0x30, der(6, b"PBES2"), der(0x30, der(0x30, der(6, b"function"), stretching)))
    lines = base64.encodebytes(der(0x30, algorithm, der(4, b"locked"))).decode()
    return f"-----BEGIN ENCRYPTED PRIVATE KEY-----\n{lines}-----END ENCRYPTED PRIVATE KEY-----\n"


def openssh(rounds: int) -> str:
    """An OpenSSH key whose passphrase is stretched by so many rounds of bcrypt."""
    label, *lines, end, _ = pem(ED25519, PrivateFormat.OpenSSH, "words").split("\n")
    content = base64.b64decode("".join(lines))
    place = content.index(b"bcrypt") + len(b"bcrypt") + 4 + 4 + 16
    content = content[:place] + rounds.to_bytes(4) + content[place + 4 :]
    return f"{label}\n{base64.encodebytes(content).decode()}{end}\n"


def with_colon(text: str) -> str:
    """The key with a character in its first line that is no base64, and that its readers pass over."""
    label, first, rest = text.split("\n", 2)
    return f"{label}\n{first[:9]}:{first[9:]}\n{rest}"


@pytest.mark.parametrize(
    "text",
    [
        openssh(2**32 - 1),
        openssh(129),
        with_colon(openssh(129)),
        locked(der(0x30, der(4, b"salt"), number(1_000_001))),
        locked(der(0x30, der(4, b"salt"), number(2**14), number(8), number(4), number(32))),
    ],
    ids=["bcrypt", "a bit of bcrypt", "bcrypt behind a colon", "pbkdf2", "scrypt"],
)
def test_s33_a_key_that_takes_days_to_open_is_refused_without_trying(text: str) -> None:
    with pytest.raises(PrivateKeyFault, match="opening it takes too long"):
        read_private_key(text, "words")


def mersenne(p_bits: int, q_bits: int) -> str:
    """An RSA key of two primes that are known without a search."""
    p, q = 2**p_bits - 1, 2**q_bits - 1
    d = pow(65537, -1, (p - 1) * (q - 1))
    numbers = (0, p * q, 65537, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))
    content = der(0x30, *map(number, numbers))
    return f"-----BEGIN RSA PRIVATE KEY-----\n{base64.encodebytes(content).decode()}-----END RSA PRIVATE KEY-----\n"


def test_s33_an_rsa_key_that_would_take_minutes_to_look_through_is_refused_by_its_size() -> None:
    assert not read_private_key(mersenne(2203, 2281)).encrypted
    with pytest.raises(PrivateKeyFault, match="it has 19630 bits; at most 16384 are taken"):
        read_private_key(mersenne(9689, 9941))


def test_s33_a_key_that_the_library_stumbles_over_is_refused() -> None:
    prime = number(2**40000 - 1)
    algorithm = der(0x30, der(6, bytes.fromhex("2a864886f70d010301")), der(0x30, prime, number(3)))
    content = der(0x30, number(0), algorithm, der(4, number(2**40000 - 8)))
    text = f"-----BEGIN PRIVATE KEY-----\n{base64.encodebytes(content).decode()}-----END PRIVATE KEY-----\n"
    with pytest.raises(PrivateKeyFault, match="content cannot be read"):
        read_private_key(text)


def test_s33_an_openssh_key_opens_with_its_passphrase_alone() -> None:
    text = pem(ED25519, PrivateFormat.OpenSSH, "words")
    assert read_private_key(text, "words").encrypted
    with pytest.raises(PrivateKeyFault, match="does not open"):
        read_private_key(text, "other")


def test_a_passphrase_without_need_is_refused() -> None:
    with pytest.raises(PrivateKeyFault, match="should not be set when SSH key is not encrypted"):
        read_private_key(KEYS["pkcs8"], "words")


def test_secrets_and_plain_inputs_go_their_ways() -> None:
    checked = check_inputs(MANAGED["aws"], {"username": "AK", "password": "S", "security_token": ""}, {})
    assert (checked.plain, checked.secrets) == ({"username": "AK"}, {"password": "S"})
    assert "'S'" not in repr(checked)


def test_what_is_stored_takes_the_place_of_its_sign() -> None:
    checked = check_inputs(MANAGED["aws"], {"username": "AK", "password": ENCRYPTED}, {"password": "stored"})
    assert checked.secrets == {"password": "stored"}


@pytest.mark.parametrize(
    ("kind", "given", "faults"),
    [
        ("aws", {}, {"username": "required for Amazon Web Services", "password": "required for Amazon Web Services"}),
        ("aws", {"username": "a", "password": "b", "x": 1}, {"x": "Additional properties are not allowed ('x'"}),
        ("aws", {"username": "a", "password": 5}, {"password": "Not a valid string."}),
        ("aws", {"username": "a", "password": None}, {"password": "Not a valid string."}),
        ("aws", {"username": "a", "password": ENCRYPTED}, {"password": "there is none"}),
        ("aws", {"username": "a\nb", "password": "c"}, {"username": "one line"}),
        ("aws", {"username": "a\0", "password": "c"}, {"username": "The text"}),
        ("aws", {"username": "a", "password": "c" * 65537}, {"password": "no more than 65536"}),
        ("controller", {"host": "h", "verify_ssl": "yes"}, {"verify_ssl": "Must be a valid boolean."}),
        ("gce", {"username": "a", "ssh_key_data": "canary"}, {"ssh_key_data": "line 1 stands outside"}),
        ("gce", {"username": "a", "ssh_key_data": ENCRYPTED_KEYS["pkcs8"]}, {"ssh_key_data": "takes no passphrase"}),
        ("scm", {"ssh_key_data": ENCRYPTED_KEYS["pkcs8"]}, {"ssh_key_unlock": "must be set"}),
        ("scm", {"ssh_key_unlock": "words"}, {"ssh_key_unlock": "there is no SSH key"}),
    ],
)
def test_inputs_that_do_not_fit_are_named_and_not_repeated(
    kind: str, given: dict[str, Any], faults: dict[str, str]
) -> None:
    with pytest.raises(InvalidInputs) as caught:
        check_inputs(MANAGED[kind], given, {})
    assert caught.value.nested.keys() == faults.keys()
    for name, fault in faults.items():
        assert fault in caught.value.nested[name][0]
    assert "canary" not in caught.value.message

"""Private keys as people paste them: PEM and OpenSSH, exactly one, its passphrase tried; faults repeat nothing."""

import re
from dataclasses import dataclass

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key

from craton_inv.providers.credentials.key_cost import is_too_slow

MAX_KEY = 16384  # characters; an RSA key of MAX_BITS has 13 000
MAX_BITS = 16384  # of RSA's modulus; OpenSSH takes no more either
_BEGIN = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----\Z")
_END = re.compile(r"-----END ([A-Z0-9 ]+)-----\Z")
OPENSSH = "OPENSSH PRIVATE KEY"


@dataclass(frozen=True)
class PrivateKey:
    """A key that reads well. `text` has Unix line ends and no blanks around it."""

    text: str
    encrypted: bool


class PrivateKeyFault(ValueError):
    """Why a text is no private key: a sentence that repeats nothing of it. `field`: the input it is about."""

    def __init__(self, sentence: str, field: str = "ssh_key_data") -> None:
        super().__init__(sentence)
        self.field = field


def read_private_key(text: str, passphrase: str = "", *, may_be_encrypted: bool = True) -> PrivateKey:
    """The one private key in `text`; an encrypted one must open with `passphrase`. Raises PrivateKeyFault."""
    if len(text) > MAX_KEY:
        raise PrivateKeyFault(f"Invalid private key: it has {len(text)} characters; at most {MAX_KEY} are taken.")
    lines = [line.strip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    label, block = _only_block(lines)
    if is_too_slow(block):
        raise PrivateKeyFault("Invalid private key: its passphrase is stretched so far that opening it takes too long.")
    encrypted = _is_encrypted(block, label)
    if encrypted and not may_be_encrypted:
        raise PrivateKeyFault("Invalid private key: it is encrypted, and this type takes no passphrase.")
    if encrypted and not passphrase:
        raise PrivateKeyFault("must be set when SSH key is encrypted.", "ssh_key_unlock")
    if passphrase and not encrypted:
        raise PrivateKeyFault("should not be set when SSH key is not encrypted.", "ssh_key_unlock")
    _load(block, label, passphrase)
    return PrivateKey(block, encrypted)


def _only_block(lines: list[str]) -> tuple[str, str]:
    """Label and text of the one PEM block. Raises PrivateKeyFault naming the line that is too much."""
    blocks: list[tuple[str, list[str]]] = []
    inside = False
    for number, line in enumerate(lines, 1):
        begin, end = _BEGIN.match(line), _END.match(line)
        if inside:
            if begin:
                raise PrivateKeyFault(f"Invalid private key: another key begins in line {number}, inside the first.")
            blocks[-1][1].append(line)
            if end:
                if end[1] != blocks[-1][0]:
                    raise PrivateKeyFault(f"Invalid private key: line {number} ends another kind of key than began.")
                inside = False
        elif begin:
            blocks.append((begin[1], [line]))
            inside = True
        elif line:
            raise PrivateKeyFault(f"Invalid private key: line {number} stands outside of the BEGIN and END lines.")
    if inside:
        raise PrivateKeyFault("Invalid private key: its END line is missing.")
    if len(blocks) != 1:
        raise PrivateKeyFault(f"Invalid private key: there are {len(blocks)} PEM blocks; exactly one is taken.")
    label, block = blocks[0]
    if not label.endswith("PRIVATE KEY"):
        raise PrivateKeyFault(f"Invalid private key: this is a {label.lower()}.")
    return label, "\n".join(block) + "\n"


def _is_encrypted(block: str, label: str) -> bool:
    if label == OPENSSH:
        try:
            load_ssh_private_key(block.encode(), None, unsafe_skip_rsa_key_validation=True)
        except (TypeError, UnsupportedAlgorithm):
            return True
        except ValueError:
            return False
        return False
    return label == "ENCRYPTED PRIVATE KEY" or "Proc-Type: 4,ENCRYPTED" in block


def _load(block: str, label: str, passphrase: str) -> None:
    load = load_ssh_private_key if label == OPENSSH else load_pem_private_key
    try:
        # Whether the numbers of an RSA key are primes is not asked: it takes seconds to minutes, in which the whole
        # process stands still, and who brings a bad key harms only himself.
        key = load(block.encode(), passphrase.encode() or None, unsafe_skip_rsa_key_validation=True)
    except UnsupportedAlgorithm:
        if label == OPENSSH and passphrase:
            return  # its form is right; the cipher of its passphrase is not for this machine to try
        raise PrivateKeyFault("Invalid private key: its algorithm is not supported.") from None
    except (ValueError, TypeError, InternalError):
        if passphrase:
            raise PrivateKeyFault("The passphrase does not open the private key.", "ssh_key_unlock") from None
        raise PrivateKeyFault("Invalid private key: its content cannot be read.") from None
    if isinstance(key, RSAPrivateKey) and key.key_size > MAX_BITS:
        raise PrivateKeyFault(f"Invalid private key: it has {key.key_size} bits; at most {MAX_BITS} are taken.")

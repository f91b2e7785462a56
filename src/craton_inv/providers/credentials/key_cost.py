"""How much work it is to open a locked private key: its maker chooses, so a key could keep a worker busy for days."""

import base64
import binascii
from math import prod

# About a second of work; other threads go on meanwhile.
MAX_ROUNDS = 128  # of OpenSSH's bcrypt; ssh-keygen takes 16 to 24 unless told otherwise
# A fifth of a second each: the whole process stands still meanwhile.
MAX_COUNT = 1_000_000  # iterations of PBKDF2; OpenSSL takes 2048 unless told otherwise
MAX_PRODUCT = 500_000  # of the three numbers that scrypt is told; OpenSSL's are 16384, 8 and 1
OPENSSH_MAGIC = b"openssh-key-v1\0"
INTEGER, SEQUENCE = 0x02, 0x30
MAX_NESTING = 8


def is_too_slow(block: str) -> bool:
    """Whether opening the key in a PEM block would take more work than any honest key asks for."""
    lines = block.split("\n")[1:-2]
    try:
        # Whoever loads a key of OpenSSH's passes over what is no base64; only PEM has headers.
        content = base64.b64decode("".join(lines))
        if not content.startswith(OPENSSH_MAGIC):
            content = base64.b64decode("".join(line for line in lines if ":" not in line))
    except (binascii.Error, ValueError):
        return False  # whoever loads it says what is wrong with it
    try:
        if content.startswith(OPENSSH_MAGIC):
            return _openssh_rounds(content[len(OPENSSH_MAGIC) :]) > MAX_ROUNDS
        numbers = _numbers(_first(content)) if "ENCRYPTED PRIVATE KEY" in block.split("\n", 1)[0] else []
    except (IndexError, ValueError):
        return False
    # scrypt is told three numbers before the length of its key, PBKDF2 one.
    return any(number > MAX_COUNT for number in numbers) or (len(numbers) > 2 and prod(numbers[:3]) > MAX_PRODUCT)


def _openssh_rounds(content: bytes) -> int:
    """Cipher, name and options of the function that stretches the passphrase; in the options salt and rounds."""
    _, rest = _text(content)
    name, rest = _text(rest)
    options, _ = _text(rest)
    if name != b"bcrypt":
        return 0
    _, rounds = _text(options)
    return int.from_bytes(rounds[:4])


def _text(content: bytes) -> tuple[bytes, bytes]:
    if len(content) < 4:
        raise ValueError("breaks off")
    size = 4 + int.from_bytes(content[:4])
    return content[4:size], content[size:]


def _first(content: bytes) -> bytes:
    """What the outer sequence of PKCS #8 begins with: the algorithm, apart from the locked key itself."""
    tag, inner, _ = _element(content)
    if tag != SEQUENCE:
        raise ValueError("no sequence")
    _, algorithm, _ = _element(inner)
    return algorithm


def _numbers(content: bytes, depth: int = 0) -> list[int]:
    found: list[int] = []
    while content and depth < MAX_NESTING:
        tag, inner, content = _element(content)
        if tag == INTEGER:
            found.append(int.from_bytes(inner))
        elif tag == SEQUENCE:
            found += _numbers(inner, depth + 1)
    return found


def _element(content: bytes) -> tuple[int, bytes, bytes]:
    """Tag, content and what follows of an element of DER. Raises IndexError, ValueError."""
    tag, size, start = content[0], content[1], 2
    if size & 0x80:
        count = size & 0x7F
        if not 1 <= count <= 4:
            raise ValueError("no length")
        size, start = int.from_bytes(content[2 : 2 + count]), 2 + count
    return tag, content[start : start + size], content[start + size :]

"""Uploaded bundles that are broken, that grow, or whose names lead somewhere: refused in words, memory bounded."""

import gzip
import io
import lzma
import os
import struct
import tarfile
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from craton_inv.errors import UpdateFailed
from craton_inv.providers.base import Upload
from craton_inv.providers.file import bundles
from craton_inv.providers.file.uploads import unpack
from tests.providers.test_file import tar_of, zip_of

MIB = 1024 * 1024
HOSTS = {"hosts.yml": b"all:\n  hosts:\n    web-1:\n"}


def unpacked(content: bytes, folder: Path) -> Path:
    """Unpack an upload as a source without executables does."""
    return unpack(Upload("bundle", content), folder, allow_executables=False)


def refusal(content: bytes, folder: Path) -> str:
    """Why an upload is refused."""
    with pytest.raises(UpdateFailed) as caught:
        unpacked(content, folder)
    return caught.value.message


def member(name: str, size: int = 0, **values: object) -> tarfile.TarInfo:
    """What describes a member of a tar."""
    made = tarfile.TarInfo(name)
    made.size = size
    for key, value in values.items():
        setattr(made, key, value)
    return made


def described(*members: tarfile.TarInfo, pack: Callable[[bytes], bytes] = gzip.compress) -> bytes:
    """A tar of descriptions alone, whose contents are missing."""
    return pack(b"".join(made.tobuf(tarfile.PAX_FORMAT) for made in members))


def of_folders(count: int) -> bytes:
    """A tar of so many folders and nothing else."""
    header = member("d", type=tarfile.DIRTYPE).tobuf()
    return lzma.compress(header * count, preset=0)


def encrypted() -> bytes:
    """A zip that says it needs a password."""
    content = bytearray(zip_of(HOSTS))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.index(mark) + offset
        content[at : at + 2] = struct.pack("<H", 1)
    return bytes(content)


def packed_as(method: int) -> bytes:
    """A zip of another method."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("hosts.yml", b"h" * 1000)
    return buffer.getvalue()


def lying(content: bytes) -> bytes:
    """The zip, whose file is said to be of another size than it is."""
    changed = bytearray(content)
    at = changed.index(b"PK\x01\x02") + 24
    changed[at : at + 4] = struct.pack("<I", 7)
    return bytes(changed)


@pytest.mark.parametrize("pack", [tar_of, zip_of])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_half_a_bundle_is_refused(tmp_path: Path, pack: Callable[[dict[str, bytes]], bytes], part: float) -> None:
    content = pack({"hosts.yml": os.urandom(5000)})
    assert "cannot be read" in refusal(content[: int(len(content) * part)], tmp_path)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (gzip.compress(b"all:\n"), "cannot be read"),
        (lzma.compress(b"all:\n"), "cannot be read"),
        (gzip.compress(b"\0" * 100), "cannot be read"),
        (encrypted(), "encrypted"),
        (packed_as(zipfile.ZIP_LZMA), "another method than deflate"),
        (packed_as(zipfile.ZIP_BZIP2), "another method than deflate"),
        (lying(zip_of({"hosts.yml": b"h" * 1000})), "cannot be read"),
        (described(member("h", size=2000)), "cannot be read"),
        (described(member("h", size=10**12)), "more than 536870912 bytes"),
        (described(member("h", type=tarfile.GNUTYPE_SPARSE, size=10)), "bundle"),
    ],
    ids=["gzip of a file", "xz of a file", "gzip of zeros", "encrypted", "lzma", "bzip2", "other size", "no content",
         "a terabyte", "sparse"],
)  # fmt: skip
def test_s10_a_bundle_that_is_none_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    assert told in refusal(content, tmp_path)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["a", "a/b"], "cannot be unpacked"),
        (["a/b", "a"], "cannot be unpacked"),
        (["h" * 300], "File name too long"),
        (["ä" * 200], "File name too long"),
        (["d/" * 600 + "h"], "more than 1024 characters or 32 folders"),
        (["d/" * 33 + "h"], "more than 1024 characters or 32 folders"),
        (["a\nb"], "control characters"),
        (["a\\..\\b"], "a path out of the bundle"),
        (["."], "a path out of the bundle"),
        (["./ansible.cfg"], "would change how Ansible runs"),
        (["a//inventory_plugins/x.py"], "would change how Ansible runs"),
    ],
    ids=["file as folder", "folder as file", "300 characters", "400 bytes", "deep and long", "deep", "line end",
         "backslashes", "no name", "dot cfg", "double slash"],
)  # fmt: skip
@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_s10_names_that_cannot_be_files_are_refused(
    tmp_path: Path, pack: Callable[[dict[str, bytes]], bytes], names: list[str], told: str
) -> None:
    assert told in refusal(pack(dict.fromkeys(names, b"x")), tmp_path)
    assert sorted(tmp_path.rglob("ansible.cfg")) == []


def test_s10_a_name_that_is_no_utf_8_is_refused(tmp_path: Path) -> None:
    assert "other than UTF-8" in refusal(tar_of({"caf\udce9": b"x"}), tmp_path)


def test_of_two_files_of_one_name_the_later_counts(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive.writestr("hosts.yml", "first")
        archive.writestr("hosts.yml", "second")
    assert (unpacked(buffer.getvalue(), tmp_path) / "hosts.yml").read_text() == "second"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (tar_of({"h": bytes(3 * MIB)}), "more than 2097152 bytes"),
        (zip_of({"h": bytes(3 * MIB)}), "more than 2097152 bytes"),
        (tar_of({f"h{n}": bytes(MIB) for n in range(3)}), "more than 2097152 bytes"),
        (of_folders(40), "more than 30 files and folders"),
        (zip_of({f"d{n}/": b"" for n in range(40)}), "more than 30 files and folders"),
        (
            lzma.compress(member("h", pax_headers={"comment": "x" * 2 * MIB}).tobuf(tarfile.PAX_FORMAT)),
            "describes a file by more than 1048576 bytes",
        ),
    ],
    ids=["tar", "zip", "tar of several", "tar of folders", "zip of folders", "pax header"],
)
def test_s06_a_bundle_that_grows_is_stopped(
    tmp_path: Path, content: bytes, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "MAX_SIZE", 2 * MIB)
    monkeypatch.setattr(bundles, "MAX_MEMBERS", 30)
    assert told in refusal(content, tmp_path)


def test_s06_a_large_bundle_is_written_through_and_never_held(tmp_path: Path) -> None:
    large = bytes(64 * MIB)
    for content in (tar_of({"large": large}), well_packed(large)):
        tracemalloc.start()
        unpacked(content, tmp_path)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 8 * MIB
        assert (tmp_path / "large").stat().st_size == len(large)


def well_packed(data: bytes) -> bytes:
    """A zip with a file that is packed well."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("large", data)
    return buffer.getvalue()

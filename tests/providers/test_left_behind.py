"""What a program of a source leaves in its private folder: read as a plain file or not at all, and always removed."""

import json
import os
import stat
from pathlib import Path

import pytest

from craton_inv.errors import UpdateFailed
from craton_inv.providers.ansible_inventory.document import failure_text, read_document
from craton_inv.providers.ansible_inventory.sandbox import Finished
from craton_inv.providers.base import SourceDefinition
from craton_inv.settings import Settings
from tests.providers.running import gather

ANSWER = '{"web": {"hosts": ["web-1"]}}'


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Private folders lie in the test's own."""
    (tmp_path / "private").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "private"))
    return Settings(data_dir=tmp_path / "data", file_roots=str(tmp_path), allow_executable_inventories=True)


def script(folder: Path, body: str) -> SourceDefinition:
    """A source that is a shell script."""
    path = folder / "run.sh"
    path.write_text(f"#!/bin/sh\n{body}\necho '{ANSWER}'\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return SourceDefinition(1, 1, 1, "file", source_path=str(path), verbosity=0)


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "missing"])
def test_s36_a_document_that_is_no_plain_file_is_not_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "output.json"
    (tmp_path / "of-another-source.json").write_text(ANSWER)
    if kind == "link":
        path.symlink_to(tmp_path / "of-another-source.json")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    with pytest.raises(UpdateFailed, match="wrote no document"):
        read_document(path, 10_000)


@pytest.mark.parametrize(
    "body",
    [
        f"cd $HOME; for n in 1 2 3; do mkdir -p {'d/' * 900} && cd {'d/' * 900}; done; :",
        "mkdir -p $HOME/a/b; touch $HOME/a/b/c; chmod 0 $HOME/a/b $HOME/a",
        "ln -s / $HOME/all; ln -s loop $HOME/loop; mkfifo $HOME/pipe",
    ],
    ids=["deep folders", "locked folders", "links and pipes"],
)
async def test_s36_what_a_program_leaves_is_removed(settings: Settings, tmp_path: Path, body: str) -> None:
    _, document = await gather(settings, script(tmp_path, body))
    assert document["web"]["hosts"] == ["web-1"]
    assert os.listdir(tmp_path / "private") == []


def test_a_failure_tells_what_ansible_says_without_its_traceback() -> None:
    lines = [
        "[ERROR]: Unexpected Exception, this is probably a bug: too deep",
        "Traceback (most recent call last):",
        '  File "/usr/lib/ansible/cli.py", line 1, in run',
        "    run()",
        "  [Previous line repeated 970 more times]",
        "RecursionError: too deep",
        "<<< caused by >>>",
    ]
    told = failure_text(Finished(250, lines))
    assert told == (
        "ansible-inventory failed with exit status 250: [ERROR]: Unexpected Exception, this is probably a bug: too "
        "deep\nRecursionError: too deep\n<<< caused by >>>"
    )


def test_a_traceback_alone_is_told_by_its_last_line() -> None:
    told = failure_text(Finished(1, ["Traceback (most recent call last):", *['  File "x"'] * 50, "OSError: no"]))
    assert told == "ansible-inventory failed with exit status 1: OSError: no"


def test_the_document_is_read_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "output.json").write_text(ANSWER)
    assert read_document(tmp_path / "output.json", 10_000) == json.loads(ANSWER)

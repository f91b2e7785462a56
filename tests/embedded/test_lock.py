"""One owner per directory, and who that is."""

import fcntl
import json
import os
from pathlib import Path

import pytest

from craton_inv.embedded import lock
from craton_inv.embedded.lock import DirectoryInUse, DirectoryLock, is_running, process_start, read_note


def test_a_held_lock_names_its_holder(tmp_path: Path) -> None:
    held, second = DirectoryLock(tmp_path / "x.lock"), DirectoryLock(tmp_path / "x.lock")
    held.acquire()
    with pytest.raises(DirectoryInUse) as refusal:
        second.acquire()
    assert refusal.value.holder["pid"] == str(os.getpid())
    assert str(tmp_path) in refusal.value.message
    held.release()
    second.acquire()
    second.release()


def test_a_released_lock_leaves_no_note(tmp_path: Path) -> None:
    held = DirectoryLock(tmp_path / "x.lock")
    held.acquire()
    held.note(url="somewhere")
    assert read_note(held.path)["url"] == "somewhere"
    held.release()
    assert read_note(held.path) == {}


def test_a_reused_pid_is_not_taken_for_the_holder() -> None:
    assert is_running({"pid": str(os.getpid()), "started": process_start(os.getpid())})
    assert not is_running({"pid": str(os.getpid()), "started": "1"})


def test_a_lock_kept_by_a_dead_owners_keeper_is_waited_for_and_then_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "ORPHAN_PATIENCE_S", 0.2)
    path = tmp_path / "x.lock"
    note = {"pid": "1", "command": "craton-inv up", "since": "2026-01-01T00:00:00+00:00", "started": "never"}
    path.write_text(json.dumps(note))
    with path.open("r+") as keeper:
        fcntl.flock(keeper, fcntl.LOCK_EX)
        with pytest.raises(DirectoryInUse, match=r"process 1 \(craton-inv up\) since 2026"):
            DirectoryLock(path).acquire()

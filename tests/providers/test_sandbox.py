"""Running other people's code: nothing of the service in reach, every limit kept, nothing left behind."""

import asyncio
import os
import stat
from pathlib import Path

import pytest

from craton_inv.errors import UpdateFailed
from craton_inv.providers.ansible_inventory import sandbox
from craton_inv.providers.base import SourceDefinition
from craton_inv.settings import Settings
from tests.providers.landlock import needs_landlock
from tests.providers.running import gather

SECRET = "CRATON_INV_SECRET_FOR_TEST"
NAP = 1_000_000 + os.getpid()  # seconds; a number by which this run's sleepers are known


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "inventories"
    folder.mkdir()
    return folder


@pytest.fixture
def settings(tmp_path: Path, root: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", file_roots=str(root), allow_executable_inventories=True)


def constructed(root: Path, expression: str) -> SourceDefinition:
    """A source whose one host has the variable `leak`, computed by Ansible."""
    (root / "1.ini").write_text("h\n")
    (root / "2.constructed.yml").write_text(
        f"plugin: ansible.builtin.constructed\nstrict: true\ncompose:\n  leak: {expression}\n"
    )
    return SourceDefinition(1, 1, 1, "file", source_path=str(root), verbosity=0)


def script(root: Path, body: str, **values: object) -> SourceDefinition:
    """A source that is a shell script."""
    path = root / "run.sh"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return SourceDefinition(1, 1, 1, "file", source_path=str(path), verbosity=0, **values)  # type: ignore[arg-type]


async def leaked(settings: Settings, definition: SourceDefinition) -> str:
    """What `leak` became, or the failure of the run."""
    try:
        _, document = await gather(settings, definition)
    except UpdateFailed as failure:
        return failure.message
    leak = document["_meta"]["hostvars"]["h"]["leak"]
    return str(leak["__ansible_unsafe"])


async def test_s36_a_lookup_that_prints_the_environment_sees_nothing_of_the_service(
    settings: Settings, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SECRET, "hidden-value")
    seen = await leaked(settings, constructed(root, "lookup('pipe', 'env')"))
    assert "INVENTORY_SOURCE_ID=1" in seen
    assert "hidden-value" not in seen
    assert "CRATON_INV" not in seen


@pytest.mark.parametrize("whose", ["self", "service", "parent"])
async def test_s36_no_environment_can_be_read_under_proc(
    settings: Settings, root: Path, monkeypatch: pytest.MonkeyPatch, whose: str
) -> None:
    monkeypatch.setenv(SECRET, "hidden-value")
    process = {"self": "self", "service": str(os.getpid()), "parent": str(os.getppid())}[whose]
    seen = await leaked(settings, constructed(root, f"lookup('file', '/proc/{process}/environ')"))
    assert "CRATON_INV" not in seen
    assert "PYTEST" not in seen


@needs_landlock
async def test_s36_files_of_the_service_are_out_of_reach(settings: Settings, root: Path, tmp_path: Path) -> None:
    key = tmp_path / "data" / "secret.key"
    key.parent.mkdir()
    key.write_text("very-secret")
    seen = await leaked(settings, constructed(root, f"lookup('pipe', 'cat {key} 2>&1 || true')"))
    assert "very-secret" not in seen
    assert "ermission denied" in seen


@needs_landlock
async def test_s36_nothing_outside_its_own_folder_can_be_written(
    settings: Settings, root: Path, tmp_path: Path
) -> None:
    await leaked(settings, constructed(root, f"lookup('pipe', 'touch {tmp_path}/here {root}/there; echo x')"))
    assert not (tmp_path / "here").exists()
    assert not (root / "there").exists()


async def test_s36_home_is_empty_and_gone_afterwards(settings: Settings, root: Path) -> None:
    seen = await leaked(settings, constructed(root, "lookup('pipe', 'echo $HOME $(ls -A $HOME | wc -l)')"))
    home, entries = seen.split()
    assert entries == "0"
    assert not Path(home).exists()  # noqa: ASYNC240 - a local folder


async def test_s36_a_script_that_sleeps_for_ever_is_stopped_with_its_children(settings: Settings, root: Path) -> None:
    definition = script(root, f"sleep {NAP}.1 & setsid sleep {NAP}.2 & sleep {NAP}.3")
    working = asyncio.create_task(gather(settings, definition))
    for _ in range(200):
        if len(sleepers()) == 3:
            break
        await asyncio.sleep(0.1)
    assert len(sleepers()) == 3
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(working, 5)
    await asyncio.sleep(0.1)
    assert sleepers() == []


def sleepers() -> list[int]:
    """Processes that this test's script started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                command = (entry / "cmdline").read_bytes().split(b"\0")
                state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
            except OSError:
                continue
            if command[0] == b"sleep" and command[1].startswith(str(NAP).encode()) and state != "Z":
                found.append(int(entry.name))
    return found


async def test_s36_endless_output_ends_the_run(settings: Settings, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "MAX_OUTPUT", 1_000_000)
    limits = sandbox.Limits(2**32, 2**20, (root,), root)
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(root)}
    with pytest.raises(UpdateFailed, match="printed more than 1000000 bytes"):
        await sandbox.run(["/usr/bin/yes"], root, environment, limits, lambda line: None)


async def test_s36_a_program_that_takes_too_much_memory_fails(settings: Settings, root: Path) -> None:
    (root / "h.ini").write_text("h\n")
    tight = settings.model_copy(update={"inventory_memory_limit": 40 * 1024 * 1024})
    with pytest.raises(UpdateFailed, match="ansible-inventory"):
        await gather(tight, SourceDefinition(1, 1, 1, "file", source_path=str(root / "h.ini"), verbosity=0))


async def test_s36_a_document_larger_than_allowed_is_never_written(settings: Settings, root: Path) -> None:
    (root / "h.ini").write_text("host[00001:20000]\n")
    tight = settings.model_copy(update={"inventory_output_limit": 10_000})
    with pytest.raises(UpdateFailed):
        await gather(tight, SourceDefinition(1, 1, 1, "file", source_path=str(root / "h.ini"), verbosity=0))


async def test_s36_lines_are_cut_and_counted(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "MAX_LINES", 3)
    monkeypatch.setattr(sandbox, "MAX_LINE", 5)
    limits = sandbox.Limits(2**32, 2**20, (root,), root)
    said: list[str] = []
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(root)}
    ended = await sandbox.run(["/usr/bin/seq", "1000001", "1000010"], root, environment, limits, said.append)
    assert ended.status == 0
    assert said == ["10000", "10000", "10000", "7 further lines are left out."]


async def test_s36_the_number_of_processes_is_limited(settings: Settings, root: Path) -> None:
    print_limit = "import resource; print(resource.getrlimit(resource.RLIMIT_NPROC)[0])"
    with pytest.raises(UpdateFailed) as caught:
        await gather(settings, script(root, f'python3 -c "{print_limit}" >&2; exit 1'))
    told = [int(word) for word in caught.value.message.split() if word.isdecimal()]
    assert any(sandbox.PROCESSES <= number < 1_000_000 for number in told)


async def test_s36_processes_that_go_on_starting_others_outside_the_group_are_stopped(
    settings: Settings, root: Path
) -> None:
    body = f"for n in 1 2 3; do setsid sh -c 'while :; do setsid sleep {NAP}.4 & sleep 0.02; done' & done"
    with pytest.raises(UpdateFailed):
        await gather(settings, script(root, f"exec 2>/dev/null >&2; {body}; sleep 0.5; exit 1"))
    await asyncio.sleep(0.1)
    assert sleepers() == []

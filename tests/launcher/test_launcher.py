"""./craton: what it installs, when, and what it says when it cannot."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.launcher.conftest import Checkout

PutTool = Callable[[str, str], Path]


def test_it_installs_once_and_passes_arguments_on(checkout: Checkout) -> None:
    first = checkout.run("up", "--data-dir", "with space")
    assert first.stdout.startswith("ran up --data-dir with space\n"), first.stderr
    assert "installing into" in first.stderr
    calls = len(checkout.asked())
    second = checkout.run("up")
    assert (second.stdout.splitlines()[0], second.stderr) == ("ran up", "")
    assert len(checkout.asked()) == calls


def test_the_exit_status_of_the_command_is_its_own(checkout: Checkout) -> None:
    (checkout.path / "src" / "craton_inv" / "__main__.py").write_text("raise SystemExit(7)\n")
    assert checkout.run("up").returncode == 7


def test_packages_are_installed_by_hash_from_the_lock(checkout: Checkout) -> None:
    checkout.run("up")
    (install,) = [line for line in checkout.asked() if line.startswith("uv pip")]
    assert "--require-hashes" in install
    assert f"--requirements {checkout.path}/requirements.lock" in install
    assert "requirements-dev.lock" not in install


def test_the_tests_get_the_development_packages_too(checkout: Checkout) -> None:
    checkout.run("up")
    checkout.run("test")
    assert f"--requirements {checkout.path}/requirements-dev.lock" in checkout.asked()[-1]
    calls = len(checkout.asked())
    checkout.run("bench")
    checkout.run("up")
    assert len(checkout.asked()) == calls


def test_a_changed_lock_is_installed(checkout: Checkout) -> None:
    checkout.run("up")
    lock = checkout.path / "requirements.lock"
    lock.write_text(lock.read_text() + "# changed\n")
    again = checkout.run("up")
    assert "up to date" in again.stderr
    assert len([line for line in checkout.asked() if line.startswith("uv pip")]) == 2
    assert len([line for line in checkout.asked() if line.startswith("uv venv")]) == 1


def installs(checkout: Checkout) -> list[str]:
    """Every installation that uv was asked for."""
    return [line for line in checkout.asked() if line.startswith("uv pip")]


def test_further_packages_are_installed_when_asked_for_and_stay(checkout: Checkout) -> None:
    assert checkout.run("up", CRATON_INV_EXTRAS="aws").stdout.startswith("ran up\n")
    (install,) = installs(checkout)
    assert f"--requirements {checkout.path}/requirements-aws.lock" in install
    assert "requirements-openstack.lock" not in install
    for arguments in ({}, {"CRATON_INV_EXTRAS": "aws"}):
        assert checkout.run("up", **arguments).returncode == 0
    assert len(installs(checkout)) == 1
    lock = checkout.path / "requirements.lock"
    lock.write_text(lock.read_text() + "# changed\n")
    checkout.run("up")
    assert f"--requirements {checkout.path}/requirements-aws.lock" in installs(checkout)[1]


def test_further_packages_come_to_those_that_are_there(checkout: Checkout) -> None:
    checkout.run("up")
    checkout.run("up", CRATON_INV_EXTRAS="aws")
    checkout.run("up", CRATON_INV_EXTRAS="openstack, aws")
    third = installs(checkout)[2]
    assert "requirements-aws.lock" in third
    assert "requirements-openstack.lock" in third
    checkout.run("up")
    checkout.run("up", CRATON_INV_EXTRAS="openstack")
    assert len(installs(checkout)) == 3


def test_a_changed_lock_of_further_packages_is_installed_where_they_are(checkout: Checkout) -> None:
    checkout.run("up", CRATON_INV_EXTRAS="openstack")
    for name, count in (("aws", 1), ("openstack", 2)):
        lock = checkout.path / f"requirements-{name}.lock"
        lock.write_text(lock.read_text() + "# changed\n")
        checkout.run("up")
        assert len(installs(checkout)) == count, name


def test_unknown_further_packages_are_refused_with_the_known_ones(checkout: Checkout) -> None:
    for wrong in ("aws gcp", "dev", "../aws"):
        done = checkout.run("up", CRATON_INV_EXTRAS=wrong)
        assert (done.returncode, done.stdout) == (1, ""), wrong
        word = wrong.split()[-1]
        assert done.stderr == f"craton: CRATON_INV_EXTRAS={wrong}: there is no {word}; known are: aws openstack\n"
    assert not (checkout.path / ".venv").exists()


def test_who_waits_for_an_installation_keeps_what_it_brought(checkout: Checkout) -> None:
    asking = {**checkout.env, "UV_SLEEP": "1"}
    first = subprocess.Popen(checkout.command("up"), env={**asking, "CRATON_INV_EXTRAS": "aws"}, stdout=subprocess.PIPE)
    while not installs(checkout):
        time.sleep(0.02)
    assert checkout.run("up").returncode == 0
    first.communicate(timeout=60)
    assert len(installs(checkout)) == 1


def test_it_works_from_elsewhere_and_through_a_link(checkout: Checkout, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(checkout.path / "craton")
    done = subprocess.run([link, "up"], env=checkout.env, cwd="/", capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["ran up", f"from {checkout.path}/src/craton_inv/__init__.py"], done.stderr


def test_a_module_of_the_current_directory_does_not_stand_in(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "craton_inv.py").write_text("raise SystemExit('the wrong one')\n")
    assert checkout.run("up", cwd=tmp_path).returncode == 0


def test_the_installed_command_is_the_same(checkout: Checkout) -> None:
    checkout.run("up")
    command = [checkout.path / ".venv/bin/craton-inv", "x"]
    done = subprocess.run(command, env=checkout.env, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[0] == "ran x"


def test_another_directory_can_be_named(checkout: Checkout, tmp_path: Path) -> None:
    assert checkout.run("up", cwd=tmp_path, CRATON_INV_VENV="else where").returncode == 0
    assert (tmp_path / "else where" / "bin" / "python").exists()
    assert not (checkout.path / ".venv").exists()


def test_a_failed_installation_leaves_nothing_half_made(checkout: Checkout) -> None:
    failed = checkout.run("up", UV_STATUS="2")
    assert failed.returncode == 1
    assert "could not be installed" in failed.stderr
    assert [path.name for path in (checkout.path / ".venv").iterdir()] == [".craton-lock"]
    assert checkout.run("up").returncode == 0


def test_a_killed_installation_is_begun_again(checkout: Checkout) -> None:
    started = subprocess.Popen(
        checkout.command("up"),
        env={**checkout.env, "UV_SLEEP": "30"},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while not any(line.startswith("uv pip") for line in checkout.asked()):
        time.sleep(0.02)
    os.killpg(started.pid, signal.SIGKILL)
    started.wait()
    again = checkout.run("up")
    assert again.stdout.startswith("ran up"), again.stderr
    assert "installing into" in again.stderr


def test_of_two_at_once_one_installs(checkout: Checkout) -> None:
    env = {**checkout.env, "UV_SLEEP": "1"}
    both = [
        subprocess.Popen(checkout.command("up"), env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [one.communicate(timeout=60) for one in both]
    assert [out.splitlines()[0] for out, _ in said] == ["ran up", "ran up"]
    assert len([line for line in checkout.asked() if line.startswith("uv pip")]) == 1
    assert any("another ./craton is installing" in err for _, err in said)


def test_without_flock_one_of_two_installs(checkout: Checkout) -> None:
    for program in ("sh", "cat", "cksum", "dirname", "env", "grep", "id", "mkdir", "rm", "sleep", "sort", "chmod"):
        (checkout.tools / program).symlink_to(f"/bin/{program}")
    (checkout.tools / "readlink").symlink_to("/bin/readlink")
    env = {**checkout.env, "PATH": str(checkout.tools), "UV_SLEEP": "1"}
    both = [subprocess.Popen(checkout.command("up"), env=env, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [one.wait(timeout=60) for one in both] == [0, 0]
    assert len([line for line in checkout.asked() if line.startswith("uv pip")]) == 1
    assert not list((checkout.path / ".venv").glob(".craton-lock*"))


def test_no_python_is_said_with_the_way_out(checkout: Checkout) -> None:
    for program in ("sh", "cat", "cksum", "dirname", "id", "mkdir", "rm", "flock"):
        (checkout.tools / program).symlink_to(f"/usr/bin/{program}")
    (checkout.tools / "python3").unlink()
    done = checkout.run("up", PATH=str(checkout.tools))
    assert done.returncode == 1
    assert "apt-get install python3 python3-venv" in done.stderr


def test_an_old_python_is_said_with_the_way_out(checkout: Checkout, tool: PutTool) -> None:
    for name in ("python3", "python3.14", "python3.13", "python3.12", "python3.11"):
        tool(name, 'if [ "$1" = --version ]; then echo "Python 3.9.2"; else exit 1; fi')
    done = checkout.run("up")
    assert done.returncode == 1
    assert "Python 3.9.2 is too old; craton-inv needs Python 3.11 or later" in done.stderr
    assert "CRATON_INV_PYTHON" in done.stderr


def test_a_missing_venv_module_is_said_with_the_way_out(checkout: Checkout, tool: PutTool) -> None:
    (checkout.tools / "uv").unlink()
    tool("python3", 'case "$2" in *ensurepip*) exit 1 ;; esac; exit 0')
    done = checkout.run("up", PATH=f"{checkout.tools}:/usr/bin:/bin", CRATON_INV_PYTHON=str(checkout.tools / "python3"))
    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr


def test_an_installation_that_cannot_be_written_is_said(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = checkout.run("up", CRATON_INV_VENV=str(tmp_path / "file" / "venv"))
    assert done.returncode == 1
    assert "cannot be written by" in done.stderr
    assert "CRATON_INV_VENV" in done.stderr


def test_a_home_that_cannot_be_written_costs_only_the_cache(checkout: Checkout) -> None:
    done = checkout.run("up", HOME="/proc/nowhere")
    assert done.stdout.startswith("ran up"), done.stderr
    assert "cannot be written; packages are fetched without a cache" in done.stderr
    assert "UV_NO_CACHE=1" in (checkout.log.parent / "uv.log.env").read_text()


def test_what_pip_is_told_uv_is_told(checkout: Checkout) -> None:
    mirror = {"PIP_INDEX_URL": "http://mirror.invalid/simple", "PIP_FIND_LINKS": "/one /two", "PIP_CERT": "/ca.pem"}
    checkout.run("up", **mirror)
    told = (checkout.log.parent / "uv.log.env").read_text().splitlines()
    assert "UV_DEFAULT_INDEX=http://mirror.invalid/simple" in told
    assert "UV_FIND_LINKS=/one,/two" in told
    assert "SSL_CERT_FILE=/ca.pem" in told


def test_what_uv_is_told_already_stays(checkout: Checkout) -> None:
    checkout.run("up", PIP_INDEX_URL="http://pip.invalid/simple", UV_DEFAULT_INDEX="http://uv.invalid/simple")
    assert "UV_DEFAULT_INDEX=http://uv.invalid/simple" in (checkout.log.parent / "uv.log.env").read_text()

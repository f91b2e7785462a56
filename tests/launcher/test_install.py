"""A fresh copy of the checkout installs and serves, for root and for an ordinary user."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.embedded.conftest import ends
from tests.launcher.conftest import LOCKS, REPOSITORY

pytestmark = pytest.mark.full

ROOT = os.geteuid() == 0
PARTS = ["craton", "pyproject.toml", "README.md", "alembic.ini", *LOCKS]
FOLDERS = ["src", "migrations", "examples"]
# Where packages come from is the machine's business; everything else of our environment stays out.
KEPT = ("PIP_", "UV_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_")


class Fresh:
    """A checkout and a home of their own, used by `user`."""

    def __init__(self, base: Path, user: str | None) -> None:
        self.base, self.user = base, user
        self.path = base / "a checkout"
        self.path.mkdir()
        for name in PARTS:
            shutil.copy2(REPOSITORY / name, self.path / name)
        for name in FOLDERS:
            shutil.copytree(REPOSITORY / name, self.path / name, ignore=shutil.ignore_patterns("__pycache__"))
        home = base / "home"
        home.mkdir()
        self.env = {name: value for name, value in os.environ.items() if name.startswith(KEPT)}
        self.env |= {"HOME": str(home), "PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
        self.env |= {"UV_CACHE_DIR": str(base / "cache"), "PIP_NO_CACHE_DIR": "1"}
        mine = Path.home() / ".config" / "pip" / "pip.conf"
        if mine.is_file():
            shutil.copy(mine, base / "pip.conf")
            self.env.setdefault("PIP_CONFIG_FILE", str(base / "pip.conf"))
        if user is not None:
            entry = pwd.getpwnam(user)
            for folder, _, files in os.walk(base):
                for path in [folder, *(os.path.join(folder, name) for name in files)]:
                    os.chown(path, entry.pw_uid, entry.pw_gid, follow_symlinks=False)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.path / "craton"), *arguments],
            env=self.env,
            cwd=self.base,
            user=self.user,
            group=pwd.getpwnam(self.user).pw_gid if self.user else None,
            extra_groups=[] if self.user else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> str:
        process = self.start(*arguments)
        said, complaints = process.communicate(timeout=400)
        assert process.returncode == 0, complaints
        return said


@pytest.fixture(params=["root", "user"] if ROOT else ["user"])
def fresh(request: pytest.FixtureRequest) -> Iterator[Fresh]:
    """For root: as itself, and as `nobody`; for anybody else: as itself."""
    base = Path(tempfile.mkdtemp(prefix="craton-test-"))
    base.chmod(0o755)
    yield Fresh(base, "nobody" if ROOT and request.param == "user" else None)
    shutil.rmtree(base)


def test_a_fresh_checkout_installs_and_serves(fresh: Fresh) -> None:
    begun = time.monotonic()
    assert fresh.run("--version").startswith("craton-inv ")
    installed = time.monotonic()
    assert installed - begun < 150
    service = fresh.start("up", "--port", "0")
    assert service.stdout
    assert service.stdout.readline().startswith("Administrator made. Its token")
    assert service.stdout.readline().startswith("craton-inv serves on http://127.0.0.1:")
    assert time.monotonic() - installed < 30
    data = Path(fresh.env["HOME"]) / ".local" / "share" / "craton-inv"
    server = int((next(data.glob("pg*")) / "postmaster.pid").read_text().splitlines()[0])
    service.terminate()
    service.communicate(timeout=30)
    assert service.returncode == 0
    assert ends(server)


def test_pip_alone_is_enough(fresh: Fresh) -> None:
    """No uv on PATH: the launcher makes the environment with Python's venv module."""
    fresh.env["PATH"] = "/usr/bin:/bin"
    assert shutil.which("uv", path=fresh.env["PATH"]) is None, "this machine has a uv among the system's programs"
    assert fresh.run("--version").startswith("craton-inv ")
    assert (fresh.path / ".venv" / "bin" / "uv").exists()


def test_the_tools_of_the_tests_are_installed(fresh: Fresh) -> None:
    assert "--full" in fresh.run("test", "--help")
    for tool in ("ruff", "mypy", "pytest", "lint-imports"):
        assert (fresh.path / ".venv" / "bin" / tool).exists(), tool


@pytest.mark.parametrize(("extra", "module"), [("aws", "aiobotocore"), ("openstack", "openstack")])
def test_the_packages_of_an_extra_come_to_a_fresh_checkout(fresh: Fresh, extra: str, module: str) -> None:
    fresh.env["CRATON_INV_EXTRAS"] = extra
    assert fresh.run("--version").startswith("craton-inv ")
    assert list((fresh.path / ".venv").glob(f"lib/python*/site-packages/{module}/__init__.py"))


def test_the_wheel_carries_what_the_command_needs(tmp_path: Path) -> None:
    """Built and unpacked; migrations and examples lie inside the package."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(build, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("craton_inv-*.whl")
    shutil.unpack_archive(wheel, tmp_path / "out", "zip")
    script = "import craton_inv.db.migrate as m, craton_inv.settings as s; print(m.head_revision(), s.examples_dir())"
    found = subprocess.run(
        [sys.executable, "-P", "-c", script],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "out")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout.split()[1] == str(tmp_path / "out" / "craton_inv" / "_examples"), found.stderr

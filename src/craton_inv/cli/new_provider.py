"""Writing a new provider from the template: which files there are, where they go, and what may be called so.

The texts lie beside this module in provider_template/, where @kind@, @dashed@ and @Class@ stand for the name.
"""

import keyword
import re
from collections.abc import Collection, Mapping
from pathlib import Path

from craton_inv.errors import SetupError

TEMPLATE = Path(__file__).parent / "provider_template"
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*\Z")
LONGEST = 24  # longer ones would not fit the lines of the template
PACKAGE = ("init.py.txt", "collector.py.txt", "parser.py.txt", "sample/machines.1.json", "sample/machines.2.json")


def checked_name(name: str, kinds: Collection[str], folders: Path) -> str:
    """The name. Raises SetupError, telling why, when it cannot be a provider's or is taken.

    `kinds`: those that exist; `folders`: where the providers of the package are.
    """
    if not NAME.match(name) or len(name) > LONGEST:
        raise SetupError(
            f"{name!r} cannot be the name of a provider: it has at most {LONGEST} lower-case letters, digits and "
            "single underscores, and starts with a letter, like my_cloud."
        )
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise SetupError(f"{name!r} is a word of Python; choose another name.")
    if name in kinds:
        raise SetupError(f"There is a provider {name!r} already. `craton-inv provider list` shows them all.")
    if (folders / name).exists() or (folders / f"{name}.py").exists():
        raise SetupError(f"{name!r} is the name of a part of the providers' package; choose another name.")
    return name


def in_checkout(name: str, root: Path) -> dict[Path, str]:
    """The files of a provider that becomes part of the checkout `root`, by where they go."""
    package = _package(name, root / "src" / "craton_inv" / "providers" / name)
    return {**package, root / "tests" / "providers" / f"test_{name}.py": _text("test.py.txt", name)}


def standing_alone(name: str, folder: Path) -> dict[Path, str]:
    """The files of a project of its own in `folder`, found by its entry point once it is installed."""
    return {
        folder / "pyproject.toml": _text("pyproject.toml.txt", name),
        **_package(name, folder / "src" / f"craton_inv_{name}"),
        folder / "tests" / f"test_{name}.py": _text("test.py.txt", name),
    }


def write(files: Mapping[Path, str]) -> None:
    """Write all files, or none: nothing that is there is written over. Raises SetupError."""
    for path in files:
        if path.exists():
            raise SetupError(f"{path} is there already; nothing was written.")
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SetupError(f"{error.filename} cannot be written: {error.strerror}.") from error


def _package(name: str, folder: Path) -> dict[Path, str]:
    targets = {"init.py.txt": "__init__.py", "collector.py.txt": "collector.py", "parser.py.txt": "parser.py"}
    return {folder / targets.get(each, each): _text(each, name) for each in PACKAGE}


def _text(template: str, name: str) -> str:
    text = (TEMPLATE / template).read_text(encoding="utf-8")
    words = {"@kind@": name, "@dashed@": name.replace("_", "-"), "@Class@": name.title().replace("_", "")}
    for mark, word in words.items():
        text = text.replace(mark, word)
    return text

"""Templates of custom credential types: a small, bounded part of Jinja in its sandbox, with nothing undefined.

Output, conditions and a few filters; no loops, calls, macros or arithmetic, so that rendering ends soon and stays
small.
"""

import base64
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from craton_inv.errors import UpdateFailed

MAX_TEMPLATE = 65536
TOWER = "tower"
FILTERS = frozenset({"b64encode", "default", "d", "lower", "string", "tojson", "trim", "upper", "urlencode"})
_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.If, nodes.CondExpr, nodes.Not,
    nodes.And, nodes.Or, nodes.Compare, nodes.Operand, nodes.Filter, nodes.Getattr, nodes.Test,
)  # fmt: skip
_TESTS = frozenset({"defined", "undefined", "none", "string", "boolean", "true", "false"})


def _b64encode(value: object) -> str:
    return base64.b64encode(str(value).encode()).decode()


_environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
_environment.globals.clear()
_environment.filters = {name: _environment.filters.get(name, _b64encode) for name in sorted(FILTERS)}


class Files:
    """`tower.filename`: the path of the one file, or of several by their labels as attributes."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = dict(names)

    def __getattr__(self, label: str) -> str:
        names = self.__dict__.get("_names", {})
        if label not in names:
            raise AttributeError(label)
        return str(names[label])

    def __str__(self) -> str:
        return self._names.get("", "")


def template_fault(text: str, known: frozenset[str], labels: frozenset[str]) -> str:
    """Why `text` is no template; "" when it is. `known`: the inputs; `labels`: of the files it may name."""
    if len(text) > MAX_TEMPLATE:
        return f"a template has at most {MAX_TEMPLATE} characters"
    try:
        tree = _environment.parse(text)
    except TemplateError as error:
        return f"no Jinja template: {error}"
    except RecursionError:
        return "the template is nested too deeply"
    found = (_node_fault(node, known, labels) for node in _walk(tree))
    return next((fault for fault in found if fault), "")


def _walk(tree: nodes.Node) -> list[nodes.Node]:
    """All nodes, without recursion."""
    found, waiting = [], [tree]
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting.extend(node.iter_child_nodes())
    return found


def _node_fault(node: nodes.Node, known: frozenset[str], labels: frozenset[str]) -> str:
    if not isinstance(node, _ALLOWED):
        return f"{type(node).__name__.lower()} is not allowed in these templates"
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        return f"the filter {node.name!r} is not allowed; known: {', '.join(sorted(FILTERS))}"
    if isinstance(node, nodes.Test) and node.name not in _TESTS:
        return f"the test {node.name!r} is not allowed"
    if isinstance(node, nodes.Name) and node.name not in known and node.name != TOWER:
        return f"{node.name!r} is undefined; the inputs are: {', '.join(sorted(known)) or 'none'}"
    if isinstance(node, nodes.Getattr):
        return _path_fault(node, labels)
    return ""


def _path_fault(node: nodes.Getattr, labels: frozenset[str]) -> str:
    """`tower.filename` and `tower.filename.<label>` are all the attributes there are."""
    match node.node, node.attr:
        case nodes.Name(name="tower"), "filename":
            return "" if labels else "tower.filename is undefined: the type has no file template"
        case nodes.Getattr(node=nodes.Name(name="tower"), attr="filename"), label:
            return "" if label in labels else f"tower.filename.{label} is undefined: no file has that label"
    return f"{node.attr!r} is undefined; attributes are tower.filename and its labels"


def render(text: str, values: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """The template with these inputs and file names. Raises UpdateFailed, which tells nothing of the values."""
    try:
        return _compiled(text).render({**values, TOWER: {"filename": Files(names)}})
    except (TemplateError, TypeError, ValueError) as error:
        raise UpdateFailed(
            f"A template of the credential's type could not be rendered ({type(error).__name__})."
        ) from None


@lru_cache(maxsize=256)
def _compiled(text: str) -> Template:
    return _environment.from_string(text)

"""What a custom credential type may say: its inputs and injectors, checked with each fault by its place."""

from collections.abc import Mapping
from typing import Any

from craton_inv.ansible.json_guard import text_fault
from craton_inv.errors import InvalidField
from craton_inv.providers.credentials.definitions import SSH_PRIVATE_KEY
from craton_inv.providers.credentials.templates import TOWER, template_fault

MAX_FIELDS = 64
MAX_TEXT = 1024
KINDS = ("cloud", "net")
FORMATS = (SSH_PRIVATE_KEY, "url")
# What an input may say: its Python type, by AWX's name of it.
_FIELD = {
    "id": str, "label": str, "type": str, "secret": bool, "multiline": bool, "format": str, "choices": list,
    "default": (str, bool), "help_text": str,
}  # fmt: skip
# Words of Jinja that no input can be called by.
_RESERVED = frozenset({TOWER, "true", "false", "none", "True", "False", "None", "and", "or", "not", "if", "else", "in",
                       "is"})  # fmt: skip
# Names that a program of a source must not get from a credential: AWX's, and those by which other code would run.
REFUSED_NAMES = frozenset({
    "HOME", "USER", "_", "TERM", "PATH", "TMPDIR", "SHELL", "IFS", "ENV", "BASH_ENV", "LANG", "LC_ALL", "VIRTUAL_ENV",
    "TZ", "HOSTNAME", "MAX_EVENT_RES", "CALLBACK_CONNECTION", "JOB_ID",
})  # fmt: skip
REFUSED_PREFIXES = ("LD_", "PYTHON", "ANSIBLE_", "CRATON_INV_", "INVENTORY_", "GCONV_", "BASH_FUNC_", "AWX_")


def check_custom(inputs: Any, injectors: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Inputs and injectors as they are kept. Raises InvalidField for `inputs` or `injectors`, naming the place."""
    fields = _inputs(inputs)
    return fields, _injectors(injectors, frozenset(each["id"] for each in fields["fields"]))


def _refuse(field: str, sentence: str) -> InvalidField:
    return InvalidField(field, sentence)


def _object(value: Any, field: str, known: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _refuse(field, "Expected an object.")
    for key in value:
        if key not in known:
            raise _refuse(field, f"Additional properties are not allowed ('{str(key)[:80]}' was unexpected)")
    return value


def _inputs(value: Any) -> dict[str, Any]:
    given = _object(value, "inputs", ("fields", "required"))
    listed = given.get("fields", [])
    if not isinstance(listed, list) or len(listed) > MAX_FIELDS:
        raise _refuse("inputs", f"fields: a list of at most {MAX_FIELDS} inputs.")
    fields: dict[str, dict[str, Any]] = {}
    for number, each in enumerate(listed):
        one = _field(each, f"fields.{number}")
        if one["id"] in fields:
            raise _refuse("inputs", f"fields.{number}: {one['id']!r} is there twice.")
        fields[one["id"]] = one
    required = given.get("required", [])
    if not isinstance(required, list) or not all(isinstance(name, str) and name in fields for name in required):
        raise _refuse("inputs", "required: a list of ids of the fields.")
    kept: dict[str, Any] = {"fields": list(fields.values())}
    return {**kept, "required": list(dict.fromkeys(required))} if required else kept


def _field(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _refuse("inputs", f"{place}: expected an object.")
    for name in ("id", "label"):
        if not isinstance(value.get(name), str) or not value[name]:
            raise _refuse("inputs", f"{place}: '{name}' is a required property")
    if "ask_at_runtime" in value:
        raise _refuse("inputs", "'ask_at_runtime' is not supported for custom credentials.")
    for name, part in value.items():
        if name not in _FIELD:
            raise _refuse(
                "inputs", f"{place}: additional properties are not allowed ('{str(name)[:80]}' was unexpected)"
            )
        if not isinstance(part, _FIELD[name]):  # type: ignore[arg-type]
            raise _refuse("inputs", f"{place}: {name} has the wrong type.")
        if isinstance(part, str) and (len(part) > MAX_TEXT or text_fault(part)):
            raise _refuse("inputs", f"{place}: {name} is longer than {MAX_TEXT} characters or cannot be stored.")
    one = {"type": "string", **value}
    _check_field(one, place)
    return one


def _check_field(one: dict[str, Any], place: str) -> None:
    name, boolean = one["id"], one["type"] == "boolean"
    if not name.isidentifier() or not name.isascii() or name in _RESERVED:
        raise _refuse("inputs", f"{place}: {name[:80]!r} is an invalid variable name.")
    if one["type"] not in ("string", "boolean"):
        raise _refuse("inputs", f"{place}: type is string or boolean.")
    if boolean and any(one.get(key) for key in ("secret", "multiline", "format", "choices")):
        raise _refuse("inputs", f"{place}: a boolean has no secret, multiline, format or choices.")
    if "format" in one and one["format"] not in FORMATS:
        raise _refuse("inputs", f"{place}: format is one of {', '.join(FORMATS)}.")
    choices = one.get("choices", [])
    if not all(isinstance(choice, str) and len(choice) <= MAX_TEXT for choice in choices) or len(choices) > MAX_FIELDS:
        raise _refuse("inputs", f"{place}: choices is a list of at most {MAX_FIELDS} texts.")
    if "default" in one and (isinstance(one["default"], bool) != boolean or one.get("secret")):
        raise _refuse("inputs", f"{place}: a default has the type of its input, and a secret has none.")


def _injectors(value: Any, known: frozenset[str]) -> dict[str, Any]:
    given = _object(value, "injectors", ("file", "env", "extra_vars"))
    kept: dict[str, Any] = {}
    for name, templates in given.items():
        if not isinstance(templates, dict) or len(templates) > MAX_FIELDS:
            raise _refuse("injectors", f"{name}: an object of at most {MAX_FIELDS} templates.")
        if templates:
            kept[name] = dict(templates)
    labels = _labels(kept.get("file", {}))
    for variable in kept.get("env", {}):
        _check_variable(variable)
    for variable in kept.get("extra_vars", {}):
        if not variable.isidentifier() or not variable.isascii():
            raise _refuse("injectors", f"extra_vars: {variable[:80]!r} is an invalid variable name.")
    for name, templates in kept.items():
        for key, text in templates.items():
            fault = "not a text" if not isinstance(text, str) else text_fault(text)
            fault = fault or template_fault(text, known, frozenset() if name == "file" else labels)
            if fault:
                raise _refuse("injectors", f"{name}.{key[:80]}: {fault}.")
    return kept


def _labels(files: Mapping[str, Any]) -> frozenset[str]:
    """How `tower.filename` names the files: "" for a lone `template`, else by `template.<label>`."""
    labels = set()
    for key in files:
        head, dot, label = key.partition(".")
        if head != "template" or (dot and not (label.isidentifier() and label.isascii() and not label.startswith("_"))):
            raise _refuse("injectors", f"file: {key[:80]!r} is neither template nor template.<name>.")
        labels.add(label)
    if "" in labels and len(labels) > 1:
        raise _refuse("injectors", "file: must use multi-file syntax when using multiple files.")
    return frozenset(labels)


def _check_variable(name: str) -> None:
    if not name.isidentifier() or not name.isascii():
        raise _refuse("injectors", f"env: {name[:80]!r} is no name of an environment variable.")
    if name in REFUSED_NAMES or name.startswith(REFUSED_PREFIXES):
        raise _refuse("injectors", f"env: Environment variable {name} is not allowed to be used in credentials.")

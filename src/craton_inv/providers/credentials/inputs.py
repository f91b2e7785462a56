"""What a credential's inputs may say, by the fields of its type. No complaint repeats a value: it may be a secret."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from craton_inv.ansible.json_guard import text_fault
from craton_inv.errors import BadRequest
from craton_inv.providers.credentials.definitions import SSH_PRIVATE_KEY, CredentialTypeDefinition, InputField
from craton_inv.providers.credentials.private_keys import PrivateKeyFault, read_private_key

ENCRYPTED = "$encrypted$"
UNLOCK = "ssh_key_unlock"
MAX_INPUT = 65536


class InvalidInputs(BadRequest):
    """Inputs that do not fit their type. `nested`: complaints by input."""

    code = "credential.inputs"

    def __init__(self, nested: Mapping[str, list[str]]) -> None:
        self.nested = {name: list(texts) for name, texts in nested.items()}
        texts = [f"{name}: {text}" for name, each in self.nested.items() for text in each]
        super().__init__(" ".join(texts), fields={"inputs": texts})


@dataclass(frozen=True)
class CheckedInputs:
    """Inputs that fit. `secrets` are to be sealed; nothing of them shows in a repr."""

    plain: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict, repr=False)


def kept_names(given: Mapping[str, Any], definition: CredentialTypeDefinition) -> frozenset[str]:
    """The secret inputs for which `$encrypted$` was given: the stored value stays."""
    return frozenset(name for name in definition.secret_ids() if given.get(name) == ENCRYPTED)


def check_inputs(
    definition: CredentialTypeDefinition, given: Mapping[str, Any], stored: Mapping[str, str]
) -> CheckedInputs:
    """Check inputs against their type. `stored`: the secrets behind each `$encrypted$`. Raises InvalidInputs."""
    fields = definition.by_id()
    faults: dict[str, list[str]] = {}
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in fields:
            faults[str(name)[:80]] = [f"Additional properties are not allowed ('{str(name)[:80]}' was unexpected)"]
        elif value == ENCRYPTED:
            if name in stored:
                values[name] = stored[name]
            else:
                faults[name] = [f'"{ENCRYPTED}" stands for a stored secret, and there is none.']
        elif fault := _fault(fields[name], value):
            faults[name] = [fault]
        elif value != "":
            values[name] = value
    for name in definition.required:
        if name not in values and name not in faults:
            faults[name] = [f"required for {definition.name}"]
    if not faults:
        faults = _key_faults(definition, values)
    if faults:
        raise InvalidInputs(faults)
    secret = definition.secret_ids()
    return CheckedInputs(
        {name: value for name, value in values.items() if name not in secret},
        {name: value for name, value in values.items() if name in secret},
    )


def _fault(one: InputField, value: Any) -> str:
    if one.type == "boolean":
        return "" if isinstance(value, bool) else "Must be a valid boolean."
    if not isinstance(value, str):
        return "Not a valid string."
    if len(value) > MAX_INPUT and one.format != SSH_PRIVATE_KEY:
        return f"Ensure this field has no more than {MAX_INPUT} characters."
    if fault := text_fault(value):
        return f"The text {fault}."
    if not one.multiline and any(char in value for char in "\r\n"):
        return "This field takes one line."
    if one.choices and value not in ("", *one.choices):
        return f"Not a valid choice. Choices: {', '.join(one.choices)}."
    return "Not a URL with a scheme and a host." if value and one.format == "url" and not _is_url(value) else ""


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return bool(parts.scheme and parts.hostname)
    except ValueError:
        return False


def _key_faults(definition: CredentialTypeDefinition, values: dict[str, Any]) -> dict[str, list[str]]:
    """Faults of private keys; one that is well is kept with Unix line ends."""
    faults: dict[str, list[str]] = {}
    with_passphrase = UNLOCK in definition.by_id()
    keys = [one.id for one in definition.fields if one.format == SSH_PRIVATE_KEY and one.id in values]
    for name in keys:
        passphrase = str(values.get(UNLOCK, "")) if name == "ssh_key_data" else ""
        try:
            values[name] = read_private_key(values[name], passphrase, may_be_encrypted=with_passphrase).text
        except PrivateKeyFault as fault:
            about = name if fault.field == "ssh_key_data" else fault.field
            faults.setdefault(about, []).append(str(fault))
    if not keys and values.get(UNLOCK) and with_passphrase:
        faults[UNLOCK] = ["should not be set when there is no SSH key."]
    return faults

"""What a credential type is, in the form that AWX writes it in `inputs` and `injectors`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

SSH_PRIVATE_KEY = "ssh_private_key"


@dataclass(frozen=True)
class InputField:
    """One input. `type`: string or boolean; `format`: "", ssh_private_key or url. Names are AWX's."""

    id: str
    label: str
    type: str = "string"
    secret: bool = False
    multiline: bool = False
    format: str = ""
    choices: tuple[str, ...] = ()
    default: str | bool | None = None
    help_text: str = ""

    def as_json(self) -> dict[str, Any]:
        """As AWX shows it: what is not set is left out."""
        shown: dict[str, Any] = {"id": self.id, "label": self.label, "type": self.type}
        for name in ("secret", "multiline", "format", "choices", "help_text"):
            if value := getattr(self, name):
                shown[name] = list(value) if name == "choices" else value
        return shown if self.default is None else {**shown, "default": self.default}

    @property
    def empty(self) -> str | bool:
        """What stands for the input when nobody gave one."""
        return self.default if self.default is not None else (False if self.type == "boolean" else "")


@dataclass(frozen=True)
class CredentialTypeDefinition:
    """A type. `namespace`: AWX's short name of a managed one, "" of others. `injectors`: file, env, extra_vars."""

    namespace: str
    kind: str
    name: str
    fields: tuple[InputField, ...] = ()
    required: tuple[str, ...] = ()
    injectors: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def by_id(self) -> dict[str, InputField]:
        """The inputs by their names."""
        return {one.id: one for one in self.fields}

    def secret_ids(self) -> frozenset[str]:
        """The inputs that are kept sealed."""
        return frozenset(one.id for one in self.fields if one.secret)

    def inputs_as_json(self) -> dict[str, Any]:
        """`inputs` as AWX shows it."""
        shown: dict[str, Any] = {"fields": [one.as_json() for one in self.fields]}
        return {**shown, "required": list(self.required)} if self.required else shown

    def injectors_as_json(self) -> dict[str, Any]:
        """`injectors` as AWX shows it."""
        return {name: dict(templates) for name, templates in self.injectors.items()}


def definition_from(
    kind: str, name: str, inputs: Mapping[str, Any], injectors: Mapping[str, Any]
) -> CredentialTypeDefinition:
    """A custom type from what is stored of it, which was checked when it was written."""
    fields = tuple(
        InputField(**{**each, "choices": tuple(each.get("choices", ()))}) for each in inputs.get("fields", ())
    )
    return CredentialTypeDefinition("", kind, name, fields, tuple(inputs.get("required", ())), injectors)


@dataclass(frozen=True)
class ProviderCredential:
    """What a source logs in with, as its provider sees it: opened, for this run alone. No value shows in its repr.

    `kind`: the namespace of a managed type, "" of a custom one, whose `definition` comes along.
    """

    kind: str
    inputs: Mapping[str, Any] = field(repr=False)
    definition: CredentialTypeDefinition | None = field(default=None, repr=False)

    def get(self, name: str, default: Any = "") -> Any:
        """An input; `default` when it has none, or an empty one."""
        value = self.inputs.get(name)
        return default if value is None or value == "" else value

    def secrets(self) -> Iterator[str]:
        """The values that must show nowhere: all of them when the definition is not there to tell."""
        hidden = None if self.definition is None else self.definition.secret_ids()
        for name, value in self.inputs.items():
            if isinstance(value, str) and value and (hidden is None or name in hidden):
                yield value

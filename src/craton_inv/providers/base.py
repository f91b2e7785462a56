"""What a provider is: its kind, the configuration it takes, and the refresher it builds for a source."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError

from craton_inv.ansible.variables_text import parse_variables
from craton_inv.errors import InvalidField, UpdateFailed
from craton_inv.http_out import HttpOut
from craton_inv.providers.credentials.definitions import ProviderCredential
from craton_inv.providers.events import Event, ObjectRef
from craton_inv.providers.extras import Extra
from craton_inv.refresh.refresher import Progress, Refresher, no_progress
from craton_inv.refresh.target import Targets
from craton_inv.settings import Settings


class ProviderConfig(BaseModel):
    """Base of what `source_vars` may say: unknown keys are refused by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class Upload:
    """A file uploaded to a source."""

    filename: str
    content: bytes


@dataclass(frozen=True)
class SourceDefinition:
    """A source as a provider sees it: plain values, taken when the update started. Names are AWX's."""

    id: int
    inventory_id: int
    tenant_id: int
    kind: str
    update_id: int = 0
    source_path: str = ""
    source_vars: str = ""
    enabled_var: str = ""
    enabled_value: str = ""
    host_filter: str = ""
    limit: str = ""
    verbosity: int = 1
    trusted_connection_vars: bool = False
    upload: Upload | None = None
    source_project_id: int | None = None
    scm_branch: str = ""
    credentials: tuple[ProviderCredential, ...] = ()


@dataclass(frozen=True)
class ProjectFiles:
    """The files of a source's project on this worker. `revision`: their commit, "" for a plain folder."""

    path: Path
    revision: str = ""


async def no_project() -> ProjectFiles:
    """The files of a source without a project."""
    raise UpdateFailed("The source has no project.")


@dataclass(frozen=True)
class InputInventory:
    """An inventory that goes into a constructed one. Read `script` to its end, then `facts`, then the next input.

    `script`: its document as Ansible's script protocol has it, in pieces; enabled hosts alone, with AWX's variables
    about each. `facts`: names of hosts with what is known of them, as JSON text.
    """

    name: str
    script: AsyncIterator[bytes]
    facts: AsyncIterator[tuple[str, bytes]]


async def no_inputs() -> AsyncGenerator[InputInventory, None]:
    """The inputs of an inventory that is made of none."""
    return
    yield


def no_output(line: str) -> None:
    """Nobody reads along."""


@dataclass(frozen=True)
class Surroundings:
    """What a refresher may use: settings, where to say lines for the update's events, where to report progress.

    `inputs` gives the inventories that a constructed one is made of, in their order; `project` the files of the
    source's project. `remember` keeps a JSON object with the rows of the run; the next run finds it as `remembered`,
    unless the inventory was changed since. `recorded`: a folder with answers of the outside, in place of the outside.
    """

    settings: Settings
    say: Callable[[str], None] = no_output
    progress: Progress = no_progress
    command_run: Callable[[list[str], str, dict[str, str]], None] = field(default=lambda args, cwd, env: None)
    inputs: Callable[[], AsyncGenerator[InputInventory, None]] = no_inputs
    project: Callable[[], Awaitable[ProjectFiles]] = no_project
    remembered: Mapping[str, Any] = field(default_factory=dict)
    remember: Callable[[Mapping[str, Any]], None] = field(default=lambda state: None)
    door: HttpOut | None = None
    recorded: Path | None = None

    def http(self) -> HttpOut:
        """The door to the outside, as the operator set it."""
        return self.door or HttpOut.of(self.settings)


class Provider(ABC):
    """Base of providers. A subclass sets `kind` (the value of `source`) and, if it reads `source_vars`, `config`.

    allow_targeted_refresh  single objects can be refreshed; else a target means the whole source
    full_refresh_threshold  more targets than so many mean the whole source; None: as the settings say
    target_refs             association -> the sets of columns by which one of its objects may be asked for; the first
                            that a host of the database can fill is the one its refresh uses
    trusted                 its values come from people who may write inventories: templates in them are meant to run
    extra                   the extra of craton-inv without which it cannot refresh
    derived                 it can be had again at any time from what is here: the deletion guard keeps nothing of it
    """

    kind: ClassVar[str]
    config: ClassVar[type[ProviderConfig] | None] = None
    allow_targeted_refresh: ClassVar[bool] = False
    full_refresh_threshold: ClassVar[int | None] = None
    trusted: ClassVar[bool] = False
    extra: ClassVar[Extra | None] = None
    derived: ClassVar[bool] = False
    target_refs: ClassVar[Mapping[str, tuple[tuple[str, ...], ...]]] = MappingProxyType(
        {"hosts": (("name",), ("instance_id",))}
    )

    def read_config(self, source_vars: str) -> ProviderConfig | None:
        """`source_vars` as the provider's configuration. Raises InvalidField naming the key that does not fit."""
        if self.config is None:
            return None
        try:
            return self.config.model_validate(parse_variables(source_vars, "source_vars"))
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise InvalidField("source_vars", f"{key}: {first['msg']}.") from error

    def check(self, definition: SourceDefinition, settings: Settings) -> None:
        """Raise InvalidField when a source of this kind could never be refreshed."""
        self.read_config(definition.source_vars)

    def why_not_updatable(self, source_path: str, uploaded: bool) -> str:
        """Why a source of this kind cannot be updated; "" when it can."""
        return ""

    def targets_of_event(self, event: Event) -> Iterable[ObjectRef]:
        """What to refresh because of an event; by default what the event itself names.

        Raises InvalidField when the payload is not what an event of this type has.
        """
        return event.targets

    def event_key(self, event: Event) -> Any:
        """A JSON value that is equal for events which are one flood when they come often: all but id and time."""
        return event.content()

    @abstractmethod
    def refresher(self, definition: SourceDefinition, targets: Targets, around: Surroundings) -> Refresher:
        """The refresher of one update. Raises InvalidField, UpdateFailed."""

    @abstractmethod
    def sample(self, folder: Path) -> SourceDefinition:
        """A small source that needs nothing from outside, for the conformance test; files go to `folder`."""

"""Kind `ec2`: instances of Amazon EC2 with their images, types, volumes, network interfaces and VPCs, read natively.

aws  asking, page by page      collector  what is asked for      parser  what it becomes      sample/  recorded answers
`source_vars`, for instance: {"regions": ["eu-central-1"], "group_by": ["availability_zone"], "tags": ["role"]}.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from craton_inv.errors import UpdateFailed
from craton_inv.providers.base import Provider, ProviderConfig, SourceDefinition, Surroundings
from craton_inv.providers.ec2.aws import Keys, Live, Recorded, keys_of
from craton_inv.providers.ec2.collector import Ec2Collector
from craton_inv.providers.ec2.parser import Ec2Parser, Rules
from craton_inv.providers.events import Event, ObjectRef
from craton_inv.providers.extras import AWS
from craton_inv.providers.inventory_persister import InventoryPersister
from craton_inv.refresh.refresher import Refresher
from craton_inv.refresh.target import Targets

REGION = r"^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$"
NAME = r"^(instance-id|private-dns-name|public-dns-name|private-ip-address|ip-address|tag:.{1,127})$"
NEEDS_KEYS = (
    "The source has no credential for Amazon Web Services. Attach one, or let the worker's own role be used with "
    "CRATON_INV_AWS_OWN_ROLE."
)


class Ec2Config(ProviderConfig):
    """What `source_vars` may say."""

    regions: list[Annotated[str, Field(pattern=REGION)]] = Field(
        ["us-east-1"], min_length=1, max_length=50, description="Regions that are read."
    )
    filters: dict[str, str | list[str]] = Field(
        default_factory=dict, description="Filters of DescribeInstances: only instances that match are read."
    )
    hostnames: list[Annotated[str, Field(pattern=NAME)]] = Field(
        ["private-dns-name", "instance-id"],
        min_length=1,
        description="What hosts are called: the first of these that an instance has. Names have to be unique.",
    )
    address: Literal["private", "public"] = Field("private", description="Which address becomes ansible_host.")
    group_by: list[Literal["region", "availability_zone", "instance_type", "image", "vpc", "security_group"]] = Field(
        ["region"], description="A group for each of these; each in a group of its region where that is one, too."
    )
    tags: list[str] = Field(default_factory=list, description="Tags of which each value is a group, tag_<tag>_<value>.")


class Ec2Provider(Provider):
    """Reads with ec2:Describe* alone. Values of instances are not trusted: whoever may tag a machine chooses them."""

    kind = "ec2"
    config = Ec2Config
    allow_targeted_refresh = True
    extra = AWS
    target_refs: ClassVar[Mapping[str, tuple[tuple[str, ...], ...]]] = MappingProxyType(
        {"hosts": (("instance_id",),), "images": (("ref",),), "flavors": (("ref",),), "networks": (("ref",),)}
    )

    def refresher(self, definition: SourceDefinition, targets: Targets, around: Surroundings) -> Refresher:
        """Collector, parser and the collections that EC2 fills. Raises UpdateFailed without a credential."""
        config = read(self, definition)
        persister = InventoryPersister(definition.inventory_id, definition.host_filter)
        for name in ("flavors", "images", "networks", "disks", "network_ports"):
            persister.add_collection(name)
        cloud = (
            Recorded(around.recorded) if around.recorded is not None else Live(self._keys(definition, around), around)
        )
        collector = Ec2Collector(targets, cloud, config.regions, config.filters)
        rules = Rules(
            tuple(config.hostnames), config.address, tuple(config.group_by), tuple(config.tags),
            definition.enabled_var, definition.enabled_value,
        )  # fmt: skip
        return Refresher(collector, Ec2Parser(collector, persister, rules), persister, around.progress)

    def targets_of_event(self, event: Event) -> Iterable[ObjectRef]:
        """What the event names; of one of Amazon EventBridge the instance of its `detail`."""
        if event.targets:
            return event.targets
        detail = event.payload.get("detail")
        instance = detail.get("instance-id") if isinstance(detail, Mapping) else None
        return [ObjectRef("hosts", {"instance_id": instance})] if isinstance(instance, str) and instance else []

    def sample(self, folder: Path) -> SourceDefinition:
        """The recorded answers of this folder, three instances in two regions."""
        for answer in (Path(__file__).parent / "sample").glob("*.json"):
            (folder / answer.name).write_bytes(answer.read_bytes())
        wanted = '{"regions": ["eu-central-1", "us-east-1"], "tags": ["role"]}'
        return SourceDefinition(0, 0, 0, self.kind, source_vars=wanted)

    @staticmethod
    def _keys(definition: SourceDefinition, around: Surroundings) -> Keys | None:
        """The keys of the source's credential; None for the worker's own role, where that is allowed."""
        keys = keys_of(definition.credentials)
        if keys is None and not around.settings.aws_own_role:
            raise UpdateFailed(NEEDS_KEYS)
        return keys


def read(provider: Provider, definition: SourceDefinition) -> Ec2Config:
    """The configuration, defaults filled in."""
    return Ec2Config.model_validate(provider.read_config(definition.source_vars))


PROVIDER = Ec2Provider()

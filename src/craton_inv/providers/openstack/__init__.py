"""Kind `openstack`: servers and bare-metal nodes of OpenStack with what belongs to them, read natively.

guard  the way out       live    asking a real one     cloud      what can be asked, and recorded answers
parser  what it becomes  events  what notifications name  collector  what is asked for       sample/  the answers
`source_vars`, for instance: {"group_by": ["availability_zone"], "metadata": ["role"], "parts": ["volumes"]}.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Literal

from pydantic import Field

from craton_inv.errors import UpdateFailed
from craton_inv.providers.base import Provider, ProviderConfig, SourceDefinition, Surroundings
from craton_inv.providers.events import Event, ObjectRef
from craton_inv.providers.extras import OPENSTACK
from craton_inv.providers.inventory_persister import InventoryPersister
from craton_inv.providers.openstack.cloud import Cloud, Recorded, login_of
from craton_inv.providers.openstack.collector import OpenstackCollector
from craton_inv.providers.openstack.events import machines_of
from craton_inv.providers.openstack.live import Live
from craton_inv.providers.openstack.parser import OpenstackParser, Rules
from craton_inv.refresh.refresher import Refresher
from craton_inv.refresh.target import Targets

Part = Literal["networks", "volumes", "images", "flavors", "hypervisors", "baremetal"]
# What a part fills beside hosts.
COLLECTIONS: Mapping[str, tuple[str, ...]] = {
    "networks": ("networks", "network_ports"),
    "volumes": ("disks",),
    "images": ("images",),
    "flavors": ("flavors",),
    "hypervisors": ("hypervisors",),
    "baremetal": ("network_ports",),
}
NEEDS_LOGIN = "The source has no credential for OpenStack. Attach one."


class OpenstackConfig(ProviderConfig):
    """What `source_vars` may say."""

    region: str = Field("", max_length=255, description="The region that is read; the credential's when not given.")
    all_projects: bool = Field(False, description="Read servers of all projects, which an administrator may.")
    parts: list[Part] = Field(
        ["networks", "volumes", "images", "flavors"],
        description="What is read beside servers. hypervisors and baremetal need an administrator's rights.",
    )
    hostname: Literal["name", "id"] = Field("name", description="What hosts are called. Names have to be unique.")
    address: Literal["access", "floating", "fixed"] = Field(
        "access", description="Which address becomes ansible_host; another one where there is none of this kind."
    )
    group_by: list[Literal["region", "project", "availability_zone", "flavor", "image"]] = Field(
        ["region", "availability_zone"], description="A group for each of these."
    )
    metadata: list[str] = Field(
        default_factory=list, description="Keys of metadata of which each value is a group, meta_<key>_<value>."
    )


class OpenstackProvider(Provider):
    """Only reads. Values of servers are not trusted: whoever may start a machine chooses them."""

    kind = "openstack"
    config = OpenstackConfig
    allow_targeted_refresh = True
    extra = OPENSTACK
    target_refs: ClassVar[Mapping[str, tuple[tuple[str, ...], ...]]] = MappingProxyType(
        {
            "hosts": (("instance_id",),),
            "images": (("ref",),),
            "flavors": (("ref",),),
            "networks": (("ref",),),
            "hypervisors": (("ref",),),
        }
    )

    def refresher(self, definition: SourceDefinition, targets: Targets, around: Surroundings) -> Refresher:
        """Collector, parser and the collections of the parts. Raises UpdateFailed without a credential."""
        config = OpenstackConfig.model_validate(self.read_config(definition.source_vars))
        persister = InventoryPersister(definition.inventory_id, definition.host_filter)
        for name in dict.fromkeys(name for part in config.parts for name in COLLECTIONS[part]):
            persister.add_collection(name)
        login = login_of(definition.credentials)
        region = config.region or (str(login.get("region")) if login is not None else "")
        cloud: Cloud
        if around.recorded is not None:
            cloud = Recorded(around.recorded)
        elif login is not None:
            cloud = Live(login, region, around)
        else:
            raise UpdateFailed(NEEDS_LOGIN)
        collector = OpenstackCollector(targets, cloud, config.parts, config.all_projects, around.say)
        rules = Rules(
            config.hostname, config.address, region, tuple(config.group_by), tuple(config.metadata),
            definition.enabled_var, definition.enabled_value,
        )  # fmt: skip
        return Refresher(collector, OpenstackParser(collector, persister, rules), persister, around.progress)

    def targets_of_event(self, event: Event) -> Iterable[ObjectRef]:
        """What the event names; of a notification of OpenStack the machines that its payload names."""
        return event.targets or [ObjectRef("hosts", {"instance_id": machine}) for machine in machines_of(event)]

    def sample(self, folder: Path) -> SourceDefinition:
        """The recorded answers of this folder: two servers, and a node without one."""
        for answer in (Path(__file__).parent / "sample").glob("*.json"):
            (folder / answer.name).write_bytes(answer.read_bytes())
        parts = ", ".join(f'"{part}"' for part in COLLECTIONS)
        wanted = f'{{"region": "RegionOne", "metadata": ["role"], "parts": [{parts}]}}'
        return SourceDefinition(0, 0, 0, self.kind, source_vars=wanted)


PROVIDER = OpenstackProvider()

"""Hosts."""

from pydantic import BaseModel, Field

from craton_inv.schemas.names import HostName
from craton_inv.schemas.v2.envelope import Named, Page
from craton_inv.schemas.v2.fields import Flag, Id, ShortText, Text, Time, unset


class Host(Named):
    """A host. Its facts have a path of their own."""

    inventory: int
    enabled: bool
    instance_id: str
    variables: str = Field(description="JSON or YAML, as it was written.")
    has_active_failures: bool
    has_inventory_sources: bool
    last_job: int | None
    last_job_host_summary: int | None
    ansible_facts_modified: Time | None
    parent_host: int | None = Field(description="The hypervisor that it runs on.")
    flavor: int | None
    image: int | None


class HostList(Page[Host]):
    """A page of hosts."""


class HostContent(BaseModel):
    """A host without saying where: for lists below an inventory or group. "name:port" sets `ansible_ssh_port`."""

    name: HostName
    description: Text = ""
    enabled: Flag = True
    instance_id: ShortText = ""
    variables: Text = Field("", description="JSON or YAML text of a mapping.")


class HostCreate(HostContent):
    """A new host."""

    inventory: Id


class HostReplace(HostContent):
    """All of a host that is there. Its inventory cannot change and may be left out."""

    inventory: Id = unset(int)


class HostPatch(BaseModel):
    """What to change of a host. Its inventory may be named but not changed."""

    name: HostName = unset()
    inventory: Id = unset(int)
    description: Text = unset()
    enabled: Flag = unset(bool)
    instance_id: ShortText = unset()
    variables: Text = unset()

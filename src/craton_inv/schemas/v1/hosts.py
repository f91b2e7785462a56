"""Hosts, with the columns that every inventory has in some form."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field, IPvAnyAddress, StrictStr, StringConstraints
from pydantic.functional_validators import AfterValidator

from craton_inv.schemas.names import HostName
from craton_inv.schemas.v1.base import Body, Flag, Id, Link, Shown, Text, Variables, check_text

Short = Annotated[StrictStr, StringConstraints(max_length=1024), AfterValidator(check_text)]
Mac = Annotated[
    StrictStr, StringConstraints(pattern=r"^[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5,7}$", to_lower=True, max_length=23)
]


class Host(Shown):
    """A host. `inventory_id` owns it; `region_id` says where it stands."""

    tenant_id: int
    region_id: int | None
    inventory_id: int
    name: str
    description: str
    enabled: bool
    ip_address: IPvAnyAddress | None
    ip6_address: IPvAnyAddress | None
    fqdn: str | None
    mac_address: str | None
    asset_id: str | None
    os_family: str | None
    device_type: str | None
    state: str | None
    last_seen_at: datetime | None
    variables: dict[str, Any]


class HostList(BaseModel):
    """A page of hosts."""

    hosts: list[Host]
    links: list[Link]


class _Columns(Body):
    tenant_id: Id | None = Field(None, description="May be left out: it is the region's or inventory's.")
    region_id: Id | None = None
    description: Text = ""
    enabled: Flag = True
    ip_address: IPvAnyAddress | None = None
    ip6_address: IPvAnyAddress | None = None
    fqdn: Short | None = None
    mac_address: Mac | None = None
    asset_id: Short | None = None
    os_family: Short | None = None
    device_type: Short | None = Field(None, description="host, network_device, container, ...")
    state: Short | None = None
    last_seen_at: datetime | None = None
    variables: Variables = Field(default_factory=dict)


class HostCreate(_Columns):
    """What a host is made from: a name, and a region or an inventory."""

    name: HostName
    inventory_id: Id | None = None


class HostReplace(_Columns):
    """PUT: the name is required, what is left out stays. `inventory_id` may be repeated but not changed."""

    name: HostName
    inventory_id: Id = 0


class HostUpdate(HostReplace):
    """PATCH: what may change, each field by itself."""

    name: HostName = ""

"""What filters reach on each kind of row, by the specification: fields with their types, relations, documents."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Type(Enum):
    """The type of a field."""

    TEXT = "text"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    TIME = "timestamp"
    ADDRESS = "address"


@dataclass(frozen=True)
class Kind:
    """One kind of row. `relations`: name → kind of the far rows; `names`: other names of fields and relations."""

    name: str
    fields: Mapping[str, Type]
    relations: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    documents: frozenset[str] = frozenset()
    search: tuple[str, ...] = ("name", "description")
    secret: frozenset[str] = frozenset()

    def relation(self, name: str) -> str | None:
        """The name of the relation that `name`, its other name or its singular means."""
        name = self.names.get(name, name)
        if name in self.relations:
            return name
        return next((relation for relation in self.relations if singular(relation) == name), None)


def singular(name: str) -> str:
    """`groups` → `group`, `smart_inventories` → `smart_inventory`."""
    return name[:-3] + "y" if name.endswith("ies") else name.removesuffix("s")


def _described(**fields: Type) -> dict[str, Type]:
    common = {"id": Type.INTEGER, "name": Type.TEXT, "description": Type.TEXT}
    return common | {"created": Type.TIME, "modified": Type.TIME} | fields


VARIABLES = frozenset({"variables"})
_OWNED = {"tenant_id": Type.INTEGER, "inventory_id": Type.INTEGER}
_AUTHORS = {"created_by": "user", "modified_by": "user"}


def _delivered(name: str, relations: Mapping[str, str], search: tuple[str, ...] = ("name",), **fields: Type) -> Kind:
    """A kind that sources deliver beside hosts and groups."""
    common = {"id": Type.INTEGER, "name": Type.TEXT, "ref": Type.TEXT, "created": Type.TIME, "modified": Type.TIME}
    return Kind(
        name,
        common | _OWNED | {"inventory_source_id": Type.INTEGER} | fields,
        {"inventory": "inventory", "inventory_source": "source", "tenant": "tenant", **relations},
        {"organization": "tenant", "pk": "id"},
        search=search,
    )


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "host",
            _described(
                **_OWNED,
                region_id=Type.INTEGER,
                parent_host_id=Type.INTEGER,
                flavor_id=Type.INTEGER,
                image_id=Type.INTEGER,
                enabled=Type.BOOLEAN,
                instance_id=Type.TEXT,
                ip_address=Type.ADDRESS,
                fqdn=Type.TEXT,
                os_family=Type.TEXT,
                state=Type.TEXT,
                last_seen_at=Type.TIME,
                ansible_facts_modified=Type.TIME,
            ),
            {
                "inventory": "inventory",
                "tenant": "tenant",
                "region": "region",
                "groups": "group",
                "all_groups": "group",
                "inventory_sources": "source",
                "labels": "label",
                "smart_inventories": "inventory",
                "parent_host": "hypervisor",
                "flavor": "flavor",
                "image": "image",
                "disks": "disk",
                "network_ports": "network_port",
                **_AUTHORS,
            },
            {"organization": "tenant", "pk": "id"},
            VARIABLES | {"ansible_facts"},
        ),
        Kind(
            "group",
            _described(**_OWNED),
            {"inventory": "inventory", "hosts": "host", "children": "group", "parents": "group", **_AUTHORS},
            {"pk": "id"},
            VARIABLES,
        ),
        Kind(
            "inventory",
            _described(tenant_id=Type.INTEGER, kind=Type.TEXT, pending_deletion=Type.BOOLEAN),
            {
                "tenant": "tenant",
                "hosts": "host",
                "groups": "group",
                "inventory_sources": "source",
                "labels": "label",
                **_AUTHORS,
            },
            {"organization": "tenant", "organization_id": "tenant_id", "pk": "id"},
            VARIABLES,
        ),
        Kind("tenant", _described(customer=Type.TEXT), _AUTHORS, {"pk": "id"}),
        Kind("region", _described(tenant_id=Type.INTEGER), {"tenant": "tenant", **_AUTHORS}, {"pk": "id"}),
        Kind("source", _described(**_OWNED, source=Type.TEXT), {"inventory": "inventory", **_AUTHORS}, {"pk": "id"}),
        Kind(
            "label",
            {"id": Type.INTEGER, "name": Type.TEXT, "created": Type.TIME, "tenant_id": Type.INTEGER},
            {"tenant": "tenant", "hosts": "host", "inventories": "inventory", **_AUTHORS},
            {"organization": "tenant", "organization_id": "tenant_id", "pk": "id"},
            search=("name",),
        ),
        _delivered(
            "hypervisor",
            {"hosts": "host"},
            ("name", "hostname"),
            hostname=Type.TEXT,
            ip_address=Type.ADDRESS,
            memory_mb=Type.INTEGER,
        ),
        _delivered("flavor", {"hosts": "host"}, cpus=Type.INTEGER, gpus=Type.INTEGER),
        _delivered("image", {"hosts": "host"}, os_family=Type.TEXT, size=Type.INTEGER, created_on=Type.TIME),
        _delivered("network", {"network_ports": "network_port"}, mtu=Type.INTEGER, external=Type.BOOLEAN),
        _delivered(
            "disk",
            {"host": "host"},
            ("name", "device"),
            host_id=Type.INTEGER,
            device=Type.TEXT,
            size=Type.INTEGER,
            encrypted=Type.BOOLEAN,
        ),
        _delivered(
            "network_port",
            {"host": "host", "network": "network"},
            ("name", "mac_address"),
            host_id=Type.INTEGER,
            network_id=Type.INTEGER,
            mac_address=Type.TEXT,
            ip_address=Type.ADDRESS,
        ),
        Kind(
            "user",
            {
                "id": Type.INTEGER,
                "username": Type.TEXT,
                "first_name": Type.TEXT,
                "last_name": Type.TEXT,
                "email": Type.TEXT,
                "is_superuser": Type.BOOLEAN,
            },
            names={"password": "password_hash", "pk": "id"},
            search=("username", "first_name", "last_name", "email"),
            secret=frozenset({"password", "password_hash"}),
        ),
    )
}

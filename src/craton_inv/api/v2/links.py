"""Paths of objects below the mount that serves the request: /v2 links into /v2, /api/v2 into /api/v2."""

from fastapi import Request

# The first path segment of each kind of object, by AWX's type name.
PLURALS = {
    "organization": "organizations",
    "inventory": "inventories",
    "constructed_inventory": "constructed_inventories",
    "host": "hosts",
    "label": "labels",
    "credential": "credentials",
    "credential_type": "credential_types",
    "group": "groups",
    "inventory_source": "inventory_sources",
    "inventory_update": "inventory_updates",
    "hypervisor": "hypervisors",
    "flavor": "flavors",
    "image": "images",
    "network": "networks",
    "disk": "disks",
    "network_port": "network_ports",
    "resource": "resources",
    "schedule": "schedules",
    "activity_stream": "activity_stream",
    "project": "projects",
    "project_update": "project_updates",
    "user": "users",
    "token": "tokens",
}
_RESERVED = {char: f"%{ord(char):02X}" for char in ";/?:@=&[]% #"}


class Links:
    """Makes paths that start with the mount's prefix."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix.rstrip("/")

    def to(self, kind: str, row_id: int | str, *more: str) -> str:
        """`/v2/hosts/7/groups/` for ("host", 7, "groups")."""
        return "/".join((self.prefix, PLURALS[kind], str(row_id), *more, ""))

    def named(self, kind: str, *names: str) -> str:
        """AWX's named URL: `/v2/hosts/web1++Production++Acme/`."""
        return self.to(kind, "++".join(escape_name(name) for name in names))

    def below(self, kind: str, row_id: int, names: tuple[str, ...]) -> dict[str, str]:
        """Paths of the sub-resources `names` of one object, by name."""
        return {name: self.to(kind, row_id, name) for name in names}


def links_of(request: Request) -> Links:
    """Links below the mount of this request."""
    return Links(str(request.scope.get("root_path", "")))


def escape_name(name: str) -> str:
    """A name as part of a named URL: reserved characters percent-encoded, a plus written [+]."""
    return "[+]".join("".join(_RESERVED.get(char, char) for char in part) for part in name.split("+"))

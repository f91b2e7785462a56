"""A host's name as AWX takes it: "name:port" is split."""

from craton_inv.errors import InvalidField

PORT_VARIABLE = "ansible_ssh_port"


def split_port(name: str) -> tuple[str, int | None]:
    """("h", 2222) for "h:2222"; IPv6 addresses (more than one colon) stay whole. Raises InvalidField for a bad port."""
    if name.count(":") != 1:
        return name, None
    host, _, port = name.partition(":")
    if not port.isascii() or not port.isdigit() or len(port) > 5 or not 1 <= int(port) <= 65535:
        raise InvalidField("name", f"Invalid port specification: {port}")
    return host, int(port)

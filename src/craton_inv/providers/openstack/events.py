"""Notifications of OpenStack's services: which machines they are about."""

from collections.abc import Iterable, Mapping
from typing import Any

from craton_inv.providers.events import Event


def machines_of(event: Event) -> list[str]:
    """Ids of servers and nodes that a payload names, each once; none for what is about something else.

    Nova and Ironic wrap theirs (`nova_object.data`, `ironic_object.data`), older Nova says `instance_id`; a port names
    its `device_id`, a volume the servers it is attached to.
    """
    payload, kind = event.payload, event.event_type
    found: list[Any] = [payload.get("instance_id"), payload.get("instance_uuid")]
    for wrapped, prefix in (("nova_object", "instance."), ("ironic_object", "baremetal.node.")):
        data = payload.get(f"{wrapped}.data")
        if isinstance(data, Mapping) and kind.startswith(prefix):
            found.append(data.get("uuid"))
    port = payload.get("port")
    if isinstance(port, Mapping) and str(port.get("device_owner", "")).startswith("compute:"):
        found.append(port.get("device_id"))
    found += [each.get("instance_uuid") for each in _mappings(payload.get("volume_attachment"))]
    return list(dict.fromkeys(each for each in found if isinstance(each, str) and each))


def _mappings(value: Any) -> Iterable[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []

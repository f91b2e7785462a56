"""What other services once answered, for samples of kinds that read over HTTP."""

import json
from typing import Any

from craton_inv.http_out import HttpOut
from craton_inv.http_out.door import Answer

RECORDED = {
    "https://inventory.example.org/hosts.json": {
        "web": {"hosts": ["web-1", "web-2"], "vars": {"tier": "front"}},
        "all": {"children": ["web"], "vars": {"site": "east"}},
        "_meta": {"hostvars": {"web-1": {"ansible_host": "10.0.0.1"}, "web-2": {"motd": "{{ now() }}"}}},
    },
    "https://controller.example.org/api/v2/inventories/1/script/?hostvars=1&towervars=1&all=1": {
        "web": {"hosts": ["web-1", "web-2"], "children": [], "vars": {}},
        "all": {"hosts": ["lone"], "children": ["web"]},
        "_meta": {
            "hostvars": {
                "web-1": {"remote_tower_enabled": "true", "remote_tower_id": 11},
                "web-2": {"remote_tower_enabled": "false", "remote_tower_id": 12},
                "lone": {"remote_tower_enabled": "true", "remote_tower_id": 13},
            }
        },
    },
}


class RecordedDoor(HttpOut):
    """Answers as other services did once."""

    async def request(self, method: str, url: str, **options: Any) -> Answer:
        return Answer(200, {}, url, json.dumps(RECORDED[url]).encode())

"""The world that filters are measured in: any number of hosts with realistic facts, written by COPY."""

import json
import random
from collections.abc import Iterator
from typing import Any

import asyncpg
from sqlalchemy import make_url

BATCH = 2_000
INVENTORIES = 4
GROUPS = 40


def facts_of(number: int, kilobytes: int, rng: random.Random) -> dict[str, Any]:
    """Facts as the setup module gives them, filled up to `kilobytes` with what a bigger machine has more of."""
    debian = number % 10 != 0
    vcpus = (1, 2, 4, 8, 16)[number % 5]
    address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    name = host_name(number)
    facts: dict[str, Any] = {
        "ansible_all_ipv4_addresses": [address],
        "ansible_default_ipv4": {"address": address, "gateway": "10.0.0.1", "interface": "eth0", "mtu": 1500},
        "ansible_distribution": "Debian" if debian else "CentOS",
        "ansible_distribution_version": "12.5" if debian else "7.9",
        "ansible_fqdn": f"{name}.example.org",
        "ansible_hostname": name,
        "ansible_kernel": f"6.1.0-{number % 30}-amd64",
        "ansible_lo": {"device": "lo", "mtu": 65536, "ipv6": [{"address": "::1", "prefix": "128", "scope": "host"}]},
        "ansible_local": {
            "rack": {"row": number % 40, "unit": number % 42},
            "tags": ["prod", "lab"][: 1 + (number % 500 == 0)],
        },
        "ansible_machine_id": f"{rng.getrandbits(128):032x}",
        "ansible_memtotal_mb": vcpus * 2048 - number % 100,
        "ansible_os_family": "Debian" if debian else "RedHat",
        "ansible_processor_vcpus": vcpus,
    }
    left = kilobytes * 1024 - len(json.dumps(facts))
    if left < 1024:
        return facts
    facts["ansible_processor"] = [
        text
        for core in range(vcpus)
        for text in (str(core), "GenuineIntel", "Intel(R) Xeon(R) Silver 4310 CPU @ 2.10GHz")
    ]
    facts["ansible_date_time"] = {"epoch": str(1700000000 + number), "weekday_number": str(number % 7), "tz": "UTC"}
    facts["ansible_python"] = {"version": {"major": 3, "minor": 11}, "executable": "/usr/bin/python3"}
    facts["ansible_env"] = {f"VARIABLE_{n}": f"{rng.getrandbits(96):024x}" for n in range(left // 400)}
    facts["ansible_mounts"] = [_mount(n, rng) for n in range(left // 700)]
    facts["ansible_devices"] = {f"sd{chr(97 + n)}": _device(rng) for n in range(min(26, left // 800))}
    left = kilobytes * 1024 - len(json.dumps(facts))
    facts["ansible_interfaces"] = [_interface(n, number) for n in range(max(0, left) // 450)]
    return facts


def host_name(number: int) -> str:
    """host-000042."""
    return f"host-{number:06d}"


def _mount(number: int, rng: random.Random) -> dict[str, Any]:
    size = rng.randrange(10**12)
    return {
        "mount": f"/srv/data/{number}",
        "device": f"/dev/mapper/vg-data{number}",
        "fstype": "ext4",
        "options": "rw,relatime,errors=remount-ro",
        "size_total": size,
        "size_available": size // 3,
        "uuid": f"{rng.getrandbits(128):032x}",
    }


def _device(rng: random.Random) -> dict[str, Any]:
    return {
        "size": "100.00 GB",
        "model": "QEMU HARDDISK",
        "vendor": "QEMU",
        "rotational": "1",
        "serial": f"{rng.getrandbits(64):016x}",
        "links": {"ids": [f"ata-QEMU_HARDDISK_QM{rng.getrandbits(16):05d}"], "labels": [], "masters": []},
    }


def _interface(number: int, host: int) -> dict[str, Any]:
    features = (
        "rx_checksumming",
        "tx_checksumming",
        "scatter_gather",
        "tcp_segmentation_offload",
        "large_receive_offload",
    )
    return {
        "device": f"eth{number}",
        "macaddress": f"52:54:00:{host >> 8 & 255:02x}:{host & 255:02x}:{number:02x}",
        "mtu": 1500,
        "type": "ether",
        "active": True,
        "ipv4": {
            "address": f"172.16.{number}.{host & 255}",
            "netmask": "255.255.255.0",
            "network": f"172.16.{number}.0",
        },
        "features": dict.fromkeys(features, "on [fixed]"),
    }


def _hosts(numbers: range, tenant: int, inventories: list[int]) -> Iterator[tuple[Any, ...]]:
    for number in numbers:
        variables = json.dumps(
            {"role": ("web", "db", "cache")[number % 3], "port": 5000 + number % 100, "rack": number % 40}
        )
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        yield (
            number + 1, tenant, inventories[number % INVENTORIES], host_name(number), "made for a measurement",
            number % 50 != 0, address, variables, variables,
        )  # fmt: skip


async def build(url: str, hosts: int, kilobytes: int) -> float:
    """One tenant, four inventories, 40 groups in each, two or three a host. Gives the mean size of facts in bytes."""
    at = make_url(url)
    connection = await asyncpg.connect(
        user=at.username, password=at.password, database=at.database,
        host=at.query.get("host") or at.host, port=int(str(at.query.get("port") or at.port or 5432)),
    )  # fmt: skip
    try:
        return await _fill(connection, hosts, kilobytes)
    finally:
        await connection.close()


async def _fill(connection: Any, hosts: int, kilobytes: int) -> float:
    tenant = await connection.fetchval("INSERT INTO tenants (name) VALUES ('acme') RETURNING id")
    rows = await connection.fetch(
        "INSERT INTO inventories (tenant_id, name) SELECT $1, 'inventory-' || n FROM generate_series(0, $2 - 1) n"
        " RETURNING id",
        tenant,
        INVENTORIES,
    )
    inventories = sorted(row["id"] for row in rows)
    await connection.execute(
        "INSERT INTO groups (inventory_id, tenant_id, name) SELECT i.id, i.tenant_id, 'group-' || n"
        " FROM inventories i, generate_series(0, $1 - 1) n",
        GROUPS,
    )
    size = 0
    rng = random.Random(1)
    for start in range(0, hosts, BATCH):
        numbers = range(start, min(hosts, start + BATCH))
        await connection.copy_records_to_table(
            "hosts",
            records=_hosts(numbers, tenant, inventories),
            columns=(
                "id", "tenant_id", "inventory_id", "name", "description", "enabled", "ip_address", "variables",
                "variables_text",
            ),
        )  # fmt: skip
        # One host in twenty has never been asked for its facts.
        texts = [(n + 1, json.dumps(facts_of(n, kilobytes, rng))) for n in numbers if n % 20 != 19]
        size += sum(len(text) for _, text in texts)
        await connection.copy_records_to_table("host_facts", records=texts, columns=("host_id", "facts"))
    await connection.execute(
        "INSERT INTO memberships (group_id, host_id, inventory_id) SELECT g.id, h.id, h.inventory_id"
        " FROM hosts h JOIN groups g USING (inventory_id) WHERE g.name = 'group-0'"
        " OR g.name = 'group-' || (1 + h.id / 4 % 38) OR (g.name = 'group-39' AND h.id % 1000 = 7)"
    )
    await connection.execute("VACUUM ANALYZE")
    return size / hosts

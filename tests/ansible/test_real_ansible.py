"""Real Ansible against the served script: it sees what the original inventory says, and works with it.

CRATON_INV_TEST_INVENTORIES names a folder of further inventories, one folder each.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from craton_inv.client import Client
from craton_inv.db.session import make_session_factory, unit_of_work
from craton_inv.settings import examples_dir
from tests.ansible.service import BIN, SCRIPT, Service, run
from tests.factories import add_child, make_group, make_host, make_inventory, make_tenant

PROGRAMS = ([str(SCRIPT)], [sys.executable, "-m", "craton_inv", "inventory"])


def inventories() -> list[Path]:
    """What to give Ansible with -i: the one file that lies in an inventory's folder, or the folder itself."""
    folders = [examples_dir() / "inventories"]
    if os.environ.get("CRATON_INV_TEST_INVENTORIES"):
        folders.append(Path(os.environ["CRATON_INV_TEST_INVENTORIES"]))
    found = []
    for folder in sorted(path for root in folders for path in root.iterdir() if path.is_dir()):
        files = [path for path in folder.iterdir() if path.is_file()]
        found.append(files[0] if len(files) == 1 else folder)
    return found


def listed(path: Path, env: dict[str, str]) -> dict[str, Any]:
    """What `ansible-inventory --list` makes of an inventory: every variable resolved for every host."""
    done = run(str(BIN / "ansible-inventory"), "-i", str(path), "--list", env=env)
    assert done.returncode == 0, done.stderr.decode()
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def groups_of(document: dict[str, Any]) -> dict[str, tuple[set[str], set[str]]]:
    """Hosts and children of every group but `all`, whose children are flat in AWX's document."""
    return {
        name: (set(group.get("hosts", ())), set(group.get("children", ())))
        for name, group in document.items()
        if name not in ("all", "_meta")
    }


@pytest.mark.parametrize("path", inventories(), ids=lambda path: "-".join(path.parts[-2:]))
async def test_ansible_reads_from_the_script_what_the_original_says(
    service: Service, path: Path, tmp_path: Path
) -> None:
    env = service.environment(tmp_path, await service.load(path))
    original, ours = listed(path, env), listed(SCRIPT, env)
    assert ours["_meta"]["hostvars"] == original["_meta"]["hostvars"]
    assert groups_of(ours) == groups_of(original)


async def test_ansible_reads_a_smart_inventory_with_the_groups_of_its_hosts(service: Service, tmp_path: Path) -> None:
    async with unit_of_work(make_session_factory(service.engine)) as session:
        tenant = await make_tenant(session)
        # The same names nested the other way round: Ansible takes no circle.
        for above, below, port in (("a", "b", 80), ("b", "a", 8080)):
            inventory = await make_inventory(session, tenant=tenant)
            parent = await make_group(session, above, inventory=inventory)
            child = await make_group(session, below, inventory=inventory, variables={"port": port})
            await add_child(session, parent, child)
            await make_host(session, f"in-{below}", inventory=inventory, groups=[child])
            await make_host(session, f"out-{below}", inventory=inventory, groups=[parent])
        smart = await make_inventory(
            session, tenant=tenant, kind="smart", host_filter="name__startswith=in-", include_groups=True
        )
    found = listed(SCRIPT, service.environment(tmp_path, smart))
    assert groups_of(found) == {"a": ({"in-a"}, {"b"}), "b": ({"in-b"}, set())}
    assert found["_meta"]["hostvars"] == {"in-a": {"port": 8080}, "in-b": {"port": 80}}


async def test_command_script_and_endpoint_print_the_same_bytes(service: Service, tmp_path: Path) -> None:
    inventory = await service.load(examples_dir() / "inventories" / "shop")
    env = service.environment(tmp_path, inventory)
    with Client(service.url, service.token) as api:
        path = f"/v2/inventories/{inventory.id}/script/"
        whole = api.send("GET", path, params={"hostvars": 1}).content
        host = api.send("GET", path, params={"host": "db2.west.example.org"}).content
    for program in PROGRAMS:
        for arguments, expected in ((["--list"], whole), (["--host", "db2.west.example.org"], host)):
            done = run(*program, *arguments, env=env)
            assert (done.stdout, done.stderr) == (expected, b"")


@pytest.mark.parametrize("program", PROGRAMS, ids=("script", "command"))
async def test_an_inventory_can_be_named(service: Service, tmp_path: Path, program: list[str]) -> None:
    inventory = await service.load(examples_dir() / "inventories" / "local")
    env = service.environment(tmp_path, inventory) | {"CRATON_INV_INVENTORY": inventory.name}
    done = run(*program, "--list", env=env)
    assert json.loads(done.stdout)["all"]["hosts"] == ["localhost"]


@pytest.mark.parametrize("program", PROGRAMS, ids=("script", "command"))
async def test_a_refused_token_ends_with_a_sentence_and_no_document(
    service: Service, tmp_path: Path, program: list[str]
) -> None:
    inventory = await service.load(examples_dir() / "inventories" / "local")
    env = service.environment(tmp_path, inventory) | {"CRATON_INV_TOKEN": "civ_1_wrong"}
    done = run(*program, "--list", env=env)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"401" in done.stderr


async def test_ping_and_setup_work_on_this_machine_and_the_facts_are_found(service: Service, tmp_path: Path) -> None:
    inventory = await service.load(examples_dir() / "inventories" / "local")
    env = service.environment(tmp_path, inventory) | {
        "ANSIBLE_CACHE_PLUGIN": "jsonfile",
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(tmp_path / "facts"),
    }
    pinged = run(str(BIN / "ansible"), "all", "-i", str(SCRIPT), "-m", "ping", "-o", env=env)
    assert (pinged.returncode, b'"ping": "pong"' in pinged.stdout) == (0, True), pinged.stderr.decode()
    gathered = run(
        str(BIN / "ansible"), "all", "-i", str(SCRIPT), "-m", "setup", "-a", "gather_subset=hardware", env=env
    )
    assert gathered.returncode == 0, gathered.stderr.decode()
    facts = json.loads(gathered.stdout.partition(b"=>")[2])["ansible_facts"]
    with Client(service.url, service.token) as api:
        host = api.find("/v2/hosts/", inventory=inventory.id, name="localhost")
        assert host is not None
        api.put_facts(host["id"], facts)
        search = f"ansible_facts__ansible_processor_vcpus={facts['ansible_processor_vcpus']}"
        assert [row["id"] for row in api.iterate("/v2/hosts/", host_filter=search)] == [host["id"]]


async def test_a_template_of_a_person_is_evaluated_and_an_unsafe_value_is_not(service: Service, tmp_path: Path) -> None:
    inventory = await service.load(examples_dir() / "inventories" / "local")
    written = "ansible_connection: local\nsum: '{{ 1 + 1 }}'\nmarked: !unsafe \"{{ lookup('pipe', 'id') }}\"\n"
    with Client(service.url, service.token) as api:
        host = api.find("/v2/hosts/", inventory=inventory.id, name="localhost")
        assert host is not None
        api.patch(f"/v2/hosts/{host['id']}/", {"variables": written})
    env = service.environment(tmp_path, inventory)
    done = run(
        str(BIN / "ansible"), "all", "-i", str(SCRIPT), "-m", "debug", "-a", "msg={{ marked }}-{{ sum }}", env=env
    )
    assert json.loads(done.stdout.partition(b"=>")[2])["msg"] == "{{ lookup('pipe', 'id') }}-2"

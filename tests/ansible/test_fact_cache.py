"""craton.inventory.facts under real Ansible: what a playbook gathers is stored, merged, found, cleared, never wiped."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from craton_inv.client import Client
from craton_inv.db.session import make_session_factory, unit_of_work
from tests.ansible.service import BIN, SCRIPT, Service, run
from tests.factories import make_host, make_inventory

GATHER = "- hosts: all\n  gather_facts: true\n  gather_subset: ['!all', '!min', hardware]\n"
REMEMBER = """
- hosts: all
  gather_facts: false
  tasks:
    - set_fact: {cacheable: true, rack: "{{ inventory_hostname }}-rack", nested: {a__b: [1, {c: null}]}}
"""
SHOW = """
- hosts: all
  gather_facts: false
  tasks:
    - debug: msg="rack={{ ansible_facts.rack | default('absent') }}"
"""
CLEAR = "- hosts: one\n  gather_facts: false\n  tasks:\n    - meta: clear_facts\n"


@dataclass(frozen=True)
class Runner:
    """Ansible with our fact cache, in a home of its own, on an inventory of two hosts of this machine."""

    service: Service
    env: dict[str, str]
    inventory_id: int

    def play(
        self, book: str, *arguments: str, inventory: Path = SCRIPT, **env: str
    ) -> "subprocess.CompletedProcess[bytes]":
        """A playbook run that ends well."""
        done = self.start(book, *arguments, inventory=inventory, **env)
        assert done.returncode == 0, (done.stdout + done.stderr).decode()
        return done

    def start(
        self, book: str, *arguments: str, inventory: Path = SCRIPT, **env: str
    ) -> "subprocess.CompletedProcess[bytes]":
        """A playbook run."""
        path = Path(self.env["HOME"]) / "book.yml"
        path.write_text(book)
        command = (str(BIN / "ansible-playbook"), "-i", str(inventory), str(path), *arguments)
        return run(*command, env={**self.env, **env})

    def facts(self) -> dict[str, dict[str, Any]]:
        """What the service has, by host."""
        with Client(self.service.url, self.service.token) as api:
            body = api.send("GET", f"/v2/inventories/{self.inventory_id}/ansible_facts/").text
        rows = [json.loads(line) for line in body.splitlines()]
        return {row["name"]: row["ansible_facts"] for row in rows}

    def found(self, host_filter: str) -> list[str]:
        """The names of hosts that a search finds."""
        with Client(self.service.url, self.service.token) as api:
            path = f"/v2/inventories/{self.inventory_id}/hosts/"
            return [row["name"] for row in api.iterate(path, host_filter=host_filter, order_by="name")]

    def put(self, host: str, facts: dict[str, Any]) -> None:
        """Give a host facts without Ansible."""
        with Client(self.service.url, self.service.token) as api:
            row = api.find("/v2/hosts/", inventory=self.inventory_id, name=host)
            assert row is not None
            api.put_facts(row["id"], facts)

    async def age(self, interval: str) -> None:
        """Let the facts be older."""
        async with self.service.engine.begin() as connection:
            older = f"UPDATE hosts SET ansible_facts_modified = now() - interval '{interval}' WHERE inventory_id = :i"
            await connection.execute(text(older), {"i": self.inventory_id})


@pytest.fixture
async def ansible(service: Service, tmp_path: Path) -> Runner:
    """Hosts `one` and `two`, both this machine, without facts."""
    async with unit_of_work(make_session_factory(service.engine)) as session:
        inventory = await make_inventory(session)
        for name in ("one", "two"):
            await make_host(session, name, inventory=inventory, variables={"ansible_connection": "local"})
    env = service.environment(tmp_path, inventory) | {
        "ANSIBLE_CACHE_PLUGIN": "craton.inventory.facts",
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
    }
    return Runner(service, env, inventory.id)


@pytest.fixture
def static(tmp_path: Path) -> Path:
    """The same hosts in a file, for when the service cannot be asked."""
    path = tmp_path / "static.ini"
    path.write_text("one ansible_connection=local\ntwo ansible_connection=local\n")
    return path


async def test_what_a_playbook_gathers_is_found_by_the_next_search(ansible: Runner) -> None:
    done = ansible.play(GATHER, "--forks", "2")
    assert b"craton.inventory.facts" not in done.stderr
    facts = ansible.facts()
    vcpus = facts["one"]["ansible_processor_vcpus"]
    assert ansible.found(f"ansible_facts__ansible_processor_vcpus={vcpus}") == ["one", "two"]
    assert ansible.found(f"ansible_facts__ansible_processor_vcpus>{vcpus}") == []


async def test_a_second_run_merges_and_a_third_reads(ansible: Runner) -> None:
    ansible.put("one", {"ansible_os_family": "Debian", "rack": "old"})
    ansible.play(REMEMBER, "--forks", "2")
    nested = {"a__b": [1, {"c": None}]}
    assert ansible.facts() == {
        "one": {"ansible_os_family": "Debian", "rack": "one-rack", "nested": nested},
        "two": {"rack": "two-rack", "nested": nested},
    }
    assert ansible.found('ansible_facts__nested__"a__b"[]=1 and ansible_facts__rack=two-rack') == ["two"]
    shown = ansible.play(SHOW, "--forks", "2").stdout
    assert b"rack=one-rack" in shown
    assert b"rack=two-rack" in shown


async def test_facts_beyond_the_timeout_are_absent_and_not_wiped(ansible: Runner) -> None:
    ansible.put("one", {"rack": "old", "kept": 1})
    await ansible.age("2 hours")
    assert b"rack=absent" in ansible.play(SHOW + REMEMBER, ANSIBLE_CACHE_PLUGIN_TIMEOUT="3600").stdout
    assert (ansible.facts()["one"]["rack"], ansible.facts()["one"]["kept"]) == ("one-rack", 1)


@pytest.mark.full
async def test_a_run_that_only_reads_changes_no_expired_facts_and_without_a_timeout_none_expire(
    ansible: Runner,
) -> None:
    ansible.put("one", {"rack": "old"})
    await ansible.age("2 hours")
    assert b"rack=absent" in ansible.play(SHOW, ANSIBLE_CACHE_PLUGIN_TIMEOUT="3600").stdout
    assert ansible.facts()["one"] == {"rack": "old"}
    assert b"rack=old" in ansible.play(SHOW, ANSIBLE_CACHE_PLUGIN_TIMEOUT="0").stdout


@pytest.mark.full
async def test_clear_facts_clears_its_hosts_alone(ansible: Runner) -> None:
    for host in ("one", "two"):
        ansible.put(host, {"rack": host})
    ansible.play(CLEAR)
    assert ansible.facts() == {"one": {}, "two": {"rack": "two"}}


@pytest.mark.full
async def test_flush_cache_clears_the_hosts_of_the_inventory(ansible: Runner) -> None:
    ansible.put("one", {"rack": "one"})
    assert b"rack=absent" in ansible.play(SHOW, "--flush-cache").stdout
    assert ansible.facts() == {"one": {}, "two": {}}


@pytest.mark.full
async def test_smart_gathering_gathers_once(ansible: Runner) -> None:
    book = GATHER.replace("  gather_facts: true\n", "") + "  tasks: []\n"
    assert b"TASK [Gathering Facts]" in ansible.play(book, ANSIBLE_GATHERING="smart").stdout
    assert b"TASK [Gathering Facts]" not in ansible.play(book, ANSIBLE_GATHERING="smart").stdout


@pytest.mark.full
async def test_host_by_host_is_the_same_for_large_inventories(ansible: Runner) -> None:
    ansible.put("two", {"rack": "two"})
    done = ansible.play(SHOW + REMEMBER, "--forks", "2", CRATON_INV_FACTS_PREFETCH="1")
    assert b"rack=two" in done.stdout
    assert b"rack=absent" in done.stdout
    assert {host: facts["rack"] for host, facts in ansible.facts().items()} == {"one": "one-rack", "two": "two-rack"}


async def test_a_stored_template_is_never_evaluated(ansible: Runner) -> None:
    trusted = {
        "__ansible_type": "_AnsibleTaggedStr",
        "value": "{{ 6 * 7 }}",
        "tags": [{"__ansible_type": "TrustedAsTemplate"}],
    }
    ansible.put("one", {"rack": "{{ 6 * 7 }}", "tagged": trusted})
    shown = ansible.play(SHOW.replace("absent')", "absent') }}{{ ansible_facts.tagged | default('')")).stdout
    assert b"42" not in shown
    assert b"rack={{ 6 * 7 }}" in shown


@pytest.mark.full
async def test_hosts_outside_the_inventory_do_not_fail_the_run(ansible: Runner) -> None:
    local = REMEMBER.replace("hosts: all", "hosts: localhost\n  connection: local")
    done = ansible.play(local)
    assert b"craton.inventory.facts" not in done.stderr  # the implicit localhost is nothing to warn of
    added = "- hosts: one\n  gather_facts: false\n  tasks:\n    - add_host: {name: new, ansible_connection: local}\n"
    done = ansible.play(added + REMEMBER)
    assert b"the inventory has no host 'new'" in done.stderr
    assert set(ansible.facts()) == {"one", "two"}


@pytest.mark.full
async def test_a_service_that_is_away_leaves_the_run_alone_unless_told_otherwise(ansible: Runner, static: Path) -> None:
    away = {"CRATON_INV_URL": "http://127.0.0.1:9"}
    done = ansible.play(REMEMBER + SHOW, inventory=static, **away)
    assert b"no answer from http://127.0.0.1:9" in done.stderr
    assert done.stderr.count(b"craton.inventory.facts") == 1
    assert b"rack=one-rack" in done.stdout
    assert ansible.start(REMEMBER, inventory=static, CRATON_INV_FACTS_ON_ERROR="fail", **away).returncode != 0


@pytest.mark.full
async def test_a_refused_token_is_told_once_and_never_shown(ansible: Runner, static: Path, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("civ_1_wrong\n")
    done = ansible.play(REMEMBER, inventory=static, CRATON_INV_TOKEN="", CRATON_INV_TOKEN_FILE=str(token))
    assert done.stderr.count(b"answered 401") == 1
    assert b"civ_1_wrong" not in done.stdout + done.stderr


@pytest.mark.full
async def test_a_redirect_is_not_followed_with_the_token(ansible: Runner, static: Path) -> None:
    with redirecting(to=ansible.service.url) as (address, asked):
        done = ansible.play(REMEMBER, inventory=static, CRATON_INV_URL=address)
    assert b"answered 302" in done.stderr
    assert (len(asked), ansible.facts()["one"]) == (1, {})


@contextmanager
def redirecting(to: str) -> Iterator[tuple[str, list[str]]]:
    """A server on loopback that sends everybody to `to`: its address, and the paths it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(302)
            self.send_header("Location", f"{to}{self.path}")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


@pytest.mark.full
async def test_the_options_are_documented_for_ansible(ansible: Runner) -> None:
    done = run(str(BIN / "ansible-doc"), "-t", "cache", "-j", "craton.inventory.facts", env=ansible.env)
    options = json.loads(done.stdout)["craton.inventory.facts"]["doc"]["options"]
    assert {"_uri", "_timeout", "inventory", "token", "token_file", "prefetch", "on_error", "ca_path"} <= options.keys()

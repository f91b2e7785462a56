"""Kinds that are Ansible plugins, with the real ansible-inventory and a stand-in for the collection."""

import json
from pathlib import Path
from typing import Any

import pytest

from craton_inv.errors import InvalidField, UpdateFailed
from craton_inv.providers import registry
from craton_inv.providers.ansible_json import AnsibleJsonParser
from craton_inv.providers.ansible_plugins import PluginProvider
from craton_inv.providers.ansible_plugins.kinds import KINDS
from craton_inv.providers.ansible_plugins.stand_in import install
from craton_inv.providers.base import SourceDefinition
from craton_inv.providers.credentials import ProviderCredential
from craton_inv.providers.host_values import rules_of
from craton_inv.providers.inventory_persister import InventoryPersister
from craton_inv.settings import Settings
from tests.providers.running import gather, refresh
from tests.refresh.world import World


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", ansible_collections_path=str(tmp_path / "collections"))


@pytest.fixture
def azure(tmp_path: Path) -> None:
    """The plugin of kind azure_rm, as a stand-in."""
    install("azure.azcollection.azure_rm", tmp_path / "collections")


def source(kind: str, source_vars: Any = "", **values: Any) -> SourceDefinition:
    text = source_vars if isinstance(source_vars, str) else json.dumps(source_vars)
    return SourceDefinition(1, 1, 1, kind, source_vars=text, verbosity=0, **values)


async def delivered(kind: str, document: dict[str, Any], **values: Any) -> dict[str, list[dict[str, Any]]]:
    """What the parser of a kind makes of a document, by collection."""
    provider = registry.get(kind)
    assert isinstance(provider, PluginProvider)
    rules = rules_of(source(kind, **values), provider.rules())
    parser = AnsibleJsonParser(lambda: document, InventoryPersister(1), rules)
    found: dict[str, list[dict[str, Any]]] = {}
    async for item in parser.parse():
        found.setdefault(item.collection.name, []).append(dict(item.values))
    return found


def a_host(variables: dict[str, Any]) -> dict[str, Any]:
    return {"all": {"hosts": ["h"]}, "_meta": {"hostvars": {"h": variables}}}


MACHINES = [
    ("aws_ec2", {"instance_id": "i-1", "state": {"name": "running"}}, "i-1", True),
    ("azure_rm", {"id": "/sub/vm", "powerstate": "deallocated"}, "/sub/vm", False),
    ("gce", {"gce_id": 17, "status": "RUNNING"}, "17", True),
    ("insights", {"insights_id": "x"}, "x", None),
    ("openstack_plugin", {"openstack": {"id": "o"}, "status": "ACTIVE"}, "o", True),
    ("rhv", {"id": "r", "status": "down"}, "r", False),
    ("satellite6", {"foreman_id": 4, "foreman_enabled": True}, "4", True),
    ("satellite6", {"foreman": {"id": 5, "enabled": False}}, "5", False),
    ("terraform", {"id": "t"}, "t", None),
    ("vmware", {"config": {"instanceUuid": "u"}, "guest": {"gueststate": "notRunning"}}, "u", False),
    ("vmware", {"config": {"instanceuuid": "v"}, "guest": {"guestState": "running"}}, "v", True),
]


@pytest.mark.parametrize(("kind", "variables", "instance_id", "enabled"), MACHINES)
async def test_each_kind_knows_its_machines_and_whether_they_run(
    kind: str, variables: dict[str, Any], instance_id: str, enabled: bool | None
) -> None:
    (host,) = (await delivered(kind, a_host(variables)))["hosts"]
    assert (host["instance_id"], host.get("enabled")) == (instance_id, enabled)


@pytest.mark.parametrize("value", [None, "", True, ["i"], {"a": 1}, "x" * 1025])
async def test_what_is_no_id_is_none(value: Any) -> None:
    (host,) = (await delivered("aws_ec2", a_host({"instance_id": value})))["hosts"]
    assert host["instance_id"] == ""


async def test_what_the_source_says_of_enabled_hosts_wins_whole(settings: Settings) -> None:
    """A variable of one's own without a value means its truth, and not the value of the kind's default."""
    document = a_host({"powerstate": "running", "wanted": 0})
    (host,) = (await delivered("azure_rm", document, enabled_var="wanted"))["hosts"]
    assert host["enabled"] is False


async def test_clouds_drop_groups_that_hold_nothing() -> None:
    document = {
        "_meta": {"hostvars": {"h": {}}},
        "all": {"children": ["full", "over", "said", "empty", "over_empty"]},
        "full": {"hosts": ["h"]},
        "over": {"children": ["full", "empty"]},
        "said": {"vars": {"a": 1}},
        "empty": {},
        "over_empty": {"children": ["empty", "nowhere"]},
    }
    found = await delivered("gce", document)
    assert [group["name"] for group in found["groups"]] == ["full", "over", "said"]
    assert len(found["group_edges"]) == 1
    kept = await delivered("insights", document)
    assert {group["name"] for group in kept["groups"]} == {"full", "over", "said", "empty", "over_empty", "nowhere"}


async def test_empty_groups_that_nest_each_other_are_dropped_too() -> None:
    document = {"_meta": {"hostvars": {}}, "a": {"children": ["b"]}, "b": {"children": ["a"]}}
    assert set(await delivered("gce", document)) == {"inventory"}


@pytest.mark.usefixtures("azure")
async def test_source_vars_are_the_plugin_s_configuration_and_its_name_is_forced(
    world: World, settings: Settings
) -> None:
    options = {
        "plugin": "something.else.entirely",
        "hosts": {"vm": {"id": "/vm", "powerstate": "stopped", "tags": {"env": "prod"}}},
        "groups_of_hosts": {"prod": ["vm"], "nothing": []},
    }
    await refresh(world, settings, source("azure_rm", options))
    row = await world.host("vm")
    assert (row.instance_id, row.enabled, row.variables["tags"]) == ("/vm", False, {"env": "prod"})
    assert set(await world.groups()) == {"prod"}


@pytest.mark.usefixtures("azure")
async def test_a_machine_that_got_another_name_keeps_its_row(world: World, settings: Settings) -> None:
    await refresh(world, settings, source("azure_rm", {"hosts": {"old": {"id": "/vm"}}}))
    before = await world.host("old")
    await refresh(world, settings, source("azure_rm", {"hosts": {"new": {"id": "/vm"}}}))
    assert (await world.host("new")).id == before.id
    assert set(await world.hosts()) == {"new"}


@pytest.mark.parametrize("kind", ["gce", "vmware_esxi"])
async def test_a_collection_that_is_missing_is_named_with_the_way_to_install_it(settings: Settings, kind: str) -> None:
    collection = {"gce": "google.cloud", "vmware_esxi": "vmware.vmware"}[kind]
    with pytest.raises(UpdateFailed) as caught:
        await gather(settings, source(kind))
    assert f"The Ansible collection {collection} is not installed on this worker" in caught.value.message
    assert f"ansible-galaxy collection install {collection}" in caught.value.message


@pytest.mark.usefixtures("azure")
async def test_an_error_of_the_plugin_is_told(settings: Settings) -> None:
    with pytest.raises(UpdateFailed, match="hosts"):
        await gather(settings, source("azure_rm", {"hosts": "none"}))


@pytest.mark.usefixtures("azure")
async def test_a_limit_is_ansible_s(settings: Settings) -> None:
    options = {"hosts": {"a": {}, "b": {}}}
    run, _ = await gather(settings, source("azure_rm", options, limit="a"))
    assert run.delivered["hosts"] == 1


@pytest.mark.usefixtures("azure")
async def test_credentials_reach_the_plugin_and_nobody_else(settings: Settings, tmp_path: Path) -> None:
    plugin = tmp_path / "collections/ansible_collections/azure/azcollection/plugins/inventory/azure_rm.py"
    asking = "import os\n        inventory.add_host(os.environ['AZURE_SECRET'].upper())\n        print(os.environ)\n"
    text = plugin.read_text().replace("self._read_config_data(path)", f"self._read_config_data(path)\n        {asking}")
    plugin.write_text(text)
    inputs = {"subscription": "s", "client": "c", "tenant": "t", "secret": "very-secret"}
    definition = source("azure_rm", credentials=(ProviderCredential("azure_rm", inputs),))
    run, document = await gather(settings, definition)
    assert "VERY-SECRET" in document["ungrouped"]["hosts"]
    assert "very-secret" not in run.text


async def test_kind_ansible_runs_the_plugin_that_its_source_names(world: World, settings: Settings) -> None:
    options = {
        "plugin": "ansible.builtin.generator",
        "layers": {"name": ["web", "db"]},
        "hosts": {"name": "{{ name }}-1", "parents": [{"name": "{{ name }}"}]},
    }
    await refresh(world, settings, source("ansible", options))
    assert await world.memberships() == {("web", "web-1"), ("db", "db-1")}


@pytest.mark.parametrize("plugin", [None, 7, "", "aws_ec2", "../x", "a.b.c; rm", "A.b.c"])
def test_kind_ansible_needs_the_full_name_of_a_plugin(settings: Settings, plugin: Any) -> None:
    with pytest.raises(InvalidField, match="the full name") as caught:
        registry.get("ansible").check(source("ansible", {"plugin": plugin}), settings)
    assert list(caught.value.fields) == ["source_vars"]


@pytest.mark.parametrize("kind", [made.kind for made in KINDS])
def test_a_wrong_configuration_is_refused_before_it_runs(settings: Settings, kind: str) -> None:
    for values, field in (({"source_vars": "[1]"}, "source_vars"), ({"limit": "@/etc/passwd"}, "limit")):
        with pytest.raises(InvalidField) as caught:
            registry.get(kind).check(source(kind, **values), settings)
        assert list(caught.value.fields) == [field]

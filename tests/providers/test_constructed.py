"""Kind `constructed` with the real ansible-inventory: two inputs, what is made of them, what it may not see."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from craton_inv.db.session import unit_of_work
from craton_inv.errors import InvalidField, UpdateFailed
from craton_inv.models import Inventory
from craton_inv.providers import registry
from craton_inv.providers.base import SourceDefinition
from craton_inv.settings import Settings
from tests.providers.landlock import needs_landlock
from tests.providers.running import WEB_AND_DB, gather, inputs_of, refresh
from tests.refresh.world import World


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


def source(source_vars: str = "", **values: Any) -> SourceDefinition:
    return SourceDefinition(1, 1, 1, "constructed", source_vars=source_vars, verbosity=0, **values)


def hosts(document: dict[str, Any], group: str) -> list[str]:
    return sorted(document.get(group, {}).get("hosts", []))


async def test_groups_compose_and_keyed_groups_see_the_hosts_of_both_inputs(settings: Settings) -> None:
    options = """
strict: true
compose:
  label: role ~ '-' ~ inventory_hostname
groups:
  fronts: role == 'front'
keyed_groups:
  - {key: role, prefix: role}
"""
    _, document = await gather(settings, source(options))
    assert hosts(document, "role_front") == hosts(document, "fronts") == ["web-1"]
    assert hosts(document, "role_back") == ["db-1"]
    assert hosts(document, "web") == ["web-1"]
    assert document["_meta"]["hostvars"]["db-1"]["label"] == {"__ansible_unsafe": "back-db-1"}


async def test_the_later_input_wins_where_both_have_a_host(settings: Settings) -> None:
    def saying(value: str) -> dict[str, Any]:
        return {"all": {"hosts": ["h"]}, "_meta": {"hostvars": {"h": {"said": value, value: True}}}}

    _, document = await gather(settings, source(), inputs=inputs_of(saying("first"), saying("second")))
    assert document["_meta"]["hostvars"]["h"] == {"said": "second", "first": True, "second": True}


async def test_keyed_groups_work_on_facts(settings: Settings) -> None:
    found = {"os": "Debian"}
    inputs = inputs_of({"all": {"hosts": ["h"]}, "_meta": {"hostvars": {"h": {}}}}, h={"ansible_os": found})
    _, document = await gather(settings, source("keyed_groups: [{key: ansible_os.os, prefix: os}]"), inputs=inputs)
    assert hosts(document, "os_Debian") == ["h"]


async def test_a_host_named_like_a_path_reads_no_facts_elsewhere(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text('{"stolen": "yes"}')
    name = f"..{tmp_path}/elsewhere"
    climbing = {"all": {"hosts": [f"../../../../../../../{name}"]}, "_meta": {"hostvars": {}}}
    options = "compose: {got: stolen | default('nothing')}"
    _, document = await gather(settings, source(options), inputs=inputs_of(climbing))
    (variables,) = document["_meta"]["hostvars"].values()
    assert variables == {"got": {"__ansible_unsafe": "nothing"}}


async def test_without_strict_a_wrong_expression_is_passed_over(settings: Settings) -> None:
    _, document = await gather(settings, source("groups: {x: nowhere.to.be == 1}"))
    assert hosts(document, "web") == ["web-1"]


async def test_with_strict_a_wrong_expression_fails_with_ansible_s_reason(settings: Settings) -> None:
    with pytest.raises(UpdateFailed, match="nowhere"):
        await gather(settings, source("strict: true\ngroups: {x: nowhere.to.be == 1}"))


async def test_a_limit_leaves_the_hosts_of_its_pattern(settings: Settings) -> None:
    run, _ = await gather(settings, source(limit="db"))
    assert run.delivered["hosts"] == 1


async def test_a_limit_that_matches_nothing_fails(settings: Settings) -> None:
    with pytest.raises(UpdateFailed, match="nosuch"):
        await gather(settings, source(limit="nosuch"))


async def test_an_option_the_plugin_does_not_know_the_type_of_fails(settings: Settings) -> None:
    with pytest.raises(UpdateFailed, match="groups"):
        await gather(settings, source("groups: 7"))


@pytest.mark.parametrize(
    ("values", "field"), [({"limit": "@/etc/passwd"}, "limit"), ({"source_vars": "[1]"}, "source_vars")]
)
def test_what_could_never_run_is_refused_by_field(settings: Settings, values: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidField) as caught:
        registry.get("constructed").check(SourceDefinition(1, 1, 1, "constructed", **values), settings)  # type: ignore[arg-type]
    assert list(caught.value.fields) == [field]


async def test_hosts_are_stored_with_the_id_of_the_original_and_without_what_awx_tells(
    world: World, settings: Settings
) -> None:
    await refresh(world, settings, source(), replace=True)
    row = await world.host("web-1")
    assert (row.instance_id, row.variables) == ("11", {"role": "front"})
    assert await world.memberships() == {("web", "web-1"), ("db", "db-1")}


async def test_a_computed_text_is_stored_as_plain_text(world: World, settings: Settings) -> None:
    await refresh(world, settings, source("compose: {label: \"role ~ '!'\", more: \"[role, {'at': role}]\"}"))
    row = await world.host("web-1")
    assert (row.variables["label"], row.variables["more"]) == ("front!", ["front", {"at": "front"}])


async def test_variables_of_the_inventory_are_replaced(world: World, settings: Settings) -> None:
    first = inputs_of({"all": {"hosts": ["h"], "vars": {"a": 1, "b": 2}}, "_meta": {"hostvars": {}}})
    async with unit_of_work(world.factory) as session:
        (await session.get_one(Inventory, world.inventory_id)).variables = {"mine": 1}
    await refresh(world, settings, source(), inputs=first, replace=True)
    assert (await world.inventory()).variables == {"a": 1, "b": 2}
    second = inputs_of({"all": {"hosts": ["h"], "vars": {"b": 3}}, "_meta": {"hostvars": {}}})
    await refresh(world, settings, source(), inputs=second, replace=True)
    assert (await world.inventory()).variables == {"b": 3}


@pytest.mark.parametrize("expression", ["lookup('pipe', 'env')", "lookup('file', '/proc/self/environ')"])
async def test_s36_an_expression_sees_no_secret_of_the_service(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, expression: str
) -> None:
    monkeypatch.setenv("CRATON_INV_SECRET_FOR_TEST", "hidden-value")
    try:
        _, document = await gather(settings, source(f"strict: true\ncompose:\n  leak: {expression}"))
        seen = str(document)
    except UpdateFailed as failure:
        seen = failure.message
    assert "hidden-value" not in seen
    assert "CRATON_INV" not in seen


@needs_landlock
async def test_s36_an_expression_reads_no_file_of_the_service(settings: Settings) -> None:
    settings.data_dir.mkdir()
    (settings.data_dir / "secret.key").write_text("very-secret")
    expression = f"lookup('pipe', 'cat {settings.data_dir}/secret.key 2>&1 || true')"
    _, document = await gather(settings, source(f"strict: true\ncompose:\n  leak: {expression}"))
    assert "very-secret" not in str(document)
    assert "ermission denied" in str(document)


async def test_s36_a_template_of_an_untrusted_input_is_never_run(settings: Settings, tmp_path: Path) -> None:
    trace = tmp_path / f"ran-{os.getpid()}"
    unsafe = {"__ansible_unsafe": f"{{{{ lookup('pipe', 'touch {trace}; echo ran') }}}}"}
    inputs = inputs_of({"all": {"hosts": ["h"]}, "_meta": {"hostvars": {"h": {"bad": unsafe}}}})
    _, document = await gather(settings, source("compose: {copy: bad}"), inputs=inputs)
    assert document["_meta"]["hostvars"]["h"] == {"bad": unsafe, "copy": unsafe}
    assert not trace.exists()


@pytest.mark.parametrize(
    "fact",
    [
        "{{ lookup('pipe', 'touch TRACE') }}",
        {
            "__ansible_type": "_AnsibleTaggedStr",
            "value": "{{ lookup('pipe', 'touch TRACE') }}",
            "tags": [{"__ansible_type": "TrustedAsTemplate"}],
        },
    ],
    ids=["text", "tagged"],
)
async def test_s36_a_template_in_facts_is_never_run(settings: Settings, tmp_path: Path, fact: Any) -> None:
    trace = tmp_path / "ran"
    told = json.loads(json.dumps({"bad": fact}).replace("TRACE", str(trace)))
    inputs = inputs_of({"all": {"hosts": ["h"]}, "_meta": {"hostvars": {"h": {}}}}, h=told)
    _, document = await gather(settings, source("strict: true\ncompose: {copy: bad}"), inputs=inputs)
    assert "lookup('pipe'" in str(document["_meta"]["hostvars"]["h"]["copy"])
    assert not trace.exists()


async def test_nothing_in_is_nothing_out(settings: Settings) -> None:
    run, _ = await gather(settings, source(), inputs=inputs_of())
    assert run.delivered["hosts"] == 0


async def test_the_sample_s_inputs_are_two(settings: Settings) -> None:
    assert [given.name async for given in WEB_AND_DB()] == ["input 1", "input 2"]

"""What a stored search looks at, and so which changes concern it and who keeps its memberships."""

import pytest
from sqlalchemy import inspect

from craton_inv.models import Base, Host
from craton_inv.services.stored_searches import WATCHED, Search, search_of


def search(text: str) -> Search:
    found = search_of(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "concerning", "indifferent"),
    [
        ("name=a", "hosts.name", "hosts.variables"),
        ("os_family=Debian", "hosts.os_family", "hosts.state"),
        ("variables__a=1", "hosts.variables", "hosts.variables_text"),
        ("variables__icontains=a", "hosts.variables_text", "host_facts"),
        ("ansible_facts__a > 1", "host_facts", "hosts.variables"),
        ("groups__name=a", "memberships", "group_edges"),
        ("groups__name=a", "groups.name", "groups.description"),
        ("all_groups__name=a", "group_edges", "host_facts"),
        ("inventory__name=a", "inventories.name", "inventories.description"),
        ("region=null", "hosts.region_id", "regions.name"),
        ("labels__name=a", "host_labels", "inventory_labels"),
        ("inventory__labels__name=a", "inventory_labels", "host_labels"),
        ("inventory_sources__source=ec2", "host_sources", "memberships"),
        ("created_by__username=a", "users.username", "hosts.modified_by_id"),
        ("search=a", "hosts.description", "hosts.enabled"),
        ("flavor__name=a", "flavors.name", "flavors.cpus"),
        ("flavor__name=a", "hosts.flavor_id", "hosts.image_id"),
        ("disks__size > 5", "disks", "network_ports"),
        ("network_ports__network__cidr=10.0.0.0/8", "network_ports.network_id", "disks"),
        ("not name=a or groups__name=b", "memberships", "host_facts"),
    ],
)
def test_a_search_is_concerned_by_what_it_looks_at_alone(text: str, concerning: str, indifferent: str) -> None:
    assert search(text).looks_at([concerning])
    assert not search(text).looks_at([indifferent])


@pytest.mark.parametrize("what", ["hosts", "hosts.name"])
def test_every_search_is_concerned_when_a_twin_may_take_the_place(what: str) -> None:
    assert search("ansible_facts__a=1").looks_at([what])


@pytest.mark.parametrize(
    "text",
    [
        "last_seen_at > now-7d",
        "name=a or not created < now-1h",
        "smart_inventories__name=a",
        "inventory__generation > 5",
        "inventory__modified > 2020-01-01",
        "inventory_sources__last_job_failed=true",
    ],
)
def test_what_no_change_tells_of_is_not_kept(text: str) -> None:
    assert not search(text).kept


@pytest.mark.parametrize("text", ["last_seen_at > 2020-01-01", "modified > 2020-01-01", "name=now-7d", "generation=3"])
def test_what_a_change_tells_of_is_kept(text: str) -> None:
    assert search(text).kept


@pytest.mark.parametrize(
    "text",
    [
        "groups__hosts__name=a",
        "inventory__hosts__name=a",
        "groups__children__name=a",
        "labels__hosts__name=a",
        "flavor__hosts__name=a",
        "network_ports__network__network_ports__name=a",
    ],
)
def test_a_search_that_looks_at_other_hosts_is_asked_about_all(text: str) -> None:
    assert search(text).kept
    assert not search(text).upwards


@pytest.mark.parametrize(
    "text",
    [
        "groups__name=a",
        "all_groups__name=a",
        "groups__parents__inventory__name=a",
        "inventory__labels__name=a",
        "parent_host__name=a",
        "disks__size > 5",
        "network_ports__network__inventory__labels__name=a",
    ],
)
def test_a_search_that_looks_upwards_is_asked_about_few(text: str) -> None:
    assert search(text).upwards


def test_every_relation_of_hosts_is_watched_or_known_not_to_be() -> None:
    """A table that no trigger watches makes its searches unkept, never wrong; these are all that there are."""
    far = {relation.mapper.local_table.name for relation in inspect(Host).relationships if relation.info.get("filter")}
    assert far <= WATCHED
    assert set(Base.metadata.tables) >= WATCHED


def test_a_text_that_is_no_search_has_no_members() -> None:
    assert search_of("nmae=a") is None

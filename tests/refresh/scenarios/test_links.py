"""Lazy links: secondary refs, keys, defaults, relations within identities, and what several rows fit."""

import pytest

from craton_inv.errors import UpdateFailed
from craton_inv.providers.inventory_persister import InventoryPersister
from craton_inv.refresh.inventory_collection import InvalidCollection
from craton_inv.refresh.inventory_object import InventoryObject
from tests.refresh.cloud import DISKS, FLAVORS, MACHINES, SNAPSHOTS, Cloud, Make, disk, flavor, machine, total
from tests.refresh.deliveries import deliver, group, host, member
from tests.refresh.world import World


def child(ref: str, uuid: str, **values: object) -> Make:
    """A machine whose parent is named by its uuid."""
    return lambda cloud: cloud.machines.build(
        ref=ref, parent_id=cloud.machines.lazy_find(uuid, ref="by_uuid"), **values
    )


def snapshot(ref: str, slot: str, name: str) -> Make:
    """A snapshot of a disk of a machine: its identity is the disk's, which is the machine's."""
    return lambda cloud: cloud.snapshots.build(
        disk_id=cloud.disks.lazy_find(cloud.machines.lazy_find(ref), slot), name=name
    )


async def test_given_a_secondary_ref_when_an_object_is_linked_by_it_then_the_link_is_its_id(cloud: Cloud) -> None:
    await cloud.refresh(machine("m1", uuid="u1"), child("m2", "u1"))

    ids = await cloud.by_ref("id")
    assert await cloud.by_ref("parent_id") == {"m1": None, "m2": ids["m1"]}


async def test_given_links_by_two_refs_in_one_column_when_saved_then_each_finds_its_own_way(cloud: Cloud) -> None:
    await cloud.refresh(machine("m1", uuid="u1"), child("m2", "u1"), machine("m3", parent="m2"), machine("m4"))

    ids = await cloud.by_ref("id")
    parents = {"m1": None, "m2": ids["m1"], "m3": ids["m2"], "m4": None}
    assert await cloud.by_ref("parent_id") == parents


async def test_given_a_row_registered_anew_when_the_old_one_goes_then_its_uuid_is_plain_again(cloud: Cloud) -> None:
    await cloud.refresh(machine("old", uuid="u"), child("m", "u"))

    counts = await cloud.refresh(machine("new", uuid="u"), child("m", "u"))

    ids = await cloud.by_ref("id")
    assert await cloud.by_ref("parent_id") == {"m": ids["new"], "new": None}
    assert (counts["machines"].ambiguous, counts["machines"].unconnected) == (0, 0)
    assert await cloud.unconnected("id") == []


async def test_given_links_by_a_secondary_ref_when_nothing_changed_then_nothing_is_written(cloud: Cloud) -> None:
    objects = (machine("m1", uuid="u1"), child("m2", "u1"), child("m3", "nobody"))

    await cloud.refresh(*objects)

    assert total(await cloud.refresh(*objects)) == 0


async def test_given_a_key_when_linked_then_the_value_is_that_column_of_the_object(cloud: Cloud) -> None:
    cloud.changes = {"links": {"note": "flavors", "flavor_id": "flavors", "parent_id": "machines"}}
    linked: Make = lambda c: c.machines.build(ref="m", note=c.flavors.lazy_find("a", "b", key="family"))  # noqa: E731

    await cloud.refresh(linked, flavor("a", "b"))

    assert await cloud.by_ref("note") == {"m": "a"}
    assert total(await cloud.refresh(linked, flavor("a", "b"))) == 0


async def test_given_a_default_when_the_link_leads_nowhere_then_the_default_is_taken_and_nothing_waits(
    cloud: Cloud,
) -> None:
    cloud.changes = {"links": {"note": "flavors", "flavor_id": "flavors", "parent_id": "machines"}}

    def noted(ref: str, default: str | None) -> Make:
        return lambda c: c.machines.build(
            ref=ref, note=c.flavors.lazy_find("no", "such", key="family", default=default)
        )

    counts = await cloud.refresh(noted("m1", "unknown"), noted("m2", "other"), noted("m3", None))

    assert await cloud.by_ref("note") == {"m1": "unknown", "m2": "other", "m3": None}
    assert counts["machines"].unconnected == 1
    assert await cloud.unconnected("object_ref", "target_key") == [({"ref": "m3"}, "family")]


async def test_given_a_column_that_takes_a_value_by_key_when_the_value_itself_is_sent_then_it_is_taken(
    cloud: Cloud,
) -> None:
    cloud.changes = {"links": {"note": "flavors", "flavor_id": "flavors", "parent_id": "machines"}}

    await cloud.refresh(machine("m", note="by hand"))

    assert await cloud.by_ref("note") == {"m": "by hand"}


async def test_given_an_identity_of_identities_when_linked_then_it_is_found_level_by_level(cloud: Cloud) -> None:
    objects = (snapshot("m1", "0", "s"), snapshot("m2", "0", "s"), disk("m1", "0"), disk("m2", "0"))
    objects = (*objects, machine("m1"), machine("m2"))

    await cloud.refresh(*objects)

    machines = {value: ref for ref, value in (await cloud.by_ref("id")).items()}
    disks = {row_id: machines[owner] for row_id, owner in await cloud.rows(DISKS, "id", "machine_id")}
    assert sorted(disks[owner] for (owner,) in await cloud.rows(SNAPSHOTS, "disk_id")) == ["m1", "m2"]
    assert total(await cloud.refresh(*objects)) == 0


async def test_given_a_relation_in_an_identity_when_it_is_named_by_a_secondary_ref_then_it_is_found(
    cloud: Cloud,
) -> None:
    def named(c: Cloud) -> object:
        owner = c.disks.lazy_find({"machine_id": c.machines.lazy_find("u1", ref="by_uuid"), "slot": "0", "more": 1})
        return c.snapshots.build(disk_id=owner, name="s")

    await cloud.refresh(machine("m1", uuid="u1"), disk("m1", "0"), named)  # type: ignore[arg-type]

    [(disk_id,)] = await cloud.rows(DISKS, "id")
    assert await cloud.rows(SNAPSHOTS, "disk_id") == [(disk_id,)]


async def test_given_a_key_that_is_a_relation_when_linked_then_it_waits_for_that_relation(cloud: Cloud) -> None:
    # The grandparent is the parent's parent, which itself is set only by a second pass.
    cloud.changes = {
        "attributes": ("parent_id", "grandparent_id"),
        "links": {"parent_id": "machines", "grandparent_id": "machines"},
        "secondary_refs": {},
    }

    def below(ref: str, parent: str) -> Make:
        return lambda c: c.machines.build(
            ref=ref,
            parent_id=c.machines.lazy_find(parent),
            grandparent_id=c.machines.lazy_find(parent, key="parent_id"),
        )

    objects = (below("m3", "m2"), below("m2", "m1"), machine("m1"))

    await cloud.refresh(*objects)

    ids = await cloud.by_ref("id")
    assert await cloud.by_ref("grandparent_id") == {"m1": None, "m2": None, "m3": ids["m1"]}
    assert total(await cloud.refresh(*objects)) == 0


async def test_given_rows_saved_before_when_links_name_them_in_a_partial_delivery_then_they_are_found(
    cloud: Cloud,
) -> None:
    await cloud.refresh(flavor("a", "b"), machine("m1", uuid="u1"))

    await cloud.stream(machine("m2", flavor=("a", "b")), child("m3", "u1"))

    ids, [(flavor_id,)] = await cloud.by_ref("id"), await cloud.rows(FLAVORS, "id")
    assert await cloud.rows(MACHINES, "ref", "flavor_id", "parent_id") == [
        ("m1", None, None),
        ("m2", flavor_id, None),
        ("m3", None, ids["m1"]),
    ]


async def test_given_an_identity_with_a_null_part_when_linked_to_then_that_row_and_no_other_is_found(
    cloud: Cloud,
) -> None:
    await cloud.refresh(flavor("a", None), flavor("a", ""), machine("m", flavor=("a", None)), machine("n"))

    ids: dict[str | None, int] = dict(await cloud.rows(FLAVORS, "name", "id"))  # type: ignore[arg-type]
    assert await cloud.by_ref("flavor_id") == {"m": ids[None], "n": None}


async def test_given_the_single_value_null_when_linked_to_then_there_is_no_link(cloud: Cloud) -> None:
    await cloud.refresh(lambda c: c.machines.build(ref="m", parent_id=c.machines.lazy_find(None)))

    assert await cloud.by_ref("parent_id") == {"m": None}


async def test_given_a_number_for_a_link_when_delivered_then_it_is_refused_with_what_is_needed(cloud: Cloud) -> None:
    with pytest.raises(UpdateFailed, match="machines 'm': parent_id needs a link to machines"):
        await cloud.refresh(machine("m", parent_id=5))


async def test_given_a_link_to_another_collection_when_delivered_then_it_is_refused_with_both_names(
    cloud: Cloud,
) -> None:
    with pytest.raises(InvalidCollection, match=r"machines\.parent_id links to machines; got a link to flavors"):
        await cloud.refresh(lambda c: c.machines.build(ref="m", parent_id=c.flavors.lazy_find("a", "b")))


async def test_given_a_key_of_another_type_than_the_column_when_linked_then_it_is_refused(cloud: Cloud) -> None:
    with pytest.raises(InvalidCollection, match=r"machines\.parent_id is BIGINT, but machines\.note is TEXT"):
        await cloud.refresh(lambda c: c.machines.build(ref="m", parent_id=c.machines.lazy_find("m", key="note")))


@pytest.mark.parametrize(
    ("values", "options", "reason"),
    [
        (("m",), {"ref": "by_name"}, "has no ref 'by_name'; it can be found by manager_ref, by_uuid"),
        (("m",), {"key": "colour"}, "cannot take 'colour'"),
        (("m", "n"), {}, "needs ref; got 2 values"),
        (({"slot": "0"},), {}, "needs ref; ref is missing"),
    ],
)
async def test_given_an_unknown_ref_or_key_or_missing_values_when_linked_then_it_is_refused_in_words(
    cloud: Cloud, values: tuple[object, ...], options: dict[str, str], reason: str
) -> None:
    cloud.persister()

    with pytest.raises(InvalidCollection, match=reason):
        cloud.machines.lazy_find(*values, **options)  # type: ignore[arg-type]


async def test_given_a_relation_in_an_identity_when_a_plain_value_is_given_for_it_then_it_is_refused(
    cloud: Cloud,
) -> None:
    cloud.persister()

    with pytest.raises(InvalidCollection, match="needs a link to machines, without a key, for machine_id; got str"):
        cloud.disks.lazy_find("m", "0")


async def test_given_an_identity_linked_in_two_ways_when_it_is_one_object_then_it_is_repeated_and_the_last_one_wins(
    cloud: Cloud,
) -> None:
    by_uuid: Make = lambda c: c.disks.build(  # noqa: E731
        machine_id=c.machines.lazy_find("u", ref="by_uuid"), slot="0", size=2
    )
    objects = (machine("m", uuid="u"), by_uuid, disk("m", "0", size=1), disk("m", "1"), by_uuid, disk("m", "0", size=3))

    first = await cloud.refresh(*objects)
    second = await cloud.refresh(*objects)

    assert await cloud.rows(DISKS, "slot", "size") == [("0", 3), ("1", None)]
    assert [(each["disks"].repeated, each["disks"].unconnected) for each in (first, second)] == [(3, 0), (3, 0)]
    assert (first["disks"].created, total(second)) == (2, 0)


async def test_given_a_membership_linked_in_two_ways_when_it_is_one_then_it_is_repeated_and_not_unconnected(
    world: World,
) -> None:
    def by_id(persister: InventoryPersister) -> InventoryObject:
        owner = persister.hosts.lazy_find("i-1", ref="by_instance_id")
        return persister.memberships.build(group_id=persister.groups.lazy_find("g"), host_id=owner)

    counts = await deliver(world, host("a", "i-1"), group("g"), member("g", "a"), by_id)

    assert await world.memberships() == {("g", "a")}
    assert (counts["memberships"].repeated, counts["memberships"].unconnected) == (1, 0)

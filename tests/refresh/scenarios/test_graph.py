"""The order of saving: layers by links; cycles split where no identity needs them, else refused with their names."""

from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, ForeignKey, MetaData, Table, Text, UniqueConstraint

from craton_inv.refresh.graph import plan
from craton_inv.refresh.inventory_collection import InvalidCollection, InventoryCollection
from craton_inv.refresh.lookup import forms_of
from tests.refresh.cloud import DISKS, Cloud, Make, disk, machine, total


def collection(name: str, identity: tuple[str, ...] = ("ref",), **links: str) -> InventoryCollection:
    """A collection whose links are attributes unless they are part of its identity."""
    columns = [Column(column, BigInteger, nullable=column not in identity) for column in links]
    made = Table(
        name,
        MetaData(),
        Column("id", BigInteger, primary_key=True),
        Column("owner", BigInteger, nullable=False),
        Column("ref", Text, nullable=False),
        *columns,
        UniqueConstraint("owner", *identity),
    )
    attributes = tuple(column for column in links if column not in identity)
    return InventoryCollection(
        name=name, table=made, manager_ref=identity, attributes=attributes, links=links, scope=("owner",)
    )


def planned(*collections: InventoryCollection, needs: Any = None) -> Any:
    return plan({item.name: item for item in collections}, needs)


def test_given_collections_without_links_when_planned_then_they_share_the_first_layer() -> None:
    made = planned(collection("a"), collection("b"))

    assert (made.layers, dict(made.deferred)) == ((("a", "b"),), {})


def test_given_a_chain_of_links_when_planned_then_it_is_saved_from_its_end() -> None:
    made = planned(collection("a", b_id="b"), collection("b", c_id="c"), collection("c"))

    assert (made.layers, dict(made.deferred)) == ((("c",), ("b",), ("a",)), {})


def test_given_a_diamond_of_links_when_planned_then_it_has_three_layers() -> None:
    made = planned(
        collection("top", left_id="left", right_id="right"),
        collection("left", base_id="base"),
        collection("right", base_id="base"),
        collection("base"),
    )

    assert made.layers == (("base",), ("left", "right"), ("top",))


def test_given_a_link_to_the_own_collection_when_planned_then_a_second_pass_sets_it() -> None:
    made = planned(collection("a", parent_id="a"))

    assert (made.layers, dict(made.deferred)) == ((("a",),), {"a": ("parent_id",)})


def test_given_a_cycle_when_planned_then_it_is_split_where_it_closes() -> None:
    made = planned(collection("a", b_id="b"), collection("b", a_id="a"))

    assert (made.layers, dict(made.deferred)) == ((("b",), ("a",)), {"b": ("a_id",)})


def test_given_a_cycle_through_an_identity_when_planned_then_it_is_split_at_the_link_that_is_none() -> None:
    parts = collection("parts", ("machine_id",), machine_id="machines")
    machines = collection("machines", boot_id="parts")

    made = planned(parts, machines)

    assert (made.layers, dict(made.deferred)) == ((("machines",), ("parts",)), {"machines": ("boot_id",)})


def test_given_a_link_to_nowhere_when_planned_then_it_is_refused() -> None:
    with pytest.raises(InvalidCollection, match="links b_id to b, which is not declared"):
        planned(collection("a", b_id="b"))


def test_given_a_link_that_is_not_written_when_planned_then_it_orders_nothing() -> None:
    first = InventoryCollection(**{**_fields(collection("a", b_id="b")), "attributes_blacklist": ("b_id",)})

    made = planned(first, collection("b"))

    assert made.layers == (("a", "b"),)


def test_given_a_cycle_with_a_transitive_link_when_planned_then_the_plain_links_stay_in_the_first_pass() -> None:
    made = planned(
        collection("a", b_id="b"),
        collection("b", a_id="a", c_id="c"),
        collection("c"),
        needs={("a", "b_id"): frozenset({"c_id"})},
    )

    assert (made.layers, dict(made.deferred)) == ((("a", "c"), ("b",)), {"a": ("b_id",)})


def test_given_two_cycles_when_planned_then_each_is_split_where_it_closes() -> None:
    made = planned(
        collection("a", b_id="b"), collection("b", a_id="a"), collection("c", d_id="d"), collection("d", c_id="c")
    )

    assert dict(made.deferred) == {"b": ("a_id",), "d": ("c_id",)}


def test_given_two_cycles_through_one_collection_when_planned_then_each_neighbour_gets_a_second_pass() -> None:
    made = planned(collection("a", b_id="b", c_id="c"), collection("b", a_id="a"), collection("c", a_id="a"))

    assert (made.order[-1], dict(made.deferred)) == ("a", {"b": ("a_id",), "c": ("a_id",)})


def test_given_identities_that_need_one_another_when_planned_then_the_cycle_is_refused_with_its_way() -> None:
    with pytest.raises(InvalidCollection, match=r"Cycle from a\.b_id to b\.a_id to a: no row"):
        planned(collection("a", ("b_id",), b_id="b"), collection("b", ("a_id",), a_id="a"))


def test_given_an_identity_that_needs_itself_when_planned_then_it_is_refused() -> None:
    with pytest.raises(InvalidCollection, match=r"Cycle from a\.a_id to a: no row"):
        planned(collection("a", ("a_id", "ref"), a_id="a"))


def test_given_a_collection_that_leads_into_a_cycle_when_it_is_refused_then_only_the_cycle_is_named() -> None:
    with pytest.raises(InvalidCollection, match=r"Cycle from b\.c_id to c\.b_id to b: no row"):
        planned(
            collection("a", ("b_id",), b_id="b"),
            collection("b", ("c_id",), c_id="c"),
            collection("c", ("b_id",), b_id="b"),
        )


def test_given_a_relation_that_needs_itself_when_planned_then_it_is_refused() -> None:
    with pytest.raises(InvalidCollection, match=r"Cycle from a\.a_id: a relation that needs itself"):
        planned(collection("a", a_id="a"), needs={("a", "a_id"): frozenset({"a_id"})})


def test_given_relations_that_need_one_another_when_planned_then_they_are_refused() -> None:
    needs = {("a", "b_id"): frozenset({"a_id"}), ("b", "a_id"): frozenset({"b_id"})}

    with pytest.raises(InvalidCollection, match=r"Cycle from a\.b_id to b\.a_id: a relation that needs itself"):
        planned(collection("a", b_id="b"), collection("b", a_id="a"), needs=needs)


def test_given_a_link_that_needs_one_of_a_second_pass_when_planned_then_it_is_set_in_a_later_pass() -> None:
    made = planned(collection("a", a_id="a"), collection("b", a_id="a"), needs={("b", "a_id"): frozenset({"a_id"})})

    assert made.passes == (("a", ("a_id",)), ("b", ("a_id",)))


def test_given_an_identity_that_needs_a_link_of_a_second_pass_when_planned_then_it_is_refused() -> None:
    with pytest.raises(InvalidCollection, match=r"Cycle from b\.a_id: it needs a link that is set only after it"):
        planned(
            collection("a", a_id="a"),
            collection("b", ("a_id",), a_id="a"),
            needs={("b", "a_id"): frozenset({"a_id"})},
        )


def test_given_dependency_attributes_when_planned_then_they_order_what_no_link_orders() -> None:
    first, second = collection("a"), collection("b")

    made = planned(InventoryCollection(**{**_fields(first), "dependency_attributes": {"why": ("b",)}}), second)

    assert made.layers == (("b",), ("a",))


def test_given_dependency_attributes_in_a_ring_when_planned_then_they_are_refused_and_never_split() -> None:
    first = InventoryCollection(**{**_fields(collection("a")), "dependency_attributes": {"why": ("b",)}})
    second = InventoryCollection(**{**_fields(collection("b")), "dependency_attributes": {"so": ("a",)}})

    with pytest.raises(InvalidCollection, match=r"Cycle from a\.why to b\.so to a"):
        planned(first, second)


def _fields(item: InventoryCollection) -> dict[str, Any]:
    return {name: getattr(item, name) for name in ("name", "table", "manager_ref", "attributes", "links", "scope")}


def test_given_a_link_against_its_foreign_key_when_planned_then_the_fitting_collections_are_named() -> None:
    made = Table(
        "b",
        MetaData(),
        Column("id", BigInteger, primary_key=True),
        Column("owner", BigInteger, nullable=False),
        Column("ref", Text, nullable=False),
        Column("a_id", BigInteger, ForeignKey("a.id")),
        UniqueConstraint("owner", "ref"),
    )
    wrong = InventoryCollection(
        name="b", table=made, manager_ref=("ref",), attributes=("a_id",), links={"a_id": "c"}, scope=("owner",)
    )

    with pytest.raises(InvalidCollection, match=r"links a_id to c, but its foreign key leads to table a; .*: a"):
        planned(collection("a"), wrong, collection("c"))


def test_given_relations_within_relations_without_end_when_declared_then_the_depth_is_refused() -> None:
    chain = [collection(f"c{n}", (f"c{n + 1}_id", "ref"), **{f"c{n + 1}_id": f"c{n + 1}"}) for n in range(12)]
    collections = {item.name: item for item in (*chain, collection("c12"))}
    with pytest.raises(InvalidCollection, match="relations within relations more than 8 deep: c0 to c1 to"):
        forms_of(collections["c0"], collections)


async def test_given_a_cycle_through_an_identity_when_saved_then_both_ends_are_linked_by_two_passes(
    cloud: Cloud,
) -> None:
    cloud.changes = {"attributes": ("boot_disk_id",), "links": {"boot_disk_id": "disks"}, "secondary_refs": {}}

    def booting(ref: str) -> Make:
        return lambda c: c.machines.build(ref=ref, boot_disk_id=c.disks.lazy_find(c.machines.lazy_find(ref), "0"))

    objects = (disk("m1", "0"), booting("m2"), booting("m1"), disk("m2", "0"))

    await cloud.refresh(*objects)

    owners = dict(await cloud.rows(DISKS, "id", "machine_id"))
    boots = await cloud.by_ref("boot_disk_id")
    assert {ref: owners[disk_id] for ref, disk_id in boots.items()} == await cloud.by_ref("id")
    assert total(await cloud.refresh(*objects)) == 0


async def test_given_a_cycle_through_a_secondary_ref_when_saved_then_both_ends_are_linked_by_two_passes(
    cloud: Cloud,
) -> None:
    def below(ref: str, uuid: str, parent: str) -> Make:
        return lambda c: c.machines.build(ref=ref, uuid=uuid, parent_id=c.machines.lazy_find(parent, ref="by_uuid"))

    ring = (below("m1", "u1", "u2"), below("m2", "u2", "u1"))

    await cloud.refresh(*ring)

    ids = await cloud.by_ref("id")
    assert await cloud.by_ref("parent_id") == {"m1": ids["m2"], "m2": ids["m1"]}
    assert total(await cloud.refresh(*ring)) == 0


async def test_given_a_cycle_through_a_key_when_saved_then_it_is_refused_before_anything_is_written(
    cloud: Cloud,
) -> None:
    with pytest.raises(InvalidCollection, match=r"Cycle from machines\.parent_id: a relation that needs itself"):
        await cloud.refresh(
            machine("m1"),
            lambda c: c.machines.build(ref="m2", parent_id=c.machines.lazy_find("m1", key="parent_id")),
        )

    assert await cloud.by_ref("id") == {}

"""Declarations and the graph: what is refused when it is declared, and in which order collections are saved."""

import pytest
from sqlalchemy import BigInteger, Column, MetaData, Table, Text, UniqueConstraint

from craton_inv.providers.inventory_persister import HOSTS, InventoryPersister
from craton_inv.refresh.graph import plan
from craton_inv.refresh.inventory_collection import InvalidCollection, InventoryCollection
from craton_inv.refresh.ownership import Shared
from craton_inv.refresh.persister import Persister


def table(name: str, *links: str, nullable: bool = False, nulls_equal: bool = False, unique: bool = True) -> Table:
    """A table with a `ref` unique per owner, and a column per link."""
    columns = [Column(link, BigInteger) for link in links]
    constraints = [UniqueConstraint("owner", "ref", postgresql_nulls_not_distinct=nulls_equal)] if unique else []
    return Table(
        name,
        MetaData(),
        Column("id", BigInteger, primary_key=True),
        Column("owner", BigInteger, nullable=False),
        Column("ref", Text, nullable=nullable),
        Column("size", BigInteger),
        *columns,
        *constraints,
    )


def collection(
    name: str, links: dict[str, str] | None = None, identity: tuple[str, ...] = ("ref",)
) -> InventoryCollection:
    """A collection of such a table; links are attributes unless they are part of the identity."""
    links = links or {}
    made = table(name, *links)
    if identity != ("ref",):
        made = Table(
            name,
            MetaData(),
            Column("id", BigInteger, primary_key=True),
            Column("owner", BigInteger, nullable=False),
            Column("size", BigInteger),
            *(Column(column, BigInteger, nullable=False) for column in identity),
            UniqueConstraint("owner", *identity),
        )
    return InventoryCollection(
        name=name,
        table=made,
        manager_ref=identity,
        attributes=("size", *(column for column in links if column not in identity)),
        links=links,
        scope=("owner",),
    )


def planned(*collections: InventoryCollection) -> tuple[tuple[tuple[str, ...], ...], dict[str, tuple[str, ...]]]:
    made = plan({item.name: item for item in collections})
    return made.layers, dict(made.deferred)


def test_unlinked_collections_share_the_first_layer() -> None:
    assert planned(collection("a"), collection("b")) == ((("a", "b"),), {})


def test_a_chain_is_saved_from_its_end() -> None:
    chain = planned(collection("a", {"b_id": "b"}), collection("b", {"c_id": "c"}), collection("c"))
    assert chain == ((("c",), ("b",), ("a",)), {})


def test_a_diamond_has_three_layers() -> None:
    diamond = planned(
        collection("top", {"left_id": "left", "right_id": "right"}),
        collection("left", {"base_id": "base"}),
        collection("right", {"base_id": "base"}),
        collection("base"),
    )
    assert diamond[0] == (("base",), ("left", "right"), ("top",))


def test_a_link_to_itself_is_saved_by_a_second_pass() -> None:
    assert planned(collection("a", {"parent_id": "a"})) == ((("a",),), {"a": ("parent_id",)})


def test_a_cycle_is_split_where_it_closes() -> None:
    layers, deferred = planned(collection("a", {"b_id": "b"}), collection("b", {"a_id": "a"}))
    assert layers == (("b",), ("a",))
    assert deferred == {"b": ("a_id",)}


def test_a_cycle_is_split_at_a_link_that_is_no_identity() -> None:
    parts = collection("parts", {"machine_id": "machines"}, ("machine_id",))
    machines = collection("machines", {"self_id": "machines"})
    assert planned(parts, machines) == ((("machines",), ("parts",)), {"machines": ("self_id",)})


def test_collections_that_identify_one_another_are_refused() -> None:
    with pytest.raises(InvalidCollection, match=r"Cycle from a.b_id to b.a_id to a: no row"):
        planned(collection("a", {"b_id": "b"}, ("b_id",)), collection("b", {"a_id": "a"}, ("a_id",)))


def test_a_link_to_nowhere_is_refused() -> None:
    with pytest.raises(InvalidCollection, match="links b_id to b, which is not declared"):
        planned(collection("a", {"b_id": "b"}))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"manager_ref": ()}, "no manager_ref"),
        ({"manager_ref": ("nothing",)}, "has no column nothing"),
        ({"attributes": ("ref",)}, "names ref twice"),
        ({"links": {"id": "a"}}, "are no columns of it"),
        ({"scope": ()}, "no unique constraint"),
        ({"ownership": Shared()}, "holds links and nothing else"),
    ],
)
def test_a_bad_declaration_is_refused_at_once(changes: dict[str, object], reason: str) -> None:
    good: dict[str, object] = {"name": "a", "table": table("a"), "manager_ref": ("ref",), "attributes": ("size",)}
    with pytest.raises(InvalidCollection, match=reason):
        InventoryCollection(**{**good, "scope": ("owner",), **changes})  # type: ignore[arg-type]


def test_a_table_without_a_unique_constraint_is_refused() -> None:
    with pytest.raises(InvalidCollection, match="could save an object twice"):
        InventoryCollection(name="a", table=table("a", unique=False), manager_ref=("ref",), scope=("owner",))


def test_an_identity_that_may_be_null_needs_nulls_that_are_equal() -> None:
    with pytest.raises(InvalidCollection, match="NULLS NOT DISTINCT"):
        InventoryCollection(name="a", table=table("a", nullable=True), manager_ref=("ref",), scope=("owner",))
    equal = table("a", nullable=True, nulls_equal=True)
    assert InventoryCollection(name="a", table=equal, manager_ref=("ref",), scope=("owner",)).conflict_columns


def test_an_object_needs_its_identity_and_nothing_unknown() -> None:
    with pytest.raises(InvalidCollection, match="needs name"):
        HOSTS.build(variables={})
    with pytest.raises(InvalidCollection, match="has no colour"):
        HOSTS.build(name="h", colour="red")


def test_a_link_needs_every_part_of_the_identity() -> None:
    with pytest.raises(InvalidCollection, match="needs name; got 2 values"):
        HOSTS.lazy_find("a", "b")


def test_a_collection_is_declared_once() -> None:
    with pytest.raises(InvalidCollection, match="declared twice"):
        InventoryPersister(1).add_collection(HOSTS)


def test_standard_collections_are_saved_rows_first() -> None:
    assert InventoryPersister(1).plan().layers == (("inventory", "groups", "hosts"), ("memberships", "group_edges"))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"secondary_refs": {"by_colour": ("colour",)}}, "table a has no column colour"),
        ({"secondary_refs": {"manager_ref": ("size",)}}, "needs a name other than manager_ref"),
        ({"secondary_refs": {"by_size": ()}}, "at least one column"),
        ({"secondary_refs": {"again": ("ref",)}}, "'again' has the same columns as another ref: ref"),
        ({"manager_ref_allowed_nil": ("size",)}, "manager_ref_allowed_nil names size; its manager_ref is ref"),
        ({"manager_ref_allowed_nil": ("ref",)}, "names ref, which the table declares NOT NULL"),
        ({"attributes_blacklist": ("colour",)}, "attributes_blacklist names colour; its columns are ref, size"),
        ({"attributes_whitelist": ("colour",)}, "attributes_whitelist names colour; its columns are ref, size"),
        ({"default_values": {"colour": 1}}, "default_values names colour; its columns are ref, size"),
        ({"update_only": True, "create_only": True}, "update_only and create_only exclude one another"),
        ({"skeletal": True, "update_only": True}, "skeletal needs rows that one source owns alone and may create"),
        ({"parent_inventory_collections": ("b",)}, "parent_inventory_collections names b; its links lead to none"),
        ({"reconnect_by": "size"}, "reconnect_by needs a layered collection"),
    ],
)
def test_a_bad_option_is_refused_with_what_is_allowed(changes: dict[str, object], reason: str) -> None:
    good: dict[str, object] = {"name": "a", "table": table("a"), "manager_ref": ("ref",), "attributes": ("size",)}
    with pytest.raises(InvalidCollection, match=f"^Collection a: .*{reason}"):
        InventoryCollection(**{**good, "scope": ("owner",), **changes})  # type: ignore[arg-type]


def test_a_placeholder_needs_a_value_for_what_may_not_be_null() -> None:
    made = Table(
        "a",
        MetaData(),
        Column("id", BigInteger, primary_key=True),
        Column("owner", BigInteger, nullable=False),
        Column("ref", Text, nullable=False),
        Column("size", BigInteger, nullable=False),
        UniqueConstraint("owner", "ref"),
    )
    good = {"name": "a", "table": made, "manager_ref": ("ref",), "attributes": ("size",), "scope": ("owner",)}
    with pytest.raises(InvalidCollection, match="skeletal needs default_values for size"):
        InventoryCollection(**good, skeletal=True)  # type: ignore[arg-type]
    assert InventoryCollection(**good, skeletal=True, default_values={"size": 0})  # type: ignore[arg-type]


def test_an_attribute_that_a_staging_table_adds_itself_is_refused() -> None:
    made = Table(
        "a",
        MetaData(),
        Column("id", BigInteger, primary_key=True),
        Column("ref", Text, nullable=False, unique=True),
        Column("sent", BigInteger),
        UniqueConstraint("ref"),
    )
    with pytest.raises(InvalidCollection, match="a staging table has a column sent of its own"):
        InventoryCollection(name="a", table=made, manager_ref=("ref",), attributes=("sent",))


def test_a_changed_property_is_checked_like_a_new_declaration() -> None:
    with pytest.raises(InvalidCollection, match="has no column colour"):
        InventoryPersister(1).add_collection("hosts", secondary_refs={"by_colour": ("colour",)})


def test_a_parent_that_no_foreign_key_leads_to_is_refused_when_declared() -> None:
    persister = Persister()
    persister.add_collection(collection("a", {"b_id": "b"}), parent_inventory_collections=("b",))
    persister.add_collection(collection("b"))
    with pytest.raises(InvalidCollection, match="Collection a names b as a parent, but b_id has no foreign key"):
        persister.plan()

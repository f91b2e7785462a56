"""Declarations: what is refused when it is declared, with what is allowed instead."""

import pytest
from sqlalchemy import BigInteger, Column, MetaData, Table, Text, UniqueConstraint

from craton_inv.providers.inventory_persister import HOSTS, InventoryPersister
from craton_inv.refresh.inventory_collection import InvalidCollection, InventoryCollection
from craton_inv.refresh.ownership import Shared
from craton_inv.refresh.persister import Persister


def table(name: str, *, nullable: bool = False, nulls_equal: bool = False, unique: bool = True) -> Table:
    """A table with a `ref` unique per owner."""
    constraints = [UniqueConstraint("owner", "ref", postgresql_nulls_not_distinct=nulls_equal)] if unique else []
    return Table(
        name,
        MetaData(),
        Column("id", BigInteger, primary_key=True),
        Column("owner", BigInteger, nullable=False),
        Column("ref", Text, nullable=nullable),
        Column("size", BigInteger),
        Column("b_id", BigInteger),
        *constraints,
    )


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
        ({"name_filter": "web", "manager_ref": ("b_id",)}, "name_filter goes by b_id, which is no text"),
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
    part = InventoryCollection("a", table("a"), ("ref",), attributes=("b_id",), links={"b_id": "b"}, scope=("owner",))
    persister.add_collection(part, parent_inventory_collections=("b",))
    persister.add_collection(InventoryCollection("b", table("b"), ("ref",), scope=("owner",)))
    with pytest.raises(InvalidCollection, match="Collection a names b as a parent, but b_id has no foreign key"):
        persister.plan()

"""Query parameters of lists: AWX's forms and texts, through the same nodes as host_filter."""

import pytest
from sqlalchemy.dialects.postgresql import asyncpg

from craton_inv.errors import Forbidden, InvalidFilter
from craton_inv.filters import list_conditions, list_node
from craton_inv.filters.nodes import Term, leaves, path_text
from tests.filters.world import Group, Host

IN_GROUP = (
    "host.id IN (SELECT membership.host_id FROM membership WHERE membership.group_id IN"
    " (SELECT host_group.id FROM host_group WHERE {}))"
)


def sql(*params: tuple[str, str], model: type = Host) -> str:
    """The condition that parameters mean, on one line."""
    condition = list_conditions(params, model)
    assert condition is not None
    return " ".join(str(condition.compile(dialect=asyncpg.dialect())).split())


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ([("name", "a")], "host.name = $1::VARCHAR"),
        ([("name", "null")], "host.name = $1::VARCHAR"),
        ([("name__icontains", "a")], "host.name ILIKE $1::VARCHAR"),
        ([("id__int", "3")], "host.id = $1::BIGINT"),
        ([("pk", "3")], "host.id = $1::BIGINT"),
        ([("inventory", "3")], "host.inventory_id = $1::BIGINT"),
        ([("tenant", "None")], "host.tenant_id IS NULL"),
        ([("id__in", "1,2")], "host.id IN ($1::BIGINT, $2::BIGINT)"),
        ([("not__name", "a")], "(host.name = $1::VARCHAR) IS NOT true"),
        (
            [("or__name", "a"), ("or__not__id", "1"), ("enabled", "true")],
            "(host.name = $1::VARCHAR OR (host.id = $2::BIGINT) IS NOT true) AND host.enabled = $3::BOOLEAN",
        ),
        ([("name__int", " +007 ")], "host.name = $1::VARCHAR"),
        (
            [("or__not__name", "a"), ("chain__not__id", "1")],
            "(host.id = $1::BIGINT) IS NOT true AND (host.name = $2::VARCHAR) IS NOT true",
        ),
        ([("groups", "5")], IN_GROUP.format("host_group.id = $1::BIGINT")),
        ([("search", "a")], "host.name ILIKE $1::VARCHAR OR host.description ILIKE $2::VARCHAR"),
        ([("enabled__exact", "f"), ("page", "2")], "host.enabled = $1::BOOLEAN"),
    ],
)
def test_a_parameter_is_a_condition(params: list[tuple[str, str]], expected: str) -> None:
    assert sql(*params) == expected


def test_plain_terms_over_a_relation_hold_on_the_same_row() -> None:
    assert sql(("groups__name", "g1"), ("groups__description", "g2")) == IN_GROUP.format(
        "host_group.name = $1::VARCHAR AND host_group.description = $2::VARCHAR"
    )


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ([("groups", "5"), ("groups__name", "g1")], "host_group.id = $1::BIGINT AND host_group.name = $2::VARCHAR"),
        ([("groups__in", "5, 6"), ("groups__id", "5")], "host_group.id IN ($1::BIGINT, $2::BIGINT) AND"),
        ([("groups__lt", "9"), ("groups__gte", "5")], "host_group.id < $1::BIGINT AND host_group.id >= $2::BIGINT"),
    ],
)
def test_the_id_of_a_relation_is_that_of_the_same_row(params: list[tuple[str, str]], expected: str) -> None:
    condition = sql(*params)
    assert expected in condition
    assert condition.count("SELECT host_group.id") == 1


@pytest.mark.parametrize(
    ("key", "text", "path"),
    [
        ("groups", "5", "groups__pk"),
        ("groups", "none", "groups"),
        ("groups__isnull", "true", "groups__isnull"),
        ("groups__in", "5,none", "groups__in"),
        ("groups__inventory__gt", "5", "groups__inventory__gt"),
        ("groups__parents__gt", "5", "groups__parents__pk__gt"),
        ("chain__groups", "5", "groups"),
    ],
)
def test_only_what_a_related_row_must_be_is_asked_of_the_row(key: str, text: str, path: str) -> None:
    node = list_node([(key, text)], Host)
    assert node is not None
    assert [path_text(leaf.path) for leaf in leaves(node)] == [path]


def test_chained_terms_over_a_relation_may_hold_on_different_rows() -> None:
    assert sql(("chain__groups__name", "g1"), ("chain__groups__name", "g2")) == " AND ".join(
        [IN_GROUP.format("host_group.name = $1::VARCHAR"), IN_GROUP.format("host_group.name = $2::VARCHAR")]
    )


def test_every_word_of_a_search_must_be_found() -> None:
    node = list_node([("search", 'web "two words",db')], Host)
    assert node is not None
    assert [leaf.value.text for leaf in leaves(node) if isinstance(leaf, Term)] == ["web", "two words", "db"]
    assert sql(("search", 'web "two words",db')).count(" AND ") == 2


def test_facts_as_a_whole_are_text_to_a_lone_lookup() -> None:
    assert "CAST(host_facts.facts AS TEXT) ILIKE" in sql(("ansible_facts__icontains", "centos"))
    assert "host_facts.facts @>" in sql(("ansible_facts__icontains__x", "centos"))


def test_many_terms_count_wherever_they_stand() -> None:
    many = [("or__name", f"a{number}") for number in range(150)] + [("id__gt", str(n)) for n in range(60)]
    with pytest.raises(InvalidFilter, match=r"^210 filters; at most 200 are read$"):
        list_conditions(many, Host)


def test_a_repeated_relation_search_needs_one_of_them() -> None:
    assert " OR host_group.name ILIKE" in sql(("groups__search", "a"), ("groups__search", "b"))


@pytest.mark.parametrize(
    ("params", "pieces"),
    [
        ([("groups__search", "a,b")], "a and b"),
        ([("groups__search", "a, b"), ("groups__search", "c")], "a and b and c"),
        ([("groups__search", "a"), ("groups__search", "b,c")], "a or b,c"),
        ([("chain__groups__search", "a"), ("chain__groups__search", "b")], "a and b"),
        ([("or__groups__search", "a"), ("or__name", "b")], "a or b"),
        ([("not__groups__search", "a")], "not a"),
        ([("ansible_facts__search", "a,b")], "a,b"),
    ],
)
def test_searches_over_relations_join_as_awx_joins_them(params: list[tuple[str, str]], pieces: str) -> None:
    node = list_node(params, Host)
    assert node is not None
    texts = [leaf.value.text for leaf in leaves(node) if isinstance(leaf, Term)]
    word = " or " if " or " in pieces else " and "
    assert texts == pieces.removeprefix("not ").split(word)
    alternatives = " OR host_group.name ILIKE" in sql(*params) or " UNION ALL " in sql(*params)
    assert alternatives == (word == " or ")
    assert ("NOT" in sql(*params)) == pieces.startswith("not")


def test_an_int_suffix_makes_a_number_of_a_value_in_facts() -> None:
    node = list_node([("ansible_facts__cpus__gt__int", "8"), ("ansible_facts__cpus", "8")], Host)
    assert node is not None
    assert [leaf.value.quoted for leaf in leaves(node) if isinstance(leaf, Term)] == [False, True]


def test_parameters_that_are_no_filters_give_no_condition() -> None:
    assert list_conditions([("page", "2"), ("order_by", "x"), ("host_filter", "!!"), ("limit", "3")], Host) is None


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("foo", "1", "Host has no field named 'foo'"),
        ("nmae", "1", "Host has no field named 'nmae'; did you mean \"name\"?"),
        ("name__year", "1", "No related model for field year."),
        ("nàme", "1", "nàme is not an allowed field name. Must be ascii encodable."),
        ("", "1", "Query string field name not provided."),
        ("__", "1", "__ is not a field"),
        ("groups__parents__parents", "1", "Loops not allowed in filters, detected on field parents."),
        ("id", "abc", '["“abc” value must be an integer.", "Field \\"id\\" takes a whole number'),
        ("id", "null", '["“null” value must be an integer.'),
        ("enabled", "maybe", 'Unable to convert "maybe" to boolean. Field "enabled" takes true, false'),
        ("inventory", "abc", 'Invalid inventory id: abc. Field "inventory" takes the id of a related row'),
        ("created__gt", "garbage", '["“garbage” value has an invalid format. It must be in YYYY-MM-DD'),
        ("name__in", "", "cannot provide empty value for __in"),
        ("name", "a\0", '["“a\\\\x00” value is invalid."'),
        ("enabled__iexact", "true", "enabled is not a text field and cannot be filtered by case-insensitive search"),
        ("name__search", "a,b", "name is not searchable"),
        ("name__int", "abc", "invalid literal for int() with base 10: 'abc'"),
        ("id__in__int", "1,2", "invalid literal for int() with base 10: '1,2'"),
        ("chain__or__name", "a", "Host has no field named 'or'"),
        ("not__or__name", "a", "Host has no field named 'or'"),
        ("not__not__name", "a", "Host has no field named 'not'"),
        ("name__range", "a", "No related model for field range."),
        ("x" * 5000, "1", "x"),
    ],
)
def test_a_bad_parameter_is_refused_in_awx_words(key: str, text: str, message: str) -> None:
    with pytest.raises(InvalidFilter) as caught:
        list_conditions([(key, text)], Host)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    "key", ["created_by__password", "created_by__password_hash__startswith", "not__created_by__password"]
)
def test_a_secret_is_forbidden(key: str) -> None:
    with pytest.raises(Forbidden, match=r"^Filtering on password(_hash)? is not allowed\.$"):
        list_conditions([(key, "pbkdf2")], Host)


def test_a_relation_back_to_its_own_kind_is_reached() -> None:
    assert "edge.parent_id" in sql(("parents__name", "a"), model=Group)

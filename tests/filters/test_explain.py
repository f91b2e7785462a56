"""What a filter tells of itself without a database, held against what it compiles to."""

import re
from datetime import UTC, datetime

import pytest
from sqlalchemy.dialects.postgresql import asyncpg

from craton_inv.errors import InvalidFilter
from craton_inv.filters import parse
from craton_inv.filters.completion import Inside, complete
from craton_inv.filters.explain import ExplainedTerm, explain_terms, holds
from craton_inv.filters.hints import nearest_paths, type_clash, type_hints
from craton_inv.filters.lookups import LOOKUPS
from craton_inv.filters.nodes import leaves
from craton_inv.filters.paths import catalogue
from craton_inv.filters.shapes import written_path
from tests.filters.world import Host

NOW = datetime(2024, 6, 15, 12, tzinfo=UTC)


def explained(text: str) -> ExplainedTerm:
    """The first term of a filter."""
    return explain_terms(parse(text), Host, NOW)[0]


def sql(term: ExplainedTerm) -> str:
    """The condition of a term, with one blank between words."""
    return " ".join(str(term.compiled.condition.compile(dialect=asyncpg.dialect())).split())


OPERATORS = [
    ("name=x", ["="]),
    ("name__icontains=x", ["ILIKE"]),
    ("name__contains=x", ["LIKE"]),
    ("name ~ x", ["~"]),
    ("name__iregex=x", ["~*"]),
    ("name in (a, b)", ["IN"]),
    ("state=null", ["IS NULL"]),
    ("state__isnull=false", ["IS NOT NULL"]),
    ("state in (a, null)", ["IS NULL", "IN"]),
    ("id >= 3", [">="]),
    ("ip_address=10.0.0.0/8", ["<<="]),
    ("search=x", ["ILIKE"]),
    ("group__search=x", ["IN (sub-query)", "ILIKE"]),
    ("groups__name=a", ["IN (sub-query)", "="]),
    ("all_groups__parents__name=a", ["IN (sub-query)", "IN (sub-query)", "="]),
    ("ansible_facts__a=8", ["IN (sub-query)", "@>"]),
    ("ansible_facts__a > 8", ["IN (sub-query)", "jsonb_path_exists"]),
    ("variables__a=8", ["@>"]),
    ("variables__a__icontains=x", ["jsonb_path_exists"]),
    ("variables__icontains=x", ["ILIKE"]),
    ("created_by=5", ["="]),
]


@pytest.mark.parametrize(("text", "operators"), OPERATORS)
def test_a_term_tells_its_operators_outermost_first(text: str, operators: list[str]) -> None:
    assert list(explained(text).operators) == operators


VALUES = {"isnull": "true", "gt": "5", "gte": "5", "lt": "5", "lte": "5", "exact": "5", "in": "5,6"}
FIELDS = {
    "text": "name",
    "integer": "id",
    "boolean": "enabled",
    "timestamp": "created",
    "address": "ip_address",
    "json": "ansible_facts__a",
    "relation": "groups",
}
FITTING = {"timestamp": "2024-01-01", "address": "10.0.0.1", "boolean": "true"}


@pytest.mark.parametrize("name", sorted(set(LOOKUPS) - {"search"}))
@pytest.mark.parametrize("kind", FIELDS)
def test_every_operator_told_is_in_the_sql_that_runs(kind: str, name: str) -> None:
    if kind not in LOOKUPS[name].kinds:
        with pytest.raises(InvalidFilter):
            explained(f"{FIELDS[kind]}__{name}=x")
        return
    value = "true" if name == "isnull" else FITTING.get(kind, VALUES.get(name, "5"))
    term = explained(f"{FIELDS[kind]}__{name}={value}")
    assert term.operators
    for word in term.operators:
        found = word.replace(" (sub-query)", " (SELECT").replace("EXISTS (", "EXISTS ?(")
        pattern = re.escape(found) if found[0] not in "NE" else found.replace("(SELECT", r"\(SELECT").replace("?(", "?")
        assert re.search(pattern, sql(term)), (word, sql(term))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("name=0012", [("text", "0012")]),
        ("id=0012", [("integer", 12)]),
        ("enabled=t", [("boolean", True)]),
        ("created > now-1d", [("timestamp", "2024-06-14T12:00:00Z")]),
        ("ip_address in (10.1.0.0/16, 10.0.0.1)", [("network", "10.1.0.0/16"), ("address", "10.0.0.1")]),
        ("ansible_facts__a=8", [("number", 8)]),
        ('ansible_facts__a="8"', [("string", "8")]),
        ("ansible_facts__a in (true, null, x)", [("boolean", True), ("null", None), ("string", "x")]),
        ("ansible_facts__a__in=8,x", [("string", "8"), ("string", "x")]),
        ("ansible_facts__a__isnull=1", [("boolean", True)]),
        ("ansible_facts__a__icontains=8", [("text", "8")]),
        ("name ~ '^a'", [("regular expression", "^a")]),
        ("groups=5", [("id", 5)]),
        ("groups=null", [("null", None)]),
        ("name=null", [("null", None)]),
        ("name__iexact=null", [("null", None)]),
        ("search=x", [("text", "x")]),
    ],
)
def test_a_value_is_told_as_its_field_takes_it(text: str, meant: list[tuple[str, object]]) -> None:
    assert [tuple(each) for each in explained(text).meant] == meant


def test_the_lookup_told_is_the_one_that_an_operator_stands_for() -> None:
    told = [
        (term.operator, term.lookup)
        for term in explain_terms(parse("id > 1 and name__iexact=a or id in (1)"), Host, NOW)
    ]
    assert told == [(">", "gt"), ("=", "iexact"), ("in", "in")]


@pytest.mark.parametrize(
    ("text", "verdicts", "expected"),
    [
        ("id=1 and id=2", [True, False], False),
        ("id=1 and id=2", [True, None], None),
        ("id=1 and id=2", [None, False], False),
        ("id=1 or id=2", [None, True], True),
        ("id=1 or id=2", [None, False], None),
        ("not id=1", [False], True),
        ("not id=1", [None], None),
        ("id=1 or not (id=2 and id=3)", [False, True, True], False),
        ("id=1 or not (id=2 and id=3)", [False, True, False], True),
    ],
)
def test_what_terms_say_of_a_host_decides_what_the_filter_says(
    text: str, verdicts: list[bool | None], expected: bool | None
) -> None:
    node = parse(text)
    assert len(leaves(node)) == len(verdicts)
    assert holds(node, iter(verdicts)) is expected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('variables__a="8"', '`variables__a = "8"` is text; 2 hosts hold the number 8'),
        ("variables__a=8", '`variables__a = 8` is a number; 2 hosts hold the text "8"'),
        ("variables__a=true", '`variables__a = true` is a boolean; 2 hosts hold the text "true"'),
        ("variables__a=True", "`variables__a = True` is text; 2 hosts hold the boolean true"),
        ('variables__a="null"', '`variables__a = "null"` is text; 2 hosts hold the value null'),
        ("variables__a__in=8,16", 'in `variables__a__in = 8,16`, "8", "16" are texts; 2 hosts hold the numbers 8, 16'),
        ("variables__a in (8, x)", 'in `variables__a in (8, x)`, 8 is a number; 2 hosts hold the text "8"'),
    ],
)
def test_a_value_of_another_type_is_hinted_at(text: str, sentence: str) -> None:
    [hint] = type_hints(explained(text))
    assert hint.said(2) == sentence


@pytest.mark.parametrize("text", ["variables__a=x", "variables__a > 8", "name=8", "variables__a__isnull=true"])
def test_where_no_other_type_could_be_meant_there_is_no_hint(text: str) -> None:
    assert type_hints(explained(text)) == []


def test_one_host_is_spoken_of_as_one() -> None:
    [hint] = type_hints(explained("variables__a=8"))
    assert hint.said(1).endswith('1 host holds the text "8"')


@pytest.mark.parametrize(
    ("text", "seen", "clash"),
    [
        ("ansible_facts__v > 7", ["string"], "looks at numbers alone; what was seen there is a string"),
        ("ansible_facts__v ~ 7", ["number", "null"], "looks at strings alone; what was seen there is a number or null"),
        ("ansible_facts__v > 7", ["string", "number"], None),
        ("ansible_facts__v > 7", [], None),
        ("ansible_facts__v = 7", ["string"], None),
    ],
)
def test_a_comparison_with_a_type_never_seen_is_told(text: str, seen: list[str], clash: str | None) -> None:
    assert type_clash(explained(text), seen) == (clash and f"`{text}` {clash}")


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        ("ansible_facts__ansible_distributon", ["ansible_facts__ansible_distribution"]),
        ("ansible_facts__distribution", ["ansible_facts__ansible_distribution"]),
        ("ansible_facts__mtu", ["ansible_facts__ansible_lo__mtu"]),
        ("ansible_facts__ansible_lo", ["ansible_facts__ansible_lo__mtu"]),
        ("ansible_facts__ansible_processor", ["ansible_facts__ansible_processor[]"]),
        ("ansible_facts__nothing_of_the_kind", []),
    ],
)
def test_paths_that_were_probably_meant_are_named(path: str, nearest: list[str]) -> None:
    known = ["ansible_distribution", "ansible_lo__mtu", "ansible_processor[]", "ansible_kernel"]
    assert nearest_paths(path, [f"ansible_facts__{each}" for each in known]) == nearest


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("ansible_facts__a__b[]__c=1", "ansible_facts__a__b[]__c"),
        ('"ansible_facts__a__b"=1', "ansible_facts__a__b"),
        ('ansible_facts__"a"=1', "ansible_facts__a"),
        ('ansible_facts__"a__b"=1', 'ansible_facts__"a__b"'),
        ('ansible_facts__x__"gt"=1', 'ansible_facts__x__"gt"'),
    ],
)
def test_a_path_is_written_as_the_catalogue_has_it(text: str, written: str) -> None:
    assert written_path("ansible_facts", explained(text).leaf.path[1:]) == written


def names(prefix: str) -> list[str]:
    """The paths that a prefix goes on with."""
    found = complete(prefix, Host)
    assert isinstance(found, list)
    return [choice.path for choice in found]


def test_the_first_level_is_what_compiling_knows_without_secrets() -> None:
    assert set(names("")) == catalogue(Host).known
    assert names("created_by__") == ["created_by__id", "created_by__pk", "created_by__search", "created_by__username"]


def test_a_prefix_goes_on_over_relations() -> None:
    assert names("groups__na") == ["groups__name"]
    assert "inventory__tenant__name" in names("inventory__tenant__")


def test_a_relation_met_already_is_not_offered_again() -> None:
    assert "groups__parents" in names("groups__")
    assert "groups__parents__parents" not in names("groups__parents__")


@pytest.mark.parametrize("prefix", ["nothing", "name__", "nope__name", "created_by__password"])
def test_a_prefix_that_leads_nowhere_has_no_paths(prefix: str) -> None:
    assert names(prefix) == []


def test_every_path_offered_can_be_written() -> None:
    for choice in complete("", Host) + complete("groups__", Host):  # type: ignore[operator]
        if choice.field_type != "json":
            value = {"rows": "x", "text": "x", "relation": "1", "integer": "1", "boolean": "true", "address": "::1"}
            explained(f"{choice.path}={value.get(choice.field_type, '2024-01-01')}")


def test_a_prefix_into_json_says_where_it_leads() -> None:
    found = complete("inventory__hosts__ansible_facts__ansible_lo__", Host)
    assert found == Inside("inventory__hosts__", "ansible_facts", "ansible_facts__ansible_lo__")


def test_another_name_says_what_it_is_the_same_as() -> None:
    same = {choice.path: choice.same_as for choice in complete("", Host)}  # type: ignore[union-attr]
    assert (same["group"], same["organization"], same["pk"], same["groups"]) == ("groups", "tenant", "id", None)

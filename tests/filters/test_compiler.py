"""Ring 2: what a filter becomes in SQL, and which fields, lookups and values are refused with which words."""

import random
from datetime import UTC, datetime

import pytest
from sqlalchemy.dialects.postgresql import asyncpg

from craton_inv.errors import InvalidFilter
from craton_inv.filters import compile_where, counted_page, parse, validate
from tests.filters.world import Group, Host

NOW = datetime(2024, 6, 15, 12, tzinfo=UTC)


def sql(text: str, model: type = Host) -> tuple[str, list[object]]:
    """The condition on one line, with its parameters in order."""
    compiled = compile_where(parse(text), model, now=NOW).compile(dialect=asyncpg.dialect())
    names = compiled.positiontup or []
    return " ".join(str(compiled).split()), [compiled.params[name] for name in names]


def refusal(text: str) -> InvalidFilter:
    """The refusal that a filter gets when it is saved."""
    with pytest.raises(InvalidFilter) as caught:
        validate(text, Host)
    return caught.value


def contained(text: str) -> object:
    """The one document that a fact term looks for."""
    condition, parameters = sql(text)
    assert condition == (
        "host.id IN (SELECT host_facts.host_id FROM host_facts WHERE (host_facts.facts @> CAST($1::VARCHAR AS JSONB)))"
    )
    return parameters[0]


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("a__b__c[]=3", '{"a":{"b":{"c":[3]}}}'),
        ("a__b__c[]=3.14", '{"a":{"b":{"c":[3.14]}}}'),
        ("a__b__c[]=true", '{"a":{"b":{"c":[true]}}}'),
        ("a__b__c[]=false", '{"a":{"b":{"c":[false]}}}'),
        ('a__b__c[]="true"', '{"a":{"b":{"c":["true"]}}}'),
        ('a__b__c[]="hello world"', '{"a":{"b":{"c":["hello world"]}}}'),
        ('a__b__c[]__d[]="foobar"', '{"a":{"b":{"c":[{"d":["foobar"]}]}}}'),
        ('a__b__c[]__d="foobar"', '{"a":{"b":{"c":[{"d":"foobar"}]}}}'),
        ('a__b__c[]__d__e="foobar"', '{"a":{"b":{"c":[{"d":{"e":"foobar"}}]}}}'),
        ('a__b__c[]__d__e[]="foobar"', '{"a":{"b":{"c":[{"d":{"e":["foobar"]}}]}}}'),
        ('a__b__c[]__d__e__f[]="foobar"', '{"a":{"b":{"c":[{"d":{"e":{"f":["foobar"]}}}]}}}'),
        ("a=null", '{"a":null}'),
        ('c="null"', '{"c":"null"}'),
        ('a__exact="true"', '{"a":"true"}'),
        ("a=+0012", '{"a":12}'),
        ("a=-0.10", '{"a":-0.10}'),
        ("a=1e3", '{"a":"1e3"}'),
        ("a=True", '{"a":"True"}'),
        ("a=99999999999999999999999", '{"a":99999999999999999999999}'),
        ("has_keys=x", '{"has_keys":"x"}'),
        ("a__has_keys=cent", '{"a":{"has_keys":"cent"}}'),
        ("search=x", '{"search":"x"}'),
        ("a__search=x", '{"a":{"search":"x"}}'),
        ("gt=3", '{"gt":3}'),
        ('a__"gt"=3', '{"a":{"gt":3}}'),
        ('"a__b"__c=3', '{"a__b":{"c":3}}'),
        ("ansible_distribution=レッドハット", '{"ansible_distribution":"レッドハット"}'),
        ("""a='x" } || \\'""", '{"a":"x\\" } || \\\\"}'),
    ],
)
def test_equality_on_facts_is_containment(path: str, document: str) -> None:
    assert contained(f"ansible_facts__{path}") == document


def test_a_comparison_on_facts_is_a_strict_jsonpath_with_a_bound_variable() -> None:
    condition, parameters = sql('ansible_facts__a[]__"b" >= 3.10')
    assert "jsonb_path_exists(host_facts.facts, CAST($1::VARCHAR AS JSONPATH), CAST($2::VARCHAR AS JSONB)" in condition
    assert parameters == ['strict $ ? (exists(@."a"[*] ? (exists(@."b" ? (@ >= $v)))))', '{"v":3.10}', True]


def test_each_relation_term_is_its_own_subquery() -> None:
    condition, _ = sql("groups__name=a and groups__name=b")
    one = (
        "host.id IN (SELECT membership.host_id FROM membership WHERE membership.group_id IN"
        " (SELECT host_group.id FROM host_group WHERE host_group.name = {}))"
    )
    assert condition == one.format("$1::VARCHAR") + " AND " + one.format("$2::VARCHAR")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("inventory=3", "host.inventory_id = $1::BIGINT"),
        ("tenant=null", "host.tenant_id IS NULL"),
        ("organization__isnull=true", "host.tenant_id IS NULL"),
        (
            "inventory__name=a",
            "host.inventory_id IN (SELECT inventory.id FROM inventory WHERE inventory.name = $1::VARCHAR)",
        ),
        ("name=null", "host.name IS NULL"),
        ("name=0012", "host.name = $1::VARCHAR"),
        ("not state=x", "(host.state = $1::VARCHAR) IS NOT true"),
        ("state in (a, null)", "host.state IS NULL OR host.state IN ($1::VARCHAR)"),
        ("state__in=a,b", "host.state IN ($1::VARCHAR, $2::VARCHAR)"),
        ("search=a", "host.name ILIKE $1::VARCHAR OR host.description ILIKE $2::VARCHAR"),
        ("name__contains=a", "host.name LIKE $1::VARCHAR"),
        ("name ~ ^a", "host.name ~ $1::VARCHAR"),
        ("name__iregex=^a", "host.name ~* $1::VARCHAR"),
        ("id__icontains=3", "CAST(host.id AS TEXT) ILIKE $1::VARCHAR"),
        ("ip_address=10.0.0.0/8", "host.ip_address <<= CAST($1::VARCHAR AS INET)"),
        ('variables__icontains="env: prod"', "host.variables_text ILIKE $1::VARCHAR"),
        ("variables=x", "host.variables_text = $1::VARCHAR"),
        ("variables__env=prod", "host.variables @> CAST($1::VARCHAR AS JSONB)"),
    ],
)
def test_a_term_on_a_column(text: str, expected: str) -> None:
    assert sql(text)[0] == expected


@pytest.mark.parametrize("text", ["group__search=foo", "groups__search=foo"])
def test_a_relation_is_searched_by_its_name_and_its_singular(text: str) -> None:
    assert "host_group.name ILIKE $1::VARCHAR OR host_group.description ILIKE" in sql(text)[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("created > now-7d", datetime(2024, 6, 8, 12, tzinfo=UTC)),
        ("created > now", NOW),
        ("created < 2024-01-02", datetime(2024, 1, 2, tzinfo=UTC)),
        ("created < 2024-01-02T03:04:05+02:00", datetime(2024, 1, 2, 1, 4, 5, tzinfo=UTC)),
        ('id="8"', 8),
        ("enabled=T", True),
        ('enabled="0"', False),
        ("name=3.10", "3.10"),
        ("name__icontains=50%_\\", "%50\\%\\_\\\\%"),
    ],
)
def test_a_value_is_typed_by_its_field(text: str, value: object) -> None:
    assert sql(text)[1] == [value]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nmae=a", 'Invalid query nmae=a: no field "nmae" on host at column 1; did you mean "name"?'),
        (
            "name=a and groups__nmae=b",
            'No related model for field nmae. No field "nmae" on group at column 12; did you mean "name"?',
        ),
        ("name__year=3", 'No related model for field year. No field "year" on name at column 1'),
        ("groups__parents__parents__name=a", "Loops not allowed in filters, detected on field parents."),
        ("created_by__password__icontains=pbkdf2", "Filtering on password is not allowed."),
        ("search=foo or created_by__password_hash=x", "Filtering on password_hash is not allowed."),
        ("created_by__note=x", "No related model for field note."),
        ("id=abc", '“abc” value must be an integer. Field "id" takes a whole number of at most 64 bits (at column 4).'),
        ("id=9223372036854775808", "“9223372036854775808” value must be an integer."),
        ("enabled=yes", 'Unable to convert "yes" to boolean. Field "enabled" takes true, false, 1, 0, t or f'),
        ("created > garbage", "“garbage” value has an invalid format."),
        ("created > now-999999999w", "“now-999999999w” value has an invalid format."),
        ("created > 0001-01-01T00:00:00+14:00", "“0001-01-01T00:00:00+14:00” value has an invalid format."),
        ("ip_address=10.0.0.300", "“10.0.0.300” is not an IPv4 or IPv6 address."),
        ("ip_address=fe80::1%eth0", "“fe80::1%eth0” is not an IPv4 or IPv6 address."),
        ("ip_address in (10.0.0.0/8, x)", "“x” is not an IPv4 or IPv6 address."),
        ('name="a\0b"', "“a\\x00b” value is invalid."),
        ("name=\ud800", "“\\ud800” value is invalid."),
        ('ansible_facts__"a\0"=1', "“a\\x00” value is invalid."),
        ("ansible_facts=3", "ansible_facts needs a path into it"),
        ("ansible_facts[]__a=3", "ansible_facts is an object, not an array"),
        ("name[]=a", '"[]" goes with arrays in JSON; name is none'),
        ("groups=abc", "Invalid groups id: abc"),
        ("enabled__iexact=true", "enabled is not a text field and cannot be filtered by case-insensitive search"),
        ("name__search=a", "name is not searchable"),
        ('groups__"search"=a', "No related model for field search."),
        ("groups__icontains=a", "groups is of kind relation and does not take icontains; it takes exact, gt"),
        ("name__icontains > 3", '">" and "__icontains" both say how to compare'),
        ("search=null", "Cannot use None as a query value."),
        ("name__in=''", "cannot provide empty value for __in"),
        ("ansible_facts__a > null", "“null” cannot be compared by order."),
        ('name ~ "(a)\\1"', "back-references in regular expressions are not taken"),
        (f"name ~ {'a' * 129}", "a regular expression of 129 characters; at most 128 are taken"),
        ("ansible_facts__a__isnull=maybe", 'Unable to convert "maybe" to boolean.'),
    ],
)
def test_what_does_not_fit_is_refused_in_plain_words(text: str, message: str) -> None:
    error = refusal(text)
    assert error.message.startswith(message)
    assert error.status == 400
    assert error.column > 0


@pytest.mark.parametrize("root", ["ansible_facts", "variables"])
def test_a_long_list_on_json_is_one_parameter_whose_values_are_looked_up_one_by_one(root: str) -> None:
    condition, _ = sql(f"{root}__a in ({','.join(map(str, range(300)))})")
    assert condition.count("@>") == 1
    assert "unnest(" in condition


@pytest.mark.parametrize("text", ["search__icontains=a", "groups__search__search=a"])
def test_a_hint_is_another_name_than_the_one_written(text: str) -> None:
    assert "did you mean" not in refusal(text).message


def test_a_counted_page_finds_its_ids_first() -> None:
    page = counted_page(Host, [compile_where(parse("name=a"), Host)], [], offset=0, limit=25)
    assert "AS MATERIALIZED" in str(page.compile(dialect=asyncpg.dialect()))


def test_a_self_relation_names_its_own_rows() -> None:
    condition, _ = sql("parents__name=a", Group)
    assert condition == (
        "host_group.id IN (SELECT edge.child_id FROM edge WHERE edge.parent_id IN"
        " (SELECT host_group.id FROM host_group WHERE host_group.name = $1::VARCHAR))"
    )


def test_mutated_filters_compile_or_are_refused() -> None:
    seeds = [
        "name=localhost or group__name=local",
        '(name=localhost or name=database) and (groups__name=east or groups__name="west coast")',
        'ansible_facts__ansible_lo__ipv6[]__scope="host" and not id in (1, 2, null)',
        "created > now-7d and ip_address=10.0.0.0/8 or variables__icontains='a b'",
        "name !~ ^a and enabled != false and inventory__organization__name__iexact=x",
    ]
    rng = random.Random(20240615)
    characters = "()[]=<>!~'\"_, \0\ud800\u2003%\\/abé019."
    words = ["and", "or", "not", "in", "__", "null", "__gt", "ansible_facts__", "groups__", "now-7d", "search", "[]"]
    compiled = refused = 0
    for _ in range(2000):
        text = rng.choice(seeds)
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(text) + 1)
            piece = rng.choice([rng.choice(characters), rng.choice(words), f" {rng.choice(words)} ", ""])
            text = text[:at] + piece + text[at + rng.randint(0, 3) :]
        try:
            str(compile_where(parse(text), Host).compile(dialect=asyncpg.dialect()))
            compiled += 1
        except InvalidFilter:
            refused += 1
    assert compiled > 100
    assert refused > 100

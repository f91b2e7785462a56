"""S17 to S21 of the list of bad inputs: searches of every door, with texts that are made to do harm."""

import re
import time
from functools import partial
from typing import Any

import httpx
import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from craton_inv.errors import Forbidden, InvalidFilter
from craton_inv.filters import compile_where, list_conditions, order_by_clauses, parse
from craton_inv.filters.paths import Catalogue, catalogue
from craton_inv.models import Host, HostFacts, Inventory
from tests.api.v2.conftest import Statements
from tests.factories import make_host, make_inventory
from tests.processor_time import least_awaited

ALLOWED = 2.0
LEEWAY = 1.5

# Doors that take a regular expression, as (path, parameter, form).
PATTERN_DOORS = [
    ("/v2/hosts/", "host_filter", "name~'{}'"),
    ("/v2/hosts/", "host_filter", "not name__iregex='{}'"),
    ("/v2/hosts/", "host_filter", "ansible_facts__name~'{}'"),
    ("/v2/hosts/", "host_filter", "groups__description!~'{}'"),
    ("/v2/hosts/", "name__regex", "{}"),
    ("/v2/hosts/", "ansible_facts__iregex", "{}"),
    ("/v2/groups/", "hosts__name__iregex", "{}"),
    ("/v1/hosts", "host_filter", "name~'{}'"),
    ("/v1/hosts", "vars", "variables__name~'{}'"),
    ("/v1/ansible-inventory", "host_filter", "name~'{}'"),
]
SLOW = [
    "(a+)+$",
    "(a|a)*$",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
    "(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)b$",
    "(((a{1,30}){1,30}){1,30}){1,30}b",
    "(x+x+)+y|(a*)*b|((a?){25})(a{25})c",
]


def some_now(cases: list[str], *quick: str) -> list[Any]:
    """The cases as parameters; those not named wait for the full tier."""
    assert set(quick) <= set(cases)
    return [pytest.param(case, marks=[] if case in quick else [pytest.mark.full]) for case in cases]


@pytest.fixture
def statements(engine: AsyncEngine) -> Statements:
    """A recorder of statements."""
    return Statements(engine)


@pytest.fixture
async def inventory(session: AsyncSession) -> Inventory:
    """An inventory."""
    return await make_inventory(session, "acme")


@pytest.fixture
async def many_as(session: AsyncSession, inventory: Inventory) -> Inventory:
    """Hosts with names, variables and facts of the kind that makes a backtracking engine despair."""
    name = "a" * 30 + "!"
    rows = [
        {
            "tenant_id": inventory.tenant_id,
            "inventory_id": inventory.id,
            "name": f"{name}{n}",
            "variables": {"name": name},
        }
        for n in range(300)
    ]
    ids = await session.scalars(insert(Host).returning(Host.id), rows)
    await session.execute(insert(HostFacts), [{"host_id": host_id, "facts": {"name": name}} for host_id in ids])
    return inventory


@pytest.mark.parametrize("pattern", some_now(SLOW, "(a+)+$"))
async def test_s17_a_pattern_that_explodes_elsewhere_ends_in_time(
    client: httpx.AsyncClient, many_as: Inventory, pattern: str
) -> None:
    for path, name, form in PATTERN_DOORS:
        started = time.monotonic()
        answer = await client.get(path, params={name: form.format(pattern)})
        assert time.monotonic() - started < ALLOWED + LEEWAY, (path, form)
        assert answer.status_code in (200, 400, 503), answer.text


@pytest.mark.parametrize(
    ("pattern", "words"),
    [("a" * 129, "a regular expression of 129 characters; at most 128 are taken"), (r"(a)\1", "back-references")],
)
async def test_s17_a_pattern_beyond_the_limits_is_refused_everywhere(
    client: httpx.AsyncClient, pattern: str, words: str
) -> None:
    for path, name, form in PATTERN_DOORS:
        answer = await client.get(path, params={name: form.format(pattern)})
        assert (answer.status_code, words in answer.text) == (400, True), (path, form, answer.text)


LARGE = [
    ("name=" + "a" * 100_000, "bytes; at most 4096 are read", 4097),
    (" or ".join(["name=a"] * 10_000), "bytes; at most 4096 are read", 4097),
    ("(" * 5_000 + "name=a" + ")" * 5_000, "bytes; at most 4096 are read", 4097),
    ("not " * 10_000 + "name=a", "bytes; at most 4096 are read", 4097),
    (" or ".join(["name=a"] * 201), "201 terms; at most 200 are read", 1),
    ("(" * 33 + "name=a" + ")" * 33, "nested 33 deep; at most 32 levels are read", 1),
    ("not " * 33 + "name=a", "nested 33 deep; at most 32 levels are read", 1),
    ("(" * 4_000, "the filter ends too early", 4001),
    ("__".join(["groups"] * 500) + "=a", "a path of 500 parts is too long; at most 64", 1),
    ('name="' + '"' * 4_000, "a quote is opened and not closed", 6),
]


@pytest.mark.parametrize(("text", "words", "column"), LARGE, ids=[f"{case[0][:8]} {case[1]}" for case in LARGE])
async def test_s18_a_filter_beyond_the_limits_is_refused_at_once_with_its_column(
    client: httpx.AsyncClient, text: str, words: str, column: int
) -> None:
    text = text[:20_000]  # as much as a client writes into an address; the whole of it is for saving, below
    for path in ("/v1/hosts", "/v1/ansible-inventory", "/v2/hosts/"):
        answer = await client.get(path, params={"host_filter": text})
        assert await least_awaited(partial(client.get, path, params={"host_filter": text}), 0.5) < 0.5
        assert (answer.status_code, words in answer.text) == (400, True), answer.text
        assert f"at column {column}" in answer.text
        assert answer.json().get("column", column) == column
        assert len(answer.text) < 1_000


@pytest.mark.parametrize(("text", "words"), [(case[0], case[1]) for case in LARGE[:7]], ids=range(7))
async def test_s18_a_filter_beyond_the_limits_is_not_saved(
    client: httpx.AsyncClient, inventory: Inventory, text: str, words: str
) -> None:
    body = {"name": "s", "organization": inventory.tenant_id, "kind": "smart", "host_filter": text}
    answer = await client.post("/v2/inventories/", json=body)
    assert (answer.status_code, words in answer.text) == (400, True)


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/v1/hosts", {"vars": "a:1," * 6_000}),
        ("/v1/hosts", {"vars": "a" + "[0]" * 1_000 + ":1"}),
        ("/v1/hosts", {"vars": "a" + ".*" * 1_000 + ":1"}),
        ("/v2/hosts/", {"name__in": "a," * 10_000}),
        ("/v2/hosts/", {"__".join(["groups"] * 5_000): "1"}),
        ("/v2/hosts/", {"n" * 50_000: "1"}),
        ("/v2/hosts/", {"search": "w " * 10_000}),
        ("/v2/hosts/", [("or__name", f"a{n}") for n in range(3_000)]),
        ("/v2/hosts/", {"order_by": "name," * 6_000}),
        ("/v2/hosts/", {"order_by": "inventory__hosts__" * 2_000 + "name"}),
        ("/v2/hosts/", {"groups__search": "a," * 1_000}),
    ],
    ids=range(11),
)
async def test_s18_other_parameters_have_limits_too(client: httpx.AsyncClient, path: str, params: Any) -> None:
    answer = await client.get(path, params=params)
    assert answer.status_code == 400, answer.text
    assert await least_awaited(partial(client.get, path, params=params), 1) < 1
    assert len(answer.text) < 2_000


INJECTIONS = [
    "x' or '1'='1",
    "'; drop table hosts; --",
    '"; drop table hosts; --',
    "x') or (1=1",
    "a'||'b",
    "a/**/union/**/select",
    "100%",
    "%",
    "_",
    "\\",
    "\\'",
    "a\\_b%c",
    "$[*]",
    "$.a ? (1 == 1)",
    '" ? (1 == 1)) || exists(@."x',
    '") flag "x',
    "[*]",
    ":name :1 $1 %s %(a)s ? ??",
    "{0} {} ${x}",
    "pg_sleep(9)",
    "\u2019 or 1=1",
    "(a|b)*.+?^$",
    "null",
    "true",
    "0012",
]


def quoted(text: str) -> str:
    """The text as a value or a part of a path."""
    return '"' + text.replace('"', '""') + '"'


def doors(text: str) -> list[tuple[str, dict[str, str]]]:
    """Searches that must find the host whose name, description, variable, key and fact the text is, and no other."""
    own = quoted(text)
    regex = re.sub(r"([^\w\s])", r"\\\1", text)
    filters = [
        f"name={own}",
        f"name in ({own}, 'nobody')",
        f"name__contains={own} and description__iexact={own}",
        f"name__startswith={own} and name__iendswith={own} and not name=x",
        f"description ~ {quoted('^' + regex + '$')}",
        f"variables__{own}={own}",
        f"variables__{own} in ({own})",
        f"variables__deep[]__{own}__contains={own}",
        f"variables__{own}__startswith={own} and variables__{own}__iexact={own}",
        f"ansible_facts__{own}={own}",
        f"ansible_facts__list[]={own}",
        f"ansible_facts__{own}__istartswith={own}",
        f"ansible_facts__{own} >= {own} and ansible_facts__{own} <= {own}",
        f"groups__isnull=true and region=null and ansible_facts__{own} ~ {quoted('^' + regex + '$')}",
    ]
    return [
        *(("/v2/hosts/", {"host_filter": each}) for each in filters),
        *(("/v1/hosts", {"host_filter": each}) for each in filters[:1]),
        ("/v1/hosts", {"name": text}),
        ("/v1/hosts", {"vars": f"{own}:{own}"}),
        ("/v1/hosts", {"vars": f"deep[0].{own}:{own}, deep[*].*:{own}"}),
        ("/v2/hosts/", {"name": text}),
        ("/v2/hosts/", {"name__contains": text, "description__endswith": text}),
        ("/v2/hosts/", {"name__regex": "^" + regex + "$"}),
        ("/v2/hosts/", {"or__name": text, "or__description": text, "order_by": "-name"}),
        ("/v2/hosts/", {"inventory__hosts__name": text, "name__iexact": text}),
    ]


@pytest.mark.parametrize(
    "text", some_now(INJECTIONS, "'; drop table hosts; --", "a\\_b%c", '" ? (1 == 1)) || exists(@."x')
)
async def test_s19_a_text_made_to_break_out_finds_what_it_says(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, statements: Statements, text: str
) -> None:
    values = {"description": text, "variables": {text: text, "deep": [{text: text}]}}
    wanted = await make_host(session, text, inventory=inventory, facts={text: text, "list": ["x", text]}, **values)
    await make_host(session, "other", inventory=inventory, variables={"x": 1}, facts={"x": "1"})
    with statements.recorded() as seen:
        for path, params in doors(text):
            answer = await client.get(path, params=params)
            assert answer.status_code == 200, (params, answer.text)
            rows = answer.json().get("results") or answer.json().get("hosts")
            assert [row["id"] for row in rows or []] == [wanted.id], params
    if len(text) > 4:  # shorter ones are words of SQL, too
        assert not [statement for statement in seen if text in statement]


@pytest.mark.parametrize("text", INJECTIONS)
async def test_s19_a_text_made_to_break_out_is_no_field(client: httpx.AsyncClient, text: str) -> None:
    for path, params in [
        ("/v2/hosts/", {"order_by": text}),
        ("/v2/hosts/", {"order_by": f"inventory__{text}"}),
        ("/v2/hosts/", {text: "1"}),
        ("/v2/hosts/", {f"name__{text}": "1"}),
        ("/v2/hosts/", {"id": text + "x"}),
        ("/v2/hosts/", {"created__gt": text}),
        ("/v2/hosts/", {"host_filter": f"{quoted(text)}=1"}),
        ("/v2/hosts/", {"host_filter": f"name__{quoted(text)}=1"}),
        ("/v2/hosts/", {"host_filter": f"ip_address={quoted(text)}"}),
        ("/v1/hosts", {"sort_keys": text}),
        ("/v1/hosts", {text: "1"}),
    ]:
        answer = await client.get(path, params=params)
        assert answer.status_code == 400, (params, answer.text)


@pytest.mark.parametrize("parameter", ["name__contains", "name__startswith", "name__iendswith", "search"])
async def test_s19_wildcards_of_like_are_plain_characters(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, parameter: str
) -> None:
    for name in ("a%b_c\\d", "aXbXcXd", "%", "_", "\\"):
        await make_host(session, name, inventory=inventory)
    for text, count in (("%", 2), ("_", 2), ("\\", 2), ("a%b_c\\d", 1), ("a_b", 0), ("a%d", 0)):
        expected = count if "contains" in parameter or parameter == "search" or count == 1 else min(count, 1)
        answer = await client.get("/v2/hosts/", params={parameter: text})
        assert answer.json()["count"] == expected, text


def reachable() -> dict[type[Any], tuple[str, Catalogue]]:
    """All models that a path from a host leads to, with the shortest path there."""
    found: dict[type[Any], tuple[str, Catalogue]] = {Host: ("", catalogue(Host))}
    waiting = [Host]
    while waiting:
        prefix, here = found[waiting.pop(0)]
        for name, hop in here.relations.items():
            if hop.target not in found:
                found[hop.target] = (f"{prefix}{name}__", catalogue(hop.target))
                waiting.append(hop.target)
    return found


def test_s20_no_column_that_can_be_reached_sounds_like_a_secret() -> None:
    secret = re.compile(r"secret|passw|hash|digest|token|blob|content|key$", re.IGNORECASE)
    names = [(here.label, name) for _, here in reachable().values() for name in here.columns if secret.search(name)]
    assert names == []


PRIVATE = [f"{prefix}{name}" for prefix, here in reachable().values() for name in sorted(here.private)]


@pytest.mark.parametrize("path", PRIVATE)
def test_s20_a_secret_is_refused_however_it_is_asked_for(path: str) -> None:
    for text in (
        f"{path}=a",
        f"not {path}__startswith=a",
        f"name=b or {path}__isnull=true",
        f"{path} in (a)",
        f"{path}~a",
    ):
        with pytest.raises(InvalidFilter, match="is not allowed"):
            compile_where(parse(text), Host)
    for key in (path, f"or__not__{path}__regex", f"chain__{path}__gt"):
        with pytest.raises(Forbidden, match="is not allowed"):
            list_conditions([(key, "a")], Host)
    with pytest.raises(Forbidden, match="is not allowed"):
        order_by_clauses(f"-{path}", Host)


@pytest.mark.parametrize(
    "path", ["created_by__password", "secrets__data", "tenant__token", "groups__hosts__created_by__password_hash"]
)
async def test_s20_a_traversal_to_a_secret_is_refused_by_every_door(client: httpx.AsyncClient, path: str) -> None:
    for route, params in [
        ("/v1/hosts", {"host_filter": f"{path}__startswith=a"}),
        ("/v1/hosts", {"vars": f"{path}__startswith=a"}),
        ("/v1/ansible-inventory", {"host_filter": f"{path}__startswith=a"}),
        ("/v2/hosts/", {"host_filter": f"{path}__startswith=a"}),
        ("/v2/hosts/", {f"{path}__startswith": "a"}),
        ("/v2/hosts/", {"order_by": path}),
    ]:
        answer = await client.get(route, params=params)
        assert answer.status_code == 400, (route, params)
        assert answer.json()["message" if route.startswith("/v1") else "error"]


@pytest.mark.parametrize("parameter", ["fields", "sort_keys", "order_by", "sort"])
@pytest.mark.parametrize("path", ["/v1/hosts", "/v1/groups", "/v2/hosts/", "/v2/groups/"])
async def test_s21_sorting_and_choosing_fields_stay_within_the_list(
    client: httpx.AsyncClient, path: str, parameter: str
) -> None:
    for column in ("created_by_id;", "password_hash", "facts", "1", "(select 1)"):
        answer = await client.get(path, params={parameter: column})
        assert answer.status_code == 400, (path, parameter, column, answer.text)

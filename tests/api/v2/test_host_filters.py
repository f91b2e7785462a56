"""host_filters/: what a filter means and finds here, the paths that one can name, and the lookups."""

from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.filters.lookups import LOOKUPS, OPERATORS
from craton_inv.filters.paths import catalogue
from craton_inv.models import Host, Inventory, Tenant
from craton_inv.settings import Settings
from tests.api.conftest import ClientOf
from tests.api.v2.conftest import Statements
from tests.factories import add_child, make_group, make_host, make_inventory, make_tenant, make_user
from tests.filters.test_hosts import AWX, COMPARISONS, HOSTILE, MEANING, SEEDS, TYPES

URL = "/v2/host_filters/explain/"
FACTS = {
    "ansible_processor_vcpus": 8,
    "ansible_distribution": "Debian",
    "ansible_distribution_version": "12.5",
    "ansible_lo": {"mtu": 65536, "ipv6": [{"scope": "host"}, {"scope": "link"}]},
}


@pytest.fixture
async def hosts(session: AsyncSession, inventory: Inventory, client: httpx.AsyncClient) -> list[Host]:
    """web0 to web2 with facts, in the group `web` below `all-web`; web2 has its count of processors as text."""
    above = await make_group(session, "all-web", inventory=inventory)
    group = await make_group(session, "web", inventory=inventory)
    await add_child(session, above, group)
    ann = await make_user(session, "ann")
    made = []
    for number in range(3):
        made.append(
            await make_host(
                session, f"web{number}", inventory=inventory, groups=(group,), variables={"port": 80 + number},
                description="x" * 2000, created_by_id=ann.id,
            )
        )  # fmt: skip
        facts = FACTS | ({"ansible_processor_vcpus": "8"} if number == 2 else {})
        answer = await client.put(f"/v2/hosts/{made[-1].id}/ansible_facts/", json=facts)
        assert answer.status_code == 200, answer.text
    return made


async def explained(client: httpx.AsyncClient, text: str, **more: Any) -> Any:
    """The explanation of a filter."""
    answer = await client.post(URL, json={"host_filter": text, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def term(client: httpx.AsyncClient, text: str, **more: Any) -> Any:
    """The explanation of its first term."""
    return (await explained(client, text, **more))["terms"][0]


async def test_the_tree_holds_the_terms_with_their_typed_values(client: httpx.AsyncClient) -> None:
    found = await explained(client, 'name != a and (id in (1,2) or ansible_facts__x="8")')
    assert found["host_filter"] == 'not name = a and (id in (1, 2) or ansible_facts__x = "8")'

    def leaf(term: int, path: str, operator: str, lookup: str, *values: tuple[str, Any]) -> dict[str, Any]:
        typed = [{"type": type_, "value": value} for type_, value in values]
        return {"kind": "term", "term": term, "path": path, "operator": operator, "lookup": lookup, "values": typed}

    either = [
        leaf(1, "id", "in", "in", ("integer", 1), ("integer", 2)),
        leaf(2, "ansible_facts__x", "=", "exact", ("string", "8")),
    ]
    negated = {"kind": "not", "children": [leaf(0, "name", "=", "exact", ("text", "a"))]}
    assert found["tree"] == {"kind": "and", "children": [negated, {"kind": "or", "children": either}]}


async def test_an_empty_filter_is_refused_as_blank(client: httpx.AsyncClient) -> None:
    answer = await client.post(URL, json={"host_filter": ""})
    assert (answer.status_code, answer.json()) == (400, {"host_filter": ["This field may not be blank."]})


async def test_each_term_has_its_place_and_its_matches(client: httpx.AsyncClient, hosts: list[Host]) -> None:
    found = await explained(
        client, "name=web1 or\n  not groups__name=web and ansible_facts__ansible_distribution=Debian"
    )
    places = [(each["line"], each["column"], each["matches"], each["field_type"]) for each in found["terms"]]
    assert places == [(1, 1, 1, "text"), (2, 7, 3, "text"), (2, 28, 3, "json")]
    assert (found["matches"], found["timed_out"]) == (1, False)


async def test_the_total_is_what_the_list_counts(client: httpx.AsyncClient, hosts: list[Host]) -> None:
    text = "ansible_facts__ansible_processor_vcpus=8 or not name__startswith=web or all_groups__name=all-web and id < 0"
    listed = await client.get("/v2/hosts/", params={"host_filter": text})
    assert (await explained(client, text))["matches"] == listed.json()["count"] == 2


@pytest.mark.parametrize(
    ("text", "operators", "indexes"),
    [
        ("ansible_facts__a=8", ["IN (sub-query)", "@>"], {"ix_host_facts_facts"}),
        ("name=a", ["="], {"ix_hosts_name", "uq_hosts_inventory_id_name", "ix_hosts_name_trgm"}),
        ("name__icontains=abcdef", ["ILIKE"], {"ix_hosts_name_trgm"}),
    ],
)
async def test_the_plan_names_its_indexes(
    client: httpx.AsyncClient,
    session: AsyncSession,
    hosts: list[Host],
    text: str,
    operators: list[str],
    indexes: set[str],
) -> None:
    for kind in ("seqscan", "indexscan", "indexonlyscan"):  # so few rows are read in any way
        await session.execute(select(func.set_config(f"enable_{kind}", "off", True)))
    sql = (await term(client, text))["sql"]
    assert sql["operators"] == operators
    assert indexes & {*sql["indexes"]}


async def test_the_plan_names_the_tables_that_are_read_whole(
    client: httpx.AsyncClient, session: AsyncSession, hosts: list[Host]
) -> None:
    for kind in ("indexscan", "bitmapscan", "indexonlyscan"):  # so few rows are read in any way
        await session.execute(select(func.set_config(f"enable_{kind}", "off", True)))
    sql = (await term(client, "ansible_facts__a > 8"))["sql"]
    assert (sql["operators"], sql["indexes"]) == (["IN (sub-query)", "jsonb_path_exists"], [])
    assert sql["scans"] == ["host_facts", "hosts"]


@pytest.mark.parametrize(
    ("text", "warnings"),
    [
        (
            'ansible_facts__ansible_processor_vcpus="8"',
            ['`ansible_facts__ansible_processor_vcpus = "8"` is text; 2 hosts hold the number 8'],
        ),
        (
            "ansible_facts__ansible_processor_vcpus=8",
            ['`ansible_facts__ansible_processor_vcpus = 8` is a number; 1 host holds the text "8"'],
        ),
        (
            "ansible_facts__ansible_distribution=debian",
            [
                "no host matches `ansible_facts__ansible_distribution = debian`;"
                " 3 hosts hold it in other capitals: use __iexact"
            ],
        ),
        ("name=WEB1", ["no host matches `name = WEB1`; 1 host holds it in other capitals: use __iexact"]),
        (
            "ansible_facts__ansible_distribution_version > 7",
            [
                "`ansible_facts__ansible_distribution_version > 7` looks at numbers alone;"
                " what was seen there is a string"
            ],
        ),
        ('variables__port="80"', ['`variables__port = "80"` is text; 1 host holds the number 80']),
        ("name=web1", []),
        ("ansible_facts__ansible_distribution=Debian", []),
    ],
)
async def test_what_looks_wrong_is_said(
    client: httpx.AsyncClient, hosts: list[Host], text: str, warnings: list[str]
) -> None:
    assert (await term(client, text))["warnings"] == warnings


@pytest.mark.parametrize(
    ("text", "similar"),
    [
        ("ansible_facts__ansible_distributon=Debian", "ansible_facts__ansible_distribution"),
        ("ansible_facts__distribution=Debian", "ansible_facts__ansible_distribution"),
        ("ansible_facts__ansible_lo__ipv6__scope=host", "ansible_facts__ansible_lo__ipv6[]__scope"),
        ("inventory__hosts__ansible_facts__mtu > 9", "ansible_facts__ansible_lo__mtu"),
    ],
)
async def test_an_unknown_path_names_known_ones(
    client: httpx.AsyncClient, hosts: list[Host], text: str, similar: str
) -> None:
    assert (await term(client, text))["similar"][0] == similar


async def test_a_known_path_names_no_others(client: httpx.AsyncClient, hosts: list[Host]) -> None:
    found = await explained(client, "ansible_facts__ansible_lo__ipv6[]__scope=nowhere or name=x or variables__y=1")
    assert [each["similar"] for each in found["terms"]] == [[], [], []]


@pytest.mark.parametrize(
    ("text", "matches", "found"),
    [
        ("name=web1", True, [(None, "web1")]),
        ("name=web2", False, [(None, "web1")]),
        ("variables__port > 80", True, [(None, 81)]),
        ("variables__nothing=1", False, []),
        ("ansible_facts__ansible_lo__ipv6[]__scope=link", True, [(None, "host"), (None, "link")]),
        ("ansible_facts__ansible_lo__mtu__isnull=true", False, [(None, 65536)]),
        ("ansible_facts__nothing__isnull=true", True, []),
        ("groups__name=web", True, [("web", "web")]),
        ("groups__isnull=true", False, [("web", None)]),
        ("groups__parents__description=x", False, [("all-web", "")]),
        ("inventory__hosts__variables__port=82", True, [("web0", 80), ("web1", 81), ("web2", 82)]),
        ("group__search=WEB", True, [("web", {"name": "web", "description": ""})]),
        ("created_by__username=ann", True, [("ann", "ann")]),
        ("region__name=nyc", False, []),
        ("region=null", True, []),
    ],
)
async def test_a_host_tells_what_each_term_finds_there(
    client: httpx.AsyncClient, hosts: list[Host], text: str, matches: bool, found: list[tuple[str | None, Any]]
) -> None:
    answer = await explained(client, text, host=hosts[1].id)
    on_host = answer["terms"][0]["on_host"]
    told = sorted((each["row"] or "", each["value"]) for each in on_host["found"])
    if text.startswith("groups__isnull"):
        told = [(row, None) for row, _ in told]
    assert (on_host["matches"], told, on_host["more"]) == (matches, [(row or "", value) for row, value in found], False)
    assert answer["host"] == {"id": hosts[1].id, "name": "web1", "matches": matches}


async def test_all_groups_of_a_host_are_told_by_name(client: httpx.AsyncClient, hosts: list[Host]) -> None:
    on_host = (await term(client, "all_groups__name=all-web", host=hosts[0].id))["on_host"]
    assert sorted(each["row"] for each in on_host["found"]) == ["all-web", "web"]


async def test_a_host_is_told_whether_the_whole_filter_matches(client: httpx.AsyncClient, hosts: list[Host]) -> None:
    text = "name=web0 or not (groups__name=web and variables__port=81)"
    verdicts = [(await explained(client, text, host=host.id))["host"]["matches"] for host in hosts]
    listed = (await client.get("/v2/hosts/", params={"host_filter": text})).json()["results"]
    assert verdicts == [host.id in {row["id"] for row in listed} for host in hosts] == [True, False, True]


async def test_a_long_value_is_cut(client: httpx.AsyncClient, hosts: list[Host]) -> None:
    [found] = (await term(client, "description=y", host=hosts[0].id))["on_host"]["found"]
    assert (found["cut"], found["value"]) == (True, '"' + "x" * 999)


async def test_more_than_ten_values_are_not_told(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, hosts: list[Host]
) -> None:
    for number in range(12):
        await make_host(session, f"more{number}", inventory=inventory)
    on_host = (await term(client, "inventory__hosts__name=x", host=hosts[0].id))["on_host"]
    assert (len(on_host["found"]), on_host["more"]) == (10, True)


async def test_an_inventory_limits_what_is_counted(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, hosts: list[Host]
) -> None:
    other = await make_inventory(session, "other")
    await make_host(session, "web9", inventory=other)
    smart = Inventory(tenant_id=inventory.tenant_id, name="smart", kind="smart", host_filter="name=web0")
    session.add(smart)
    await session.flush()
    counts = [
        (await explained(client, "name__startswith=web", inventory=each.id))["matches"]
        for each in (inventory, other, smart)
    ]
    assert counts == [3, 1, 1]
    assert (await explained(client, "name__startswith=web"))["matches"] == 4


async def test_a_smart_inventory_whose_search_went_bad_says_what_is_wrong_with_it(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, hosts: list[Host]
) -> None:
    smart = Inventory(tenant_id=inventory.tenant_id, name="smart", kind="smart", host_filter="name ~ '[a'")
    session.add(smart)
    await session.flush()
    answer = await client.post(URL, json={"host_filter": "name ~ b", "inventory": smart.id})
    assert (answer.status_code, answer.json()["error"]) == (
        400,
        "unterminated character set at position 0 (at column 8)",
    )


async def test_only_hosts_that_the_caller_sees_are_counted_and_hinted_at(
    client_of: ClientOf, session: AsyncSession, hosts: list[Host]
) -> None:
    stranger = await client_of(await make_tenant(session), "reader")
    for text in ("name__startswith=web", 'ansible_facts__ansible_processor_vcpus="8"', "name=WEB1"):
        found = await explained(stranger, text)
        assert (found["matches"], found["terms"][0]["warnings"]) == (0, [])
    assert (await term(stranger, "ansible_facts__ansible_distributon=x"))["similar"] == []


@pytest.mark.parametrize("field", ["host", "inventory"])
async def test_what_is_foreign_is_absent(
    client_of: ClientOf, session: AsyncSession, hosts: list[Host], field: str
) -> None:
    stranger = await client_of(await make_tenant(session), "admin")
    body = {"host_filter": "name=a", field: hosts[0].id if field == "host" else hosts[0].inventory_id}
    assert (await stranger.post(URL, json=body)).status_code == 404


async def test_users_that_the_caller_may_not_see_are_not_told(
    client: httpx.AsyncClient, client_of: ClientOf, session: AsyncSession, inventory: Inventory, hosts: list[Host]
) -> None:
    reader = await client_of(await session.get_one(Tenant, inventory.tenant_id), "reader")
    told = [
        (await term(asking, "created_by__username=x", host=hosts[0].id))["on_host"]["found"]
        for asking in (client, reader)
    ]
    assert [[each["value"] for each in found] for found in told] == [["ann"], []]


async def test_a_token_that_may_only_read_can_ask(client_of: ClientOf, session: AsyncSession) -> None:
    reader = await client_of(await make_tenant(session), "admin", scope="read")
    assert (await explained(reader, "name=a"))["matches"] == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name=", 'Invalid query name=: a value is missing; an empty text is written "" at column 6, expected a value'),
        ("nmae=a", 'Invalid query nmae=a: no field "nmae" on host at column 1; did you mean "name"?'),
        ("created_by__password=a", "Filtering on password is not allowed. It is secret (at column 1)."),
        ("name ~ '[a'", "unterminated character set at position 0 (at column 8)"),
        ("ansible_facts__a ~ '(b'", "missing ), unterminated subpattern at position 0 (at column 20)"),
    ],
)
async def test_a_filter_that_is_none_is_refused_as_everywhere(
    client: httpx.AsyncClient, hosts: list[Host], text: str, message: str
) -> None:
    answer = await client.post(URL, json={"host_filter": text})
    assert (answer.status_code, answer.json()) == (400, {"error": message})


@pytest.mark.parametrize("size", [1, 40])
async def test_the_statements_do_not_grow_with_the_terms(
    client: httpx.AsyncClient, hosts: list[Host], statements: Statements, size: int
) -> None:
    terms = [f"name=WEB{n} or ansible_facts__a{n}=8 or groups__name=g{n}" for n in range(size)]
    with statements.recorded() as seen:
        found = await explained(client, " or ".join(terms), host=hosts[0].id)
    assert (len(found["terms"]), found["matches"]) == (3 * size, 0)
    asking = [each for each in seen if not each.startswith(("SELECT set_config", "SELECT current_setting"))]
    # Token and host; plans, matches, other capitals, types of facts, paths alike; matches and values on the host.
    assert len(asking) == 9, asking


async def test_200_terms_are_explained(client: httpx.AsyncClient, hosts: list[Host]) -> None:
    found = await explained(client, " or ".join(f"name=web{n}" for n in range(200)), host=hosts[0].id)
    assert (found["matches"], found["host"]["matches"], found["timed_out"]) == (3, True, False)
    assert [n for n, each in enumerate(found["terms"]) if each["matches"]] == [0, 1, 2]


async def test_a_count_that_takes_too_long_says_so_and_the_rest_is_answered(
    client: httpx.AsyncClient, app: FastAPI, session: AsyncSession, settings: Settings, inventory: Inventory
) -> None:
    host = await make_host(session, "slow", inventory=inventory, description="z" * 500_000)
    tight = settings.model_copy(update={"filter_statement_timeout": 0.3})
    for part in app.state.dialects.values():
        part.state.context = replace(part.state.context, settings=tight)
    # Looking ahead from each of the letters takes the square of their number.
    found = await explained(client, "name=slow and description ~ '(?=z*q)z'", host=host.id)
    first, second = found["terms"]
    assert (first["matches"], first["timed_out"], first["on_host"]["matches"]) == (1, False, True)
    assert (second["matches"], second["timed_out"], second["on_host"]["matches"]) == (None, True, None)
    assert (found["matches"], found["timed_out"], found["host"]["matches"]) == (None, True, None)


PATHS = "/v2/host_filters/paths/"


async def listed(client: httpx.AsyncClient, **params: Any) -> Any:
    """A page of paths."""
    answer = await client.get(PATHS, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_paths_in_facts_come_with_types_and_examples(client: httpx.AsyncClient, hosts: list[Host]) -> None:
    found = (await listed(client, prefix="ansible_facts__ansible_"))["results"]
    told = [(row["path"], row["types"], row["example"]) for row in found]
    assert told == [
        ("ansible_facts__ansible_distribution", ["string"], "Debian"),
        ("ansible_facts__ansible_distribution_version", ["string"], "12.5"),
        ("ansible_facts__ansible_lo__ipv6[]__scope", ["string"], "link"),
        ("ansible_facts__ansible_lo__mtu", ["number"], 65536),
        ("ansible_facts__ansible_processor_vcpus", ["string", "number"], 8),
    ]


async def test_paths_in_facts_behind_a_relation_are_whole(client: httpx.AsyncClient, hosts: list[Host]) -> None:
    found = await listed(client, prefix="inventory__hosts__ansible_facts__ansible_lo__m")
    assert [row["path"] for row in found["results"]] == ["inventory__hosts__ansible_facts__ansible_lo__mtu"]


async def test_paths_in_facts_are_those_of_the_callers_hosts(
    client_of: ClientOf, session: AsyncSession, hosts: list[Host]
) -> None:
    stranger = await client_of(await make_tenant(session), "reader")
    assert (await listed(stranger, prefix="ansible_facts__"))["results"] == []


async def test_the_first_level_is_every_field_of_a_host_and_no_secret(client: httpx.AsyncClient) -> None:
    found = await listed(client, page_size=200)
    assert {row["path"] for row in found["results"]} == catalogue(Host).known
    users = await listed(client, prefix="created_by__pass")
    assert users["results"] == []


async def test_paths_are_paged_like_every_list(client: httpx.AsyncClient) -> None:
    whole = (await listed(client, page_size=200))["results"]
    first = await listed(client, page_size=10)
    assert (first["count"], first["previous"]) == (len(whole), None)
    second = (await client.get(first["next"])).json()
    assert first["results"] + second["results"] == whole[:20]
    for prefix in ("", "ansible_facts__"):
        for page in (99, 2**62, 10**30):
            answer = await client.get(PATHS, params={"prefix": prefix, "page": page})
            assert (answer.status_code, answer.json()) == (404, {"detail": "Invalid page."})
    assert (await client.get(PATHS, params={"count_disabled": 1, "page_size": 1})).json() == {"results": whole[:1]}


@pytest.mark.parametrize(("search", "count"), [("MTU", 1), ("%", 0), ("ipv6[]", 1)])
async def test_paths_can_be_searched(client: httpx.AsyncClient, hosts: list[Host], search: str, count: int) -> None:
    assert (await listed(client, prefix="ansible_facts__", search=search))["count"] == count


@pytest.mark.parametrize("page_size", [1, 2, 25])
async def test_a_search_from_the_start_finds_fields_first_and_then_facts(
    client: httpx.AsyncClient, hosts: list[Host], page_size: int
) -> None:
    found, pages = [], 0
    answer = await listed(client, search="DISTRIBUTION", page_size=page_size)
    while True:
        found += [row["path"] for row in answer["results"]]
        pages += 1
        if answer["next"] is None:
            break
        answer = (await client.get(answer["next"])).json()
    assert found == ["ansible_facts__ansible_distribution", "ansible_facts__ansible_distribution_version"]
    assert (answer["count"], pages) == (2, -(-2 // page_size))
    mixed = [row["path"] for row in (await listed(client, search="vers"))["results"]]
    mixed = [row["path"] for row in (await listed(client, search="ansible_facts", page_size=200))["results"]]
    assert mixed[:2] == ["ansible_facts", "ansible_facts_modified"]
    assert "ansible_facts__ansible_lo__mtu" in mixed


async def test_paths_of_variables_are_not_known(client: httpx.AsyncClient, hosts: list[Host]) -> None:
    assert (await listed(client, prefix="variables__"))["count"] == 0


async def test_lookups_and_operators_are_those_that_compile(client: httpx.AsyncClient) -> None:
    found = (await client.get("/v2/host_filters/lookups/")).json()
    assert {row["name"]: row["field_types"] for row in found["lookups"]} == {
        name: sorted(lookup.kinds) for name, lookup in LOOKUPS.items()
    }
    stands_for = {row["operator"]: row["lookup"] for row in found["operators"] if not row["negated"]}
    assert stands_for == OPERATORS | {"in": "in"}
    negated = {row["operator"]: row["lookup"] for row in found["operators"] if row["negated"]}
    assert negated == {"!=": "exact", "!~": "regex", "not in": "in"}


@pytest.mark.parametrize("mount", ["/v2", "/api/v2"])
async def test_the_index_links_below_its_own_mount(client: httpx.AsyncClient, mount: str) -> None:
    index = (await client.get(f"{mount}/host_filters/")).json()
    assert index == {name: f"{mount}/host_filters/{name}/" for name in ("explain", "lookups", "paths")}
    options = await client.options(f"{mount}/host_filters/explain/")
    assert set(options.json()["actions"]["POST"]) == {"host_filter", "host", "inventory"}


@pytest.mark.full
async def test_every_kind_of_filter_is_explained_with_the_count_of_the_list(
    client: httpx.AsyncClient, hosts: list[Host]
) -> None:
    for text, _ in SEEDS + AWX + TYPES + MEANING + COMPARISONS + HOSTILE:
        found = await explained(client, text, host=hosts[0].id)
        rows = (await client.get("/v2/hosts/", params={"host_filter": text})).json()
        assert found["matches"] == rows["count"], text
        assert found["host"]["matches"] == (hosts[0].id in {row["id"] for row in rows["results"]}), text
        again = await explained(client, found["host_filter"])
        assert (again["host_filter"], again["matches"]) == (found["host_filter"], found["matches"]), text

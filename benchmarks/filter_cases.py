"""The filters that are measured, each with the forms of SQL that one would write by hand for it."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.filter_world import host_name
from craton_inv.models import Host

COLUMNS = ", ".join(f"h.{column.name}" for column in Host.__table__.columns)


@dataclass(frozen=True)
class Case:
    """A filter. `ids`: SQL for the ids of its hosts, or a condition on h, in one or several forms.

    `scans`: how many of its terms must read every document; 0 for those that an index answers. `selective`: few hosts
    match at any size of the world, so that the cost must not grow with it.
    """

    text: str
    ids: Sequence[str]
    scans: int = 0
    selective: bool = False

    def by_hand(self, order: str, count: bool) -> list[list[str]]:
        """The forms: the statements that give the count, if wanted, and last the one that gives the page."""
        forms = []
        for ids in self.ids:
            whole = ids.startswith("SELECT")
            found = ids if whole else f"SELECT h.id FROM hosts h WHERE {ids}"
            counting = [f"SELECT count(*) FROM ({found}) x"] if count else []
            page = f"SELECT {COLUMNS} FROM hosts h WHERE {{}} ORDER BY {order} LIMIT 25"
            if not whole:
                forms.append([*counting, page.format(ids)])
            found_first = f"WITH m AS MATERIALIZED ({found}) " + page.format("h.id IN (TABLE m)")
            forms.append([*counting, found_first])
            if count:
                both = found_first.replace(COLUMNS, f"{COLUMNS}, (SELECT count(*) FROM m) AS total")
                forms.append([both])
        return forms


def member(name: str, *, column: str = "g.name =") -> str:
    """Membership by the name of a group."""
    return f"h.id IN (SELECT m.host_id FROM memberships m JOIN groups g ON g.id = m.group_id WHERE {column} '{name}')"


def holding(*conditions: str) -> list[str]:
    """Facts that meet all conditions on f: the ids of their hosts, from the facts alone or from the hosts."""
    where = " AND ".join(conditions)
    return [
        f"SELECT f.host_id AS id FROM host_facts f WHERE {where}",
        f"h.id IN (SELECT f.host_id FROM host_facts f WHERE {where})",
    ]


def fact(document: str) -> str:
    """Containment."""
    return f"f.facts @> '{document}'"


def above(path: str, operator: str, value: int) -> str:
    """A number at a path, by an operator of jsonpath."""
    return f"f.facts @@ '$.{path} {operator} {value}'"


def searched(*columns: str, text: str) -> str:
    """Any of the columns contains the text."""
    return "(" + " OR ".join(f"{column} ILIKE '%{text}%'" for column in columns) + ")"


NAME = host_name(42)
ANSIBLE = "ansible_facts__ansible_"
DEBIAN = fact('{"ansible_distribution": "Debian"}')
CENTOS = fact('{"ansible_distribution": "CentOS"}')
EIGHT = fact('{"ansible_processor_vcpus": 8}')
LAB = fact('{"ansible_local": {"tags": ["lab"]}}')
RACK = fact('{"ansible_local": {"rack": {"row": 7, "unit": 7}}}')
MEMORY = above("ansible_memtotal_mb", ">", 32700)
MTU = above("ansible_lo.mtu", "<", 1000)
IN_0 = member("group-0")
IN_7 = member("group-7")
IN_0_OR_7 = member("group-7", column="g.name = 'group-0' OR g.name =")
IN_39 = member("group-39")
NOT_IN_0 = f"NOT EXISTS (SELECT 1 {IN_0[IN_0.index('FROM') : -1]} AND m.host_id = h.id)"
NOT_DEBIAN = f"NOT EXISTS (SELECT 1 FROM host_facts f WHERE f.host_id = h.id AND {DEBIAN})"
BIG = f"SELECT f.host_id FROM host_facts f WHERE {above('ansible_memtotal_mb', '>', 1)}"
VCPUS = above("ansible_processor_vcpus", ">", 8)
ONE_READ = "FROM host_facts f, LATERAL (SELECT f.facts || '{}' AS facts OFFSET 0) d WHERE "

CASES: tuple[Case, ...] = (
    Case(f"name={NAME}", [f"h.name = '{NAME}'"], selective=True),
    Case("name__icontains=00042", [searched("h.name", text="00042")], selective=True),
    Case("name__startswith=host-", ["h.name LIKE 'host-%'"]),
    Case("name=nobody", ["h.name = 'nobody'"], selective=True),
    Case("search=measurement", [searched("h.name", "h.description", text="measurement")]),
    Case("enabled=false", ["NOT h.enabled"]),
    Case("ip_address in (10.0.0.0/28, 10.0.1.7)", ["(h.ip_address <<= '10.0.0.0/28' OR h.ip_address = '10.0.1.7')"]),
    Case("inventory__name=inventory-1", ["h.inventory_id IN (SELECT id FROM inventories WHERE name = 'inventory-1')"]),
    Case("groups__name=group-39", [IN_39]),
    Case("groups__name=group-0", [IN_0]),
    Case(
        "group__search=group-3",
        [member("%group-3%", column="g.name ILIKE").replace("WHERE", "WHERE g.description ILIKE '%group-3%' OR")],
    ),
    Case("groups__name=group-0 and groups__name=group-7", [f"{IN_0} AND {IN_7}"]),
    Case(
        "groups__name=group-38 or groups__name=group-39",
        [member("group-38", column="g.name = 'group-39' OR g.name =")],
    ),
    Case(
        "not groups__name=group-0",
        [f"NOT {IN_0}", NOT_IN_0],
    ),
    Case(f"{ANSIBLE}hostname={NAME}", holding(fact(f'{{"ansible_hostname": "{NAME}"}}')), selective=True),
    Case(f"{ANSIBLE}local__tags[]=lab", holding(LAB)),
    Case(f"{ANSIBLE}processor_vcpus=8", holding(EIGHT)),
    Case(f"{ANSIBLE}distribution=Debian", holding(DEBIAN)),
    Case(f'{ANSIBLE}lo__ipv6[]__scope="host"', holding(fact('{"ansible_lo": {"ipv6": [{"scope": "host"}]}}'))),
    Case(f"{ANSIBLE}nothing=1", holding(fact('{"ansible_nothing": 1}')), selective=True),
    Case(
        f"{ANSIBLE}distribution=CentOS and {ANSIBLE}processor_vcpus=1 and {ANSIBLE}local__rack__row=10",
        holding(CENTOS, fact('{"ansible_processor_vcpus": 1}'), fact('{"ansible_local": {"rack": {"row": 10}}}')),
    ),
    Case(
        f"{ANSIBLE}local__rack__row=7 and {ANSIBLE}local__rack__unit=7",
        [
            *holding(RACK),
            *holding(fact('{"ansible_local": {"rack": {"row": 7}}}'), fact('{"ansible_local": {"rack": {"unit": 7}}}')),
        ],
    ),
    Case(f"{ANSIBLE}processor_vcpus > 8", holding(VCPUS), scans=1),
    Case(
        f"{ANSIBLE}distribution__icontains=cent",
        holding("f.facts ->> 'ansible_distribution' ILIKE '%cent%'"),
        scans=1,
    ),
    Case(
        f"{ANSIBLE}processor_vcpus > 8 and {ANSIBLE}memtotal_mb > 32700 and {ANSIBLE}lo__mtu > 1000",
        [
            *holding(VCPUS, MEMORY, MTU.replace("<", ">")),
            f"SELECT f.host_id AS id {ONE_READ}"
            + " AND ".join((VCPUS, MEMORY, MTU.replace("<", ">"))).replace("f.facts", "d.facts"),
        ],
        scans=3,
    ),
    Case(
        f"{ANSIBLE}processor_vcpus > 99 or {ANSIBLE}memtotal_mb > 32767 or {ANSIBLE}lo__mtu < 1000",
        [
            *holding(f"({VCPUS.replace('8', '99')} OR {MEMORY.replace('32700', '32767')} OR {MTU})"),
            f"SELECT f.host_id AS id {ONE_READ}"
            + " OR ".join((VCPUS.replace("8", "99"), MEMORY.replace("32700", "32767"), MTU)).replace(
                "f.facts", "d.facts"
            ),
        ],
        scans=3,
    ),
    Case(
        f"not {ANSIBLE}distribution=Debian",
        [NOT_DEBIAN],
        scans=1,
    ),
    Case(
        f"{ANSIBLE}local__tags[]=lab and {ANSIBLE}memtotal_mb > 16000",
        holding(LAB, above("ansible_memtotal_mb", ">", 16000)),
        scans=1,
    ),
    Case(
        f"name={NAME} and not {ANSIBLE}distribution=Debian",
        [f"h.name = '{NAME}' AND {NOT_DEBIAN}"],
        selective=True,
    ),
    Case(
        f"name={NAME} and {ANSIBLE}memtotal_mb > 1 and {ANSIBLE}lo__mtu > 1",
        [f"h.name = '{NAME}' AND h.id IN ({BIG})"],
        selective=True,
    ),
    Case("variables__role=web and variables__rack=7", ['h.variables @> \'{"role": "web", "rack": 7}\'']),
    Case("variables__port > 5097", ["h.variables @@ '$.port > 5097'"]),
    Case(
        f"name={NAME} or {ANSIBLE}hostname={host_name(43)}",
        [
            f"SELECT id FROM hosts WHERE name = '{NAME}' UNION"
            f" SELECT f.host_id FROM host_facts f WHERE " + fact(f'{{"ansible_hostname": "{host_name(43)}"}}'),
        ],
        selective=True,
    ),
    Case(
        f"name={NAME} or groups__name=group-39",
        [
            f"(h.name = '{NAME}' OR {IN_39})",
            f"SELECT id FROM hosts WHERE name = '{NAME}' UNION"
            " SELECT m.host_id FROM memberships m JOIN groups g ON g.id = m.group_id WHERE g.name = 'group-39'",
        ],
    ),
    Case(f"name={NAME} or groups__name=group-0", [f"(h.name = '{NAME}' OR {IN_0})"]),
    Case(
        f"(name={NAME} or name={host_name(43)}) and (groups__name=group-0 or groups__name=group-7)"
        f" and {ANSIBLE}processor_vcpus=8",
        [
            f"h.name IN ('{NAME}', '{host_name(43)}') AND {IN_0_OR_7}"
            f" AND h.id IN (SELECT f.host_id FROM host_facts f WHERE {EIGHT})"
        ],
        selective=True,
    ),
    Case(
        " and ".join(f"groups__name=group-{number % 39}" for number in range(130)),
        [
            "h.id IN (SELECT m.host_id FROM memberships m JOIN groups g ON g.id = m.group_id"
            " GROUP BY m.host_id HAVING count(*) FILTER (WHERE g.name IN ("
            + ", ".join(f"'group-{number}'" for number in range(39))
            + ")) = 39)"
        ],
    ),
)

DECLARED = [("ansible_facts", "ansible_memtotal_mb"), ("ansible_facts", "ansible_kernel")]
DECLARED_SEARCHES = (
    f"{ANSIBLE}memtotal_mb > 32766",
    f"{ANSIBLE}memtotal_mb > 16384",
    f"{ANSIBLE}memtotal_mb > 1",
    f"{ANSIBLE}memtotal_mb=2048",
    f"{ANSIBLE}kernel=6.1.0-7-amd64",
    f"{ANSIBLE}kernel__startswith=6.1.0-2",
    f"{ANSIBLE}kernel__icontains=0-29-AMD",
    f"{ANSIBLE}memtotal_mb > 32766 and {ANSIBLE}lo__mtu > 1000",
    f"not {ANSIBLE}memtotal_mb > 2048",
)

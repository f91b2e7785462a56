"""Small worlds of rows whose values are chosen to be confused with one another."""

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TypeVar

from tests.filters.reference.rows import LINKED, Cell, Plain, Row, World
from tests.filters.reference.schema import KINDS, Type

NOW = datetime(2024, 6, 15, 12, tzinfo=UTC)
Item = TypeVar("Item")
# What sources deliver beside hosts, each after what it refers to; of the first three a host has one at most.
LINKS_OF_HOSTS = {"parent_host": "hypervisor", "flavor": "flavor", "image": "image"}
DELIVERED = (*LINKS_OF_HOSTS.values(), "network", "disk", "network_port")

TEXTS = (
    "", "8", "8.0", "08", "-8", "0012", "3.10", "1e3", "true", "True", "false", "null", "None", "None of it",
    "a", "A", "b", "ab", "aB", "Ab", "ba", "abc", "a b", " a", "a ", "a,b", "a%b", "a_b", "%", "_", "\\", "a\\b", "\\%",
    "é", "É", "eé", "レッドハット", "レッド", "жук", "ЖУК", 'say "hi"', "it's", "'", '"', "a.b*c", "axbxc", "(a", "[a]",
    "$v", "$", "^a$", "a\nb", "\na", "a\n", "a__b", "gt", "search", "Debian", "debian", "CentOS", "now-7d", "10.1.2.3",
    "web1", "WEB10", "web-1", "=x", "x=y", "or", "and", "not", "😀", "z" * 40,
)  # fmt: skip
NUMBERS: tuple[int | float, ...] = (
    0, 1, -1, 8, 8.0, 8.5, -8, 7, 9, 80, 12, 3.1, 0.1, 0.30000000000000004, 1000, 1e3, 1e22, 1.5e300, 1e-7,
    2**53, 2**53 + 1, 2**63, -(2**63), 10**30, 99999999999999999999999,
)  # fmt: skip
KEYS = (
    "a", "b", "c", "d", "A", "gt", "in", "isnull", "search", "exact", "icontains", "a__b", "a b", "é", "レ", "a.b",
    "a[]", "[]", "$", "*", "a'b", 'a"b', "null", "8", "0", "name", "", "a=b", "(a)", "_", "_a", "a_", "__", "<", "not",
)  # fmt: skip
ADDRESSES = (
    "10.0.0.0", "10.0.0.1", "10.1.2.3", "10.1.2.30", "10.255.255.255", "11.0.0.0", "192.168.7.1", "0.0.0.0",
    "255.255.255.255", "::1", "2001:db8::1", "2001:db8:0:1::", "fe80::1",
)  # fmt: skip
TIMES = tuple(
    NOW + shift
    for shift in (
        timedelta(),
        timedelta(microseconds=1),
        -timedelta(microseconds=1),
        -timedelta(days=1),
        -timedelta(days=7),
        -timedelta(days=7, seconds=1),
        timedelta(hours=2),
        -timedelta(days=200),
        timedelta(days=4000),
    )
)


class WorldMaker:
    """Makes one world from a seed."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.numbers = 0
        self.taken: set[str] = set()

    def some(self, items: Sequence[Item], most: int) -> list[Item]:
        """A few of the items, none twice."""
        return self.rng.sample(items, min(len(items), self.rng.randint(0, most)))

    def text(self) -> str:
        """A text of the pool."""
        return self.rng.choice(TEXTS)

    def maybe(self, value: Cell) -> Cell:
        """The value, or null."""
        return value if self.rng.random() < 0.65 else None

    def name(self) -> str:
        """A text that no other row has: a number is put to it when the pool's text is not enough."""
        self.numbers += 1
        text = self.text().strip() or "n"
        if self.rng.random() > 0.2 or text in self.taken:
            text = f"{text}{self.numbers}"
        self.taken.add(text)
        return text

    def described(self) -> dict[str, Cell]:
        """What every row but a user has."""
        return {
            "name": self.name(),
            "description": self.text(),
            "created": self.rng.choice(TIMES),
            "modified": self.rng.choice(TIMES),
        }

    def scalar(self) -> Plain:
        """A JSON scalar."""
        dice = self.rng.random()
        if dice < 0.5:
            return self.text()
        if dice < 0.8:
            return self.rng.choice(NUMBERS)
        return self.rng.choice((True, False, None))

    def json(self, depth: int) -> Plain:
        """A JSON value."""
        dice = self.rng.random()
        if depth == 0 or dice < 0.45:
            return self.scalar()
        if dice < 0.7:
            return [self.json(depth - 1) for _ in range(self.rng.randint(0, 3))]
        return self.mapping(depth - 1)

    def mapping(self, depth: int) -> dict[str, Plain]:
        """A JSON object."""
        keys = KEYS[:4] if self.rng.random() < 0.5 else KEYS
        return {self.rng.choice(keys): self.json(depth) for _ in range(self.rng.randint(0, 4))}

    def documented(self, row: Row) -> Row:
        """The row with variables."""
        row.documents["variables"] = self.mapping(2) if self.rng.random() < 0.7 else {}
        row.texts["variables"] = self.rng.choice(("", "---", "a: 8\nb: [1]\n", '{"a": "8"}', "# a%b_c\nenv: Prod", "8"))
        return row

    def world(self) -> World:
        """A world."""
        rng = self.rng
        users = [self.user() for _ in range(2)]
        tenants = [self.tenant(users) for _ in range(2)]
        inventories = [self.inventory(rng.choice(tenants), users) for _ in range(rng.randint(2, 3))]
        regions = [self.region(tenant, users) for tenant in tenants for _ in range(rng.randint(0, 2))]
        sources = [self.source(inventory, users) for inventory in inventories for _ in range(rng.randint(0, 2))]
        labels = [self.label(tenant, users) for tenant in tenants for _ in range(rng.randint(0, 3))]
        smart = [self.smart(tenant, users) for tenant in tenants for _ in range(rng.randint(0, 2))]
        for inventory in inventories:
            self.bear(inventory, "inventories", labels)
        groups: list[Row] = []
        hosts: list[Row] = []
        delivered: dict[str, list[Row]] = {kind: [] for kind in DELIVERED}
        for inventory in inventories:
            own = [self.group(inventory, users) for _ in range(rng.randint(0, 4))]
            self.nest(own)
            groups += own
            near = [region for region in regions if region.links["tenant"] == inventory.links["tenant"]]
            given = [source for source in sources if source.links["inventory"] == [inventory]]
            here = [self.host(inventory, own, near, given, users) for _ in range(rng.randint(2, 5))]
            hosts += here
            for source in given:
                self.deliver(source, here, delivered)
        for host in hosts:
            self.bear(host, "hosts", labels)
            finders = [inventory for inventory in smart if inventory.links["tenant"] == host.links["tenant"]]
            host.links["smart_inventories"] = self.some(finders, 2)
        made = {"user": users, "tenant": tenants, "inventory": inventories + smart, "region": regions}
        return World(NOW, made | delivered | {"source": sources, "group": groups, "label": labels, "host": hosts})

    def user(self) -> Row:
        """Somebody."""
        cells: dict[str, Cell] = {name: self.text() for name in ("first_name", "last_name", "email")}
        cells |= {"username": self.name(), "is_superuser": self.rng.random() < 0.5}
        return Row("user", cells)

    def label(self, tenant: Row, users: list[Row]) -> Row:
        """A label that nothing bears."""
        cells: dict[str, Cell] = {"name": self.name(), "created": self.rng.choice(TIMES)}
        return Row("label", cells, {"tenant": [tenant], "hosts": [], "inventories": []} | self.authors(users))

    def bear(self, row: Row, kind: str, labels: list[Row]) -> None:
        """Give a host or an inventory some labels of its tenant."""
        row.links["labels"] = self.some([label for label in labels if label.links["tenant"] == row.links["tenant"]], 2)
        for label in row.links["labels"]:
            label.links[kind].append(row)

    def smart(self, tenant: Row, users: list[Row]) -> Row:
        """A smart inventory; what it finds is given to hosts, not asked."""
        row = self.inventory(tenant, users)
        row.cells |= {"kind": "smart", "pending_deletion": False}
        return row

    def authors(self, users: list[Row]) -> dict[str, list[Row]]:
        """Who made and who last changed a row."""
        return {"created_by": self.some(users, 1), "modified_by": self.some(users, 1)}

    def tenant(self, users: list[Row]) -> Row:
        """An owner of all the others."""
        return Row("tenant", self.described() | {"customer": self.text()}, self.authors(users))

    def inventory(self, tenant: Row, users: list[Row]) -> Row:
        """An inventory without anything in it."""
        cells = self.described() | {"kind": "", "pending_deletion": self.rng.random() < 0.2}
        empty: dict[str, list[Row]] = {"hosts": [], "groups": [], "inventory_sources": [], "labels": []}
        return self.documented(Row("inventory", cells, empty | {"tenant": [tenant]} | self.authors(users)))

    def region(self, tenant: Row, users: list[Row]) -> Row:
        """A region."""
        return Row("region", self.described(), {"tenant": [tenant]} | self.authors(users))

    def source(self, inventory: Row, users: list[Row]) -> Row:
        """A source of an inventory."""
        cells = self.described() | {"source": self.rng.choice(("", "ec2", "file"))}
        row = Row("source", cells, {"inventory": [inventory]} | self.authors(users))
        inventory.links["inventory_sources"].append(row)
        return row

    def group(self, inventory: Row, users: list[Row]) -> Row:
        """A group outside of all others."""
        links: dict[str, list[Row]] = {"inventory": [inventory], "hosts": [], "children": [], "parents": []}
        row = self.documented(Row("group", self.described(), links | self.authors(users)))
        inventory.links["groups"].append(row)
        return row

    def nest(self, groups: list[Row]) -> None:
        """Put some groups below others; rings are no business of a filter, which only has to end."""
        for parent in groups:
            for child in self.some([group for group in groups if group is not parent], 2):
                parent.links["children"].append(child)
                child.links["parents"].append(parent)

    def host(
        self,
        inventory: Row,
        groups: list[Row],
        regions: list[Row],
        sources: list[Row],
        users: list[Row],
    ) -> Row:
        """A host of an inventory."""
        rng = self.rng
        cells: dict[str, Cell] = {
            "enabled": rng.random() < 0.6,
            "instance_id": self.text(),
            "ip_address": self.maybe(ip_address(rng.choice(ADDRESSES))),
            "last_seen_at": self.maybe(rng.choice(TIMES)),
            "ansible_facts_modified": self.maybe(rng.choice(TIMES)),
        }
        cells |= {name: self.maybe(self.text()) for name in ("fqdn", "os_family", "state")}
        row = self.documented(Row("host", self.described() | cells, self.authors(users)))
        row.links["inventory"] = [inventory]
        row.links["tenant"] = inventory.links["tenant"]
        row.links["region"] = self.some(regions, 1)
        row.links["groups"] = self.some(groups, 3)
        row.links["inventory_sources"] = self.some(sources, 2)
        for group in row.links["groups"]:
            group.links["hosts"].append(row)
        inventory.links["hosts"].append(row)
        row.links |= {"parent_host": [], "flavor": [], "image": [], "disks": [], "network_ports": []}
        if rng.random() < 0.85:
            row.documents["ansible_facts"] = self.mapping(3) | ({"a": "a\nb"} if rng.random() < 0.1 else {})
        return row

    def deliver(self, source: Row, hosts: list[Row], delivered: dict[str, list[Row]]) -> None:
        """What a source says beside its hosts, linked to the hosts of its inventory."""
        rng = self.rng
        for relation, kind in LINKS_OF_HOSTS.items():
            made = [self.object(kind, source, {"hosts": []}) for _ in range(rng.randint(0, 2))]
            delivered[kind] += made
            for host in hosts:
                chosen = self.some(made, 1)
                if chosen and not host.links[relation]:
                    host.links[relation] = chosen
                    chosen[0].links["hosts"].append(host)
        networks = [self.object("network", source, {"network_ports": []}) for _ in range(rng.randint(0, 2))]
        delivered["network"] += networks
        for host in self.some(hosts, 3):
            for _ in range(rng.randint(0, 2)):
                disk = self.object("disk", source, {"host": [host]})
                host.links["disks"].append(disk)
                delivered["disk"].append(disk)
                port = self.object("network_port", source, {"host": [host], "network": self.some(networks, 1)})
                host.links["network_ports"].append(port)
                delivered["network_port"].append(port)
                for network in port.links["network"]:
                    network.links["network_ports"].append(port)

    def object(self, kind: str, source: Row, links: dict[str, list[Row]]) -> Row:
        """A row of a source, with values for all the fields of its kind."""
        rng = self.rng
        own: dict[Type, Callable[[], Cell]] = {
            Type.TEXT: self.text,
            Type.INTEGER: lambda: rng.choice((0, 1, 8, 80, 2**40)),
            Type.BOOLEAN: lambda: rng.random() < 0.5,
            Type.TIME: lambda: rng.choice(TIMES),
            Type.ADDRESS: lambda: ip_address(rng.choice(ADDRESSES)),
        }
        given: dict[str, Cell] = {
            "name": self.name(),
            "ref": self.name(),
            "created": rng.choice(TIMES),
            "modified": rng.choice(TIMES),
        }
        fields = {name: of for name, of in KINDS[kind].fields.items() if name not in given and name not in LINKED}
        cells = given | {name: self.maybe(own[of]()) for name, of in fields.items()}
        inventory = source.links["inventory"]
        owners = {"inventory_source": [source], "inventory": inventory, "tenant": inventory[0].links["tenant"]}
        return Row(kind, cells, owners | links)

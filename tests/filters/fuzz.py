"""Random and mutated filters: texts that are nearly right, texts that are wrong, and texts that nobody would write."""

import random
from collections.abc import Callable

AWX = [
    'facts__facts__blank=""',
    '"facts__facts__ space "="f"',
    '"facts__facts__ e "=no_quotes_here',
    "a__b__c=3",
    "a__b__c=3.14",
    "a__b__c=true",
    "a__b__c=null",
    'ansible_facts__a="true"',
    'ansible_facts__a__exact="true"',
    "ansible_facts__facts__facts__blank=ansible_facts__a__b__c__ space  =ggg",
    "created_by__password__icontains=pbkdf2search=foo or created_by__password__icontains=pbkdf2",
    "created_by__password__icontains=pbkdf2 or search=foo",
    "(a=abc\u1f5e3def)",
    "(ansible_facts__a=abc\u1f5e3def)",
    "(a=b)",
    "a=b and c=d",
    "(a=b and c=d)",
    "a=b or c=d",
    "(a=b and c=d) or (e=f)",
    "a=b or a=d or a=e or a=z and b=h and b=i and b=j and b=k",
    "ansible_facts__a__b__c[]=3",
    "ansible_facts__a__b__c[]=3.14",
    "ansible_facts__a__b__c[]=true",
    'ansible_facts__a__b__c[]="true"',
    'ansible_facts__a__b__c[]="hello world"',
    'ansible_facts__a__b__c[]__d[]="foobar"',
    'ansible_facts__a__b__c[]__d__e[]="foobar"',
    '(ansible_facts__a__b__c[]__d__e__f[]="foobar") and (ansible_facts__a__b__c[]__d__e[]="foobar")',
    "ansible_facts__a=null",
    'ansible_facts__c="null"',
    "group__search=foo",
    "search=foo and group__search=foo",
    "search=foo or ansible_facts__a=null",
    '(name="host1" and groups__name="g1")',
    '(name="host1" and groups__name="g1") or (name="host3" and groups__name="g2")',
    'search="HOST1"',
    "name=single_host or name__startswith=single_",
    "inventory_sources__source=ec2",
    'ansible_facts__ansible_distribution_version="7.4"',
    "ansible_facts__ansible_distribution=レッドハット",
    "ansible_facts__ansible_distribution__icontains=cent",
    "ansible_facts__ansible_distribution__has_keys=cent",
    'ansible_facts__ansible_distribution__exact="CentOS"',
    "name=my_host",
    "ansible",
    "name=foo",
    '"a__b\\"__c"="true"',
]
SEEDS = [
    "name=localhost or group__name=local",
    "inventory__name='US-East' and search='nyc'",
    "search=baz and group__search=bang",
    "ansible_facts__ansible_processor_vcpus=8",
    'ansible_facts__ansible_date_time__weekday_number="3"',
    'ansible_facts__ansible_processor[]="GenuineIntel"',
    'ansible_facts__ansible_lo__ipv6[]__scope="host"',
    '(name=localhost or name=database) and (groups__name=east or groups__name="west coast")'
    " and ansible_facts__ansible_processor_vcpus=8",
]
EXTENDED = [
    "not groups__name=retired and ansible_facts__ansible_memtotal_mb >= 16000",
    "ip_address in (10.0.0.0/8, 192.168.0.0/16) and last_seen_at > now-7d",
    'ansible_facts__"a__b"__c=1 or ansible_facts__x__"gt"=1',
    "name not in (a, 'b c', null) and id__in=1,2,3",
    "all_groups__name ~ '^(a|b)+$' and name !~ '[0-9]{2}'",
    'variables__disks[]__size < 4.5 and variables__icontains="env: prod"',
    "created_by__username=ann and modified_by=null and inventory__organization__name__iregex=x",
    "labels__name=prod or smart_inventories__name=s or region__isnull=true",
    "groups__parents__name=x and not (enabled=false or id != 7)",
    "not not (not name=a)",
]
VARS = [
    'hardware.disks[*].vendor:"Seagate",os.release:12',
    "hardware.*[0].vendor:Seagate",
    '"asset.serial":"A-7", n[*][3]:-3.5',
    "a.b.c:true,d:null,e:''",
]
CORPUS = [*AWX, *SEEDS, *EXTENDED]
PARAMETERS = [
    ("name", "web"),
    ("name__icontains", "a"),
    ("id__in", "1,2,3"),
    ("or__groups__name", "g"),
    ("chain__not__groups__search", "a,b"),
    ("not__inventory", "none"),
    ("ansible_facts__icontains", "x"),
    ("ansible_facts__cpus__gt__int", "4"),
    ("created__lt", "2024-01-02T03:04:05Z"),
    ("enabled__isnull", "maybe"),
    ("name__regex", "^(a+)+$"),
    ("order_by", "-groups__parents__name,id"),
    ("search", 'a "b c",d'),
    ("page", "2"),
    ("page_size", "3"),
    ("type", "host,group"),
    ("role_level", "admin_role"),
    ("count_disabled", ""),
]
# fmt: off
WORDS = [
    "and", "or", "not", "in", "AND", "Or", "NOT", "In", "(", ")", ",", "=", "!=", "<", "<=", ">", ">=", "~", "!~",
    "==", "=~", "<>", "=>", "[]", "__", "'", "\"", "''", "\"\"", "\\", "null", "true", "false", "now-7d", "now+", "0",
    "-1", "007", "3.10", "1e999", "9223372036854775808", "99999999999999999999999999999999999", "10.0.0.0/8", "::/0",
    "999.1.1.1/99", "2024-13-40", "name", "id", "search", "groups", "all_groups", "inventory", "region", "tenant",
    "labels", "created_by", "password", "variables", "ansible_facts", "enabled", "ip_address", "created", "exact",
    "iexact", "contains", "startswith", "regex", "iregex", "gt", "lte", "isnull", "has_key", "%", "_", "%s", ":x",
    "$1", "?", "*", ".*", "(?i)", "[a", "((", ")", "a{1000}", "\\1", "(?=x)", "[[:alpha:]]", "\\d", "é", "ß", "漢字",
    "\U0001f600", "\u200b", "\u2028", "\xa0", "́", "\ufeff", "\x00", "\x01", "\x7f", "\ud800", "--", ";", "/*",
    "$[*]", "@",
]
# fmt: on
BLANKS = [" ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u2003", ""]


class Fuzzer:
    """Makes texts from a seed; the same seed makes the same ones."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._changes: list[Callable[[str], str]] = [
            self._drop,
            self._put,
            self._put,
            self._repeat,
            self._splice,
            self._swap,
            self._wrap,
            self._case,
            self._number,
        ]

    def filter(self) -> str:
        """A host_filter: one known that was changed a little, or words at random."""
        return self._text(CORPUS)

    def vars(self) -> str:
        """A query in Craton's form, or a host_filter in its place."""
        return self._text(VARS if self.random.random() < 0.8 else CORPUS)

    def parameters(self) -> list[tuple[str, str]]:
        """Some parameters of a list, their names and values changed a little."""
        made = []
        for _ in range(self.random.randint(1, 4)):
            name, value = self.random.choice(PARAMETERS)
            if self.random.random() < 0.5:
                name = self._changed(name)
            if self.random.random() < 0.2:
                name = self.random.choice(["or__", "not__", "chain__", "or__not__", "chain__not__"]) + name
            made.append((name, self._changed(value) if self.random.random() < 0.6 else value))
        return made

    def _text(self, corpus: list[str]) -> str:
        if self.random.random() < 0.2:
            return "".join(
                self.random.choice(WORDS) + self.random.choice(BLANKS) for _ in range(self.random.randint(1, 30))
            )
        text = self.random.choice(corpus)
        if self.random.random() < 0.1:
            text = self._grown(text, corpus)
        return self._changed(text)

    def _changed(self, text: str) -> str:
        for _ in range(self.random.choice((0, 1, 1, 1, 2, 6))):
            text = self.random.choice(self._changes)(text)
        return text[:10_000]

    def _grown(self, text: str, corpus: list[str]) -> str:
        """Long, deep, or both."""
        times = self.random.choice((2, 5, 40, 210))
        kind = self.random.randrange(4)
        if kind == 0:
            return self.random.choice((" and ", " or ")).join(self.random.choice(corpus) for _ in range(times))
        if kind == 1:
            return "(" * times + text + ")" * (times - self.random.choice((0, 0, 1)))
        if kind == 2:
            return self.random.choice(("not ", "not(", "NOT\n")) * times + text
        return "__".join(["groups"] * times) + "=1"

    def _drop(self, text: str) -> str:
        at, size = self._at(text), self.random.choice((1, 1, 2, 6))
        return text[:at] + text[at + size :]

    def _put(self, text: str) -> str:
        at = self._at(text)
        char = chr(self.random.choice((self.random.randrange(128), self.random.randrange(0x3000), 0x1F600)))
        return text[:at] + self.random.choice((self.random.choice(WORDS), char)) + text[at:]

    def _repeat(self, text: str) -> str:
        at = self._at(text)
        part = text[at : at + self.random.randint(1, 12)]
        return text[:at] + part * self.random.choice((2, 2, 3, 50)) + text[at:]

    def _splice(self, text: str) -> str:
        other = self.random.choice(CORPUS)
        return text[: self._at(text)] + other[self._at(other) :]

    def _swap(self, text: str) -> str:
        one, two = sorted((self._at(text), self._at(text)))
        return text[two:] + text[one:two] + text[:one]

    def _wrap(self, text: str) -> str:
        before, after = self.random.choice(
            (("(", ")"), ("not ", ""), ("not (", ")"), ('"', '"'), ("'", "'"), ("x in (", ")"))
        )
        return before + text + after

    def _case(self, text: str) -> str:
        return self.random.choice((text.upper, text.title, text.swapcase))()

    def _number(self, text: str) -> str:
        number = self.random.choice(("9" * 30, "-" + "9" * 400, "0" * 50, "1e400", "0.0000000001", "+8", "٣", "1_000"))
        return text.replace(self.random.choice("0123456789="), number, 1)

    def _at(self, text: str) -> int:
        return self.random.randint(0, len(text))

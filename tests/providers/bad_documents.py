"""Documents of an inventory script that nobody would write by hand, and what becomes of each."""

import json
from dataclasses import dataclass
from typing import Any


def deep(levels: int) -> Any:
    """A mapping in a mapping, so many times."""
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


def hosts(**variables: Any) -> dict[str, Any]:
    """A document of these hosts, all in the group web."""
    return {"_meta": {"hostvars": variables}, "web": {"hosts": list(variables)}}


def named(*names: str) -> dict[str, Any]:
    """A document of hosts of these names."""
    return hosts(**{name: {} for name in names})


@dataclass(frozen=True)
class Case:
    """An answer. `remote`: what becomes of it when it is read here, `ansible`: when Ansible reads it first.

    A set is what hosts there are then, a text a pattern of why it is refused.
    """

    answer: Any
    remote: set[str] | str
    ansible: set[str] | str

    @property
    def body(self) -> bytes:
        """As it comes over the net."""
        return self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()


LONG, TOO_LONG = "h" * 300, "h" * 600
CHAIN = {f"g{n}": {"children": [f"g{n + 1}"]} for n in range(3000)} | {"g3000": {"hosts": ["h"]}}
TEN_MEGABYTES = {f"k{n}": "x" * 1000 for n in range(10_000)}
CIRCLE = {"a": {"children": ["b"]}, "b": {"children": ["a"], "hosts": ["h"]}}
NO_MAPPING = "a mapping is needed"
NO_LIST = "other than a list of names"
NO_JSON = "no JSON"
NOT_PARSED = "Failed to parse inventory"

CASES = {
    # Circles of groups are cut where they close, and told; Ansible itself refuses them.
    "groups in a circle": Case(CIRCLE, {"h"}, "recursive dependency loop"),
    "a group below itself": Case({"a": {"children": ["a"], "hosts": ["h"]}}, {"h"}, "can't add group to itself"),
    "all below a group": Case({"a": {"children": ["all"], "hosts": ["h"]}}, {"h"}, "recursive dependency loop"),
    "groups 3000 deep": Case(CHAIN, {"h"}, "maximum recursion depth exceeded"),
    "Jinja in a host": Case(named("{{ x }}"), "Inline Jinja variables", "Inline Jinja variables"),
    "Jinja in a group": Case({"{% x %}": {"hosts": ["h"]}}, "Inline Jinja variables", "Inline Jinja variables"),
    "a port": Case(named("h:22"), {"h"}, {"h"}),
    "two ports": Case(hosts(**{"h:22": {"a": 1}, "h:23": {"b": 1}}), {"h"}, {"h"}),
    "a port that is none": Case(named("h:99999"), {"h:99999"}, {"h:99999"}),
    "NUL in a host": Case(named("a\0b"), "NUL", f"control character|{NOT_PARSED}"),
    "NUL in a group": Case({"a\0b": {"hosts": ["h"]}}, "NUL", "control character"),
    "NUL in a value": Case(hosts(h={"a": "x\0y"}), "/_meta/hostvars/h/a contains the character NUL", "NUL"),
    "NUL in a key": Case(hosts(h={"a\0": 1}), "key at /_meta/hostvars/h contains the character NUL", "NUL"),
    "a line end in a host": Case(named("a\nb"), "control character", "control character"),
    "300 characters": Case(named(LONG), {LONG}, {LONG}),
    "300 characters of two bytes": Case(named("ä" * 300), {"ä" * 300}, {"ä" * 300}),
    "600 characters": Case(named(TOO_LONG), "has 600 characters; at most 512", "has 600 characters; at most 512"),
    "600 in a group": Case({TOO_LONG: {"hosts": ["h"]}}, "at most 512", "at most 512"),
    "a key of 300": Case(hosts(h={LONG: 1}), {"h"}, {"h"}),
    "half a pair": Case(hosts(h={"a": "\ud800"}), "surrogate", "could not be parsed"),
    "half a pair in a host": Case(named("\ud800"), "surrogate", "could not be parsed"),
    "60 levels": Case(hosts(h={"a": deep(60)}), {"h"}, {"h"}),
    "70 levels": Case(hosts(h={"a": deep(70)}), "deeper than 64", "deeper than 64"),
    "900 levels": Case(hosts(h={"a": deep(900)}), "deeper than 64", "could not be parsed"),
    "hosts as text": Case({"web": {"hosts": "h"}}, NO_LIST, NOT_PARSED),
    "hosts as numbers": Case({"web": {"hosts": [1]}}, NO_LIST, NOT_PARSED),
    "hosts as a mapping": Case({"web": {"hosts": {"h": {}}}}, NO_LIST, NOT_PARSED),
    "no hosts but null": Case({"web": {"hosts": None}}, NO_LIST, NOT_PARSED),
    "children null": Case({"web": {"children": None, "hosts": ["h"]}}, NO_LIST, NOT_PARSED),
    "a group null": Case({"web": None}, NO_MAPPING, NOT_PARSED),
    "a group as a number": Case({"web": 1}, NO_MAPPING, NOT_PARSED),
    "a group as a list": Case({"web": ["h"]}, {"h"}, {"h"}),
    "vars as a list": Case({"web": {"hosts": ["h"], "vars": []}}, "list at web.vars", NOT_PARSED),
    "_meta null": Case({"_meta": None, "web": {"hosts": ["h"]}}, NO_MAPPING, NOT_PARSED),
    "hostvars as a list": Case({"_meta": {"hostvars": []}, "web": {"hosts": ["h"]}}, NO_MAPPING, NOT_PARSED),
    "a host's variables as a list": Case(
        {"_meta": {"hostvars": {"h": [1]}}, "web": {"hosts": ["h"]}}, "list at _meta.hostvars.h", NOT_PARSED
    ),
    "a host without a name": Case(named(""), "host without a name", "empty host name"),
    "a host of blanks": Case(named("  "), "host without a name", "host without a name"),
    "a group without a name": Case({"": {"hosts": ["h"]}}, "group without a name", "group name"),
    "a host twice": Case({"web": {"hosts": ["h", "h"]}}, {"h"}, {"h"}),
    "hosts that differ by case": Case(named("H", "h"), {"H", "h"}, {"H", "h"}),
    "one id twice": Case(hosts(h={"remote_tower_id": 1}, g={"remote_tower_id": 1}), {"g", "h"}, {"g", "h"}),
    "an id as a list": Case(hosts(h={"remote_tower_id": [1]}), {"h"}, {"h"}),
    "a description as a mapping": Case(hosts(h={"_awx_description": {"a": 1}}), {"h"}, {"h"}),
    "a mark on a number": Case(hosts(h={"a": {"__ansible_unsafe": 1}}), {"h"}, "could not be parsed"),
    "a group that climbs": Case({"../../etc": {"hosts": ["h"]}}, {"h"}, {"h"}),
    "two groups of one name": Case({"a/b": {"hosts": ["h"]}, "a_b": {"hosts": ["h"]}}, {"h"}, {"h"}),
    "10 MB of variables": Case(hosts(h=TEN_MEGABYTES), {"h"}, {"h"}),
}
TEXTS = {
    "nothing": Case(b"", NO_JSON, NOT_PARSED),
    "blanks": Case(b" \n", NO_JSON, NOT_PARSED),
    "half": Case(json.dumps(named("a", "b")).encode()[:25], NO_JSON, NOT_PARSED),
    "a page of HTML": Case(b"<html>log in</html>", NO_JSON, NOT_PARSED),
    "no UTF-8": Case('{"web": ["ä"]}'.encode("latin-1"), NO_JSON, NOT_PARSED),
    "UTF-16": Case('{"web": ["h"]}'.encode("utf-16"), NO_JSON, NOT_PARSED),
    "a byte order mark": Case(b'\xef\xbb\xbf{"web": ["h"]}', {"h"}, NOT_PARSED),
    "two documents": Case(b"{}{}", NO_JSON, NOT_PARSED),
    "a list": Case(b"[]", "other than a JSON object", NOT_PARSED),
    "null": Case(b"null", "other than a JSON object", NOT_PARSED),
    "a key twice": Case(b'{"web": ["a"], "web": ["h"]}', "appears twice", {"h"}),
    "NaN": Case(b'{"web": {"hosts": ["h"], "vars": {"x": NaN}}}', "NaN", "cannot be written as JSON"),
    "no number": Case(b'{"web": {"hosts": ["h"], "vars": {"x": 1e999}}}', "finite", "cannot be written as JSON"),
    "5000 digits": Case(b'{"web": {"vars": {"x": %s}}}' % (b"1" * 5000), "308 digits", NOT_PARSED),
    "100 000 brackets": Case(b"[" * 100_000, "deeper than 64", NOT_PARSED),
}

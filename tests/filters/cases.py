"""The strings that AWX's own tests and documents show, and what each means: one table for three rings of tests.

Ring 1 reads `text` as the filter `read`; ring 2 binds the values `bound` in its SQL; ring 3 asks for it over HTTP and
gets `hosts` of the world of `tests/api/v2/test_host_filter_cases.py`. `refused`: how the 400 starts instead, and where
it arises: while reading when `read` is empty, else while compiling.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A string; see the module."""

    text: str
    read: str = ""
    bound: tuple[str, ...] = ()
    hosts: str = ""
    refused: str = ""


def unknown(text: str, read: str, field: str = "a") -> Case:
    """A string that AWX tests with its check of fields switched off: read, then refused for its first field."""
    return Case(text, read, refused=f'Invalid query {text}: no field "{field}" on host at column ')


def fact(path: str, value: str, document: str, hosts: str) -> Case:
    """One term on facts: the document that they must contain, and who does."""
    return Case(f"ansible_facts__{path}={value}", f"ansible_facts__{path} = {value}", (document,), hosts)


TWO_HOSTS = '(name="host1" and groups__name="g1") or (name="host3" and groups__name="g2")'
TWO_ARRAYS = '(ansible_facts__a__b__c[]__d__e__f[]="foobar") and (ansible_facts__a__b__c[]__d__e[]="foobar")'
SECRET = "created_by__password__icontains=pbkdf2"

# The order is that of AWX's own tests.
AWX = (
    unknown('facts__facts__blank=""', 'facts__facts__blank = ""', "facts"),
    unknown('"facts__facts__ space "="f"', '"facts__facts__ space " = "f"', "facts"),
    unknown('"facts__facts__ e "=no_quotes_here', '"facts__facts__ e " = no_quotes_here', "facts"),
    unknown("a__b__c=3", "a__b__c = 3"),
    unknown("a__b__c=3.14", "a__b__c = 3.14"),
    unknown("a__b__c=true", "a__b__c = true"),
    unknown("a__b__c=false", "a__b__c = false"),
    unknown("a__b__c=null", "a__b__c = null"),
    fact("a", '"true"', '{"a":"true"}', "word"),
    Case('ansible_facts__a__exact="true"', 'ansible_facts__a__exact = "true"', ('{"a":"true"}',), "word"),
    Case(
        "ansible_facts__facts__facts__blank=ansible_facts__a__b__c__ space  =ggg",
        refused="Invalid query ansible_facts__facts__facts__blank=ansible_facts__a__b__c__ space  =ggg: ",
    ),
    Case(f"{SECRET}search=foo or {SECRET}", refused=f"Invalid query {SECRET}search=foo or {SECRET}: "),
    Case(
        f"{SECRET} or search=foo",
        "created_by__password__icontains = pbkdf2 or search = foo",
        refused="Filtering on password is not allowed.",
    ),
    # U+1F5E is no character yet, so messages show it escaped.
    Case("(a=abc\u1f5e3def)", "a = abc\u1f5e3def", refused='Invalid query (a=abc\\u1f5e3def): no field "a" on host'),
    Case("(ansible_facts__a=abc\u1f5e3def)", "ansible_facts__a = abc\u1f5e3def", ('{"a":"abc\u1f5e3def"}',), "eye"),
    unknown("(a=b)", "a = b"),
    unknown("a=b and c=d", "a = b and c = d"),
    unknown("(a=b and c=d)", "a = b and c = d"),
    unknown("a=b or c=d", "a = b or c = d"),
    unknown("(a=b and c=d) or (e=f)", "(a = b and c = d) or e = f"),
    unknown(
        "a=b or a=d or a=e or a=z and b=h and b=i and b=j and b=k",
        "a = b or a = d or a = e or (a = z and b = h and b = i and b = j and b = k)",
    ),
    fact("a__b__c[]", "3", '{"a":{"b":{"c":[3]}}}', "typed"),
    fact("a__b__c[]", "3.14", '{"a":{"b":{"c":[3.14]}}}', "typed"),
    fact("a__b__c[]", "true", '{"a":{"b":{"c":[true]}}}', "typed"),
    fact("a__b__c[]", "false", '{"a":{"b":{"c":[false]}}}', "typed"),
    fact("a__b__c[]", '"true"', '{"a":{"b":{"c":["true"]}}}', "texts"),
    fact("a__b__c[]", '"hello world"', '{"a":{"b":{"c":["hello world"]}}}', "texts"),
    fact("a__b__c[]__d[]", '"foobar"', '{"a":{"b":{"c":[{"d":["foobar"]}]}}}', "d1"),
    fact("a__b__c[]__d", '"foobar"', '{"a":{"b":{"c":[{"d":"foobar"}]}}}', "d0"),
    fact("a__b__c[]__d__e", '"foobar"', '{"a":{"b":{"c":[{"d":{"e":"foobar"}}]}}}', "e0"),
    fact("a__b__c[]__d__e[]", '"foobar"', '{"a":{"b":{"c":[{"d":{"e":["foobar"]}}]}}}', "e1 both"),
    fact("a__b__c[]__d__e__f[]", '"foobar"', '{"a":{"b":{"c":[{"d":{"e":{"f":["foobar"]}}}]}}}', "f1 both"),
    Case(
        TWO_ARRAYS,
        'ansible_facts__a__b__c[]__d__e__f[] = "foobar" and ansible_facts__a__b__c[]__d__e[] = "foobar"',
        ('{"a":{"b":{"c":[{"d":{"e":{"f":["foobar"]}}}]}}}', '{"a":{"b":{"c":[{"d":{"e":["foobar"]}}]}}}'),
        "both",
    ),
    fact("a", "null", '{"a":null}', "nothing"),
    fact("c", '"null"', '{"c":"null"}', "nothing"),
    Case("group__search=foo", "group__search = foo", ("%foo%", "%foo%"), "foo host3"),
    Case(
        "search=foo and group__search=foo",
        "search = foo and group__search = foo",
        ("%foo%", "%foo%", "%foo%", "%foo%"),
        "foo",
    ),
    Case(
        "search=foo or ansible_facts__a=null",
        "search = foo or ansible_facts__a = null",
        ('{"a":null}', "%foo%", "%foo%"),
        "foo nothing",
    ),
    Case('(name="host1" and groups__name="g1")', 'name = "host1" and groups__name = "g1"', ("host1", "g1"), "host1"),
    Case(
        TWO_HOSTS,
        '(name = "host1" and groups__name = "g1") or (name = "host3" and groups__name = "g2")',
        ("host1", "g1", "host3", "g2"),
        "host1 host3",
    ),
    Case('search="HOST1"', 'search = "HOST1"', ("%HOST1%", "%HOST1%"), "host1"),
    Case(
        "name=single_host or name__startswith=single_",
        "name = single_host or name__startswith = single_",
        ("single_host", "single\\_%"),
        "single_host",
    ),
    Case("inventory_sources__source=ec2", "inventory_sources__source = ec2", ("ec2",), "my_host"),
    fact("ansible_distribution_version", '"7.4"', '{"ansible_distribution_version":"7.4"}', "centos"),
    fact("ansible_distribution", "レッドハット", '{"ansible_distribution":"レッドハット"}', "japanese"),
    Case(
        "ansible_facts__ansible_distribution__icontains=cent",
        "ansible_facts__ansible_distribution__icontains = cent",
        ('strict $ ? (exists(@."ansible_distribution" ? (@ like_regex "cent" flag "is")))', "{}", "True"),
        "centos",
    ),
    fact("ansible_distribution__has_keys", "cent", '{"ansible_distribution":{"has_keys":"cent"}}', "keyed"),
    Case(
        'ansible_facts__ansible_distribution__exact="CentOS"',
        'ansible_facts__ansible_distribution__exact = "CentOS"',
        ('{"ansible_distribution":"CentOS"}',),
        "centos",
    ),
    Case("name=my_host", "name = my_host", ("my_host",), "my_host"),
    Case("ansible", refused="Invalid query ansible: "),
    Case("name=foo", "name = foo", ("foo",), "foo"),
)

# The examples of AWX's documents on smart inventories and on searching facts.
DOCUMENTED = (
    Case("search=foo", "search = foo", ("%foo%", "%foo%"), "foo"),
    Case("group__search=bar", "group__search = bar", ("%bar%", "%bar%"), "baz"),
    Case(
        "search=baz and group__search=bang",
        "search = baz and group__search = bang",
        ("%baz%", "%baz%", "%bang%", "%bang%"),
        "baz",
    ),
    Case(
        "name=localhost or group__name=local",
        "name = localhost or group__name = local",
        ("localhost", "local"),
        "localhost remote",
    ),
    Case(
        "group__search=ec2 and group__search=gce",
        "group__search = ec2 and group__search = gce",
        ("%ec2%", "%ec2%", "%gce%", "%gce%"),
        "localhost",
    ),
    Case(
        "inventory__name='US-East' and search='nyc'",
        'inventory__name = "US-East" and search = "nyc"',
        ("US-East", "%nyc%", "%nyc%"),
        "database",
    ),
    fact("ansible_processor_vcpus", "8", '{"ansible_processor_vcpus":8}', "database localhost"),
    Case("name=localhost", "name = localhost", ("localhost",), "localhost"),
    fact("ansible_date_time__weekday_number", '"3"', '{"ansible_date_time":{"weekday_number":"3"}}', "localhost"),
    fact("ansible_processor[]", '"GenuineIntel"', '{"ansible_processor":["GenuineIntel"]}', "localhost"),
    fact("ansible_lo__ipv6[]__scope", '"host"', '{"ansible_lo":{"ipv6":[{"scope":"host"}]}}', "localhost"),
    fact("ansible_env__PYTHONUNBUFFERED", '"true"', '{"ansible_env":{"PYTHONUNBUFFERED":"true"}}', "localhost"),
    Case(
        '(name=localhost or name=database) and (groups__name=east or groups__name="west coast")'
        " and ansible_facts__ansible_processor_vcpus=8",
        '(name = localhost or name = database) and (groups__name = east or groups__name = "west coast")'
        " and ansible_facts__ansible_processor_vcpus = 8",
        ("localhost", "database", "east", "west coast", '{"ansible_processor_vcpus":8}'),
        "database localhost",
    ),
)
CASES = (*AWX, *DOCUMENTED)

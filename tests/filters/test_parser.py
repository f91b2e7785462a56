"""Ring 1: which texts are read, as what, and how the others are refused."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from craton_inv.errors import InvalidFilter
from craton_inv.filters.nodes import And, InList, Node, Not, Or, Part, Term, Value, leaves, to_text
from craton_inv.filters.parser import MAX_NESTING, parse
from tests.processor_time import least


def term(path: str, text: str, *, quoted: bool = False, op: str = "=") -> Term:
    """A term over a plain path."""
    parts = tuple(Part(name.removesuffix("[]"), name.endswith("[]")) for name in path.split("__"))
    return Term(parts, op, Value(text, quoted))


def refusal(text: str) -> InvalidFilter:
    """The refusal that a text gets."""
    with pytest.raises(InvalidFilter) as caught:
        parse(text)
    return caught.value


AWX_TERMS = [
    ('facts__facts__blank=""', term("facts__facts__blank", "", quoted=True)),
    ('"facts__facts__ space "="f"', term("facts__facts__ space ", "f", quoted=True)),
    ('"facts__facts__ e "=no_quotes_here', term("facts__facts__ e ", "no_quotes_here")),
    ("a__b__c=3", term("a__b__c", "3")),
    ("a__b__c=3.14", term("a__b__c", "3.14")),
    ("a__b__c=true", term("a__b__c", "true")),
    ("a__b__c=false", term("a__b__c", "false")),
    ("a__b__c=null", term("a__b__c", "null")),
    ('ansible_facts__a="true"', term("ansible_facts__a", "true", quoted=True)),
    ('ansible_facts__a__exact="true"', term("ansible_facts__a__exact", "true", quoted=True)),
    ("(a=abc὞3def)", term("a", "abc὞3def")),
    ("(ansible_facts__a=abc὞3def)", term("ansible_facts__a", "abc὞3def")),
    ("(a=b)", term("a", "b")),
    ("ansible_facts__a__b__c[]=3", term("ansible_facts__a__b__c[]", "3")),
    ('ansible_facts__a__b__c[]="hello world"', term("ansible_facts__a__b__c[]", "hello world", quoted=True)),
    ('ansible_facts__a__b__c[]__d[]="foobar"', term("ansible_facts__a__b__c[]__d[]", "foobar", quoted=True)),
    ('ansible_facts__a__b__c[]__d="foobar"', term("ansible_facts__a__b__c[]__d", "foobar", quoted=True)),
    ("ansible_facts__a=null", term("ansible_facts__a", "null")),
    ('ansible_facts__c="null"', term("ansible_facts__c", "null", quoted=True)),
    ("group__search=foo", term("group__search", "foo")),
    ('search="HOST1"', term("search", "HOST1", quoted=True)),
    ("name=my_host", term("name", "my_host")),
]
AWX_TREES = [
    ("a=b and c=d", And((term("a", "b"), term("c", "d")))),
    ("(a=b and c=d)", And((term("a", "b"), term("c", "d")))),
    ("a=b or c=d", Or((term("a", "b"), term("c", "d")))),
    ("(a=b and c=d) or (e=f)", Or((And((term("a", "b"), term("c", "d"))), term("e", "f")))),
    (
        "a=b or a=d or a=e or a=z and b=h and b=i and b=j and b=k",
        Or(
            (
                term("a", "b"),
                term("a", "d"),
                term("a", "e"),
                And((term("a", "z"), term("b", "h"), term("b", "i"), term("b", "j"), term("b", "k"))),
            )
        ),
    ),
    ("search=foo and group__search=foo", And((term("search", "foo"), term("group__search", "foo")))),
    ("search=foo or ansible_facts__a=null", Or((term("search", "foo"), term("ansible_facts__a", "null")))),
]


@pytest.mark.parametrize(("text", "node"), AWX_TERMS + AWX_TREES)
def test_what_awx_reads_is_read_the_same(text: str, node: Node) -> None:
    assert parse(text) == node


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("name = a", term("name", "a")),
        ("name =a\tand\u2003id=3", And((term("name", "a"), term("id", "3")))),
        ('"a"="b"and"c"="d"', And((term("a", "b", quoted=True), term("c", "d", quoted=True)))),
        ("(a=b)AND(c=d)", And((term("a", "b"), term("c", "d")))),
        ("name=or and or=3", And((term("name", "or"), term("or", "3")))),
        ("not=3 or not not=3", Or((term("not", "3"), Not(term("not", "3"))))),
        ("name=O'Brien", term("name", "O'Brien")),
        ("inventory__name='US-East'", term("inventory__name", "US-East", quoted=True)),
        ('name="say ""hi"""', term("name", 'say "hi"', quoted=True)),
        ("a != b", Not(term("a", "b"))),
        ("a !~ b", Not(term("a", "b", op="~"))),
        ("a<=b", term("a", "b", op="<=")),
        ("a in (b, 'c d',e)", InList((Part("a"),), (Value("b"), Value("c d", True), Value("e")))),
        ('"a"in(b)', InList((Part("a"),), (Value("b"),))),
        ("a not in (b)", Not(InList((Part("a"),), (Value("b"),)))),
        ("not a=b and c=d", And((Not(term("a", "b")), term("c", "d")))),
        ("not (a=b and c=d)", Not(And((term("a", "b"), term("c", "d"))))),
        ('x__"a__b"__c=1', Term((Part("x"), Part("a__b", literal=True), Part("c")), "=", Value("1"))),
        ('x__"gt"[]=1', Term((Part("x"), Part("gt", array=True, literal=True)), "=", Value("1"))),
        ("name=a,b", term("name", "a,b")),
    ],
)
def test_the_language_is_read(text: str, node: Node) -> None:
    assert parse(text) == node


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("", 1, "the filter is empty"),
        ("ansible", 8, "expected an operator"),
        ("name=", 6, "a value is missing"),
        ("name=two words", 10, "needs quotes"),
        ("name=a)", 7, 'unexpected ")"'),
        ("a) or (b", 2, 'unexpected ")"'),
        ("name=a orname=b", 8, 'expected "and" or "or"'),
        ("a==b", 2, 'did you mean "="?'),
        ("a=~b", 2, 'did you mean "~"?'),
        ("a<>b", 2, 'did you mean "!="?'),
        ("a=>b", 2, 'did you mean ">="?'),
        ("a in ()", 7, "a list needs a value"),
        ("a in (b,)", 9, "a list needs a value"),
        ("(a=b", 5, "ends too early"),
        ("a=b and", 8, "expected a field"),
        ('a="x', 3, "a quote is opened"),
        ("a=b=c", 4, "needs quotes"),
        ("a__=b", 1, "empty part"),
        ("__a=b", 1, "empty part"),
        ("a____b=c", 1, "empty part"),
        ('a____b__"c"=d', 1, "empty part"),
        ('__a__"c"=d', 1, "empty part"),
        ('a_____"c"=d', 1, "empty part"),
        ('a__"b"__=d', 1, "empty part"),
        ('a__[]__"c"=d', 1, "empty part"),
        ('x"y"=3', 1, "quote inside a part"),
        ("not", 4, "ends too early"),
        ("=3", 1, "expected a field"),
        ("ansible_facts__facts__facts__blank=ansible_facts__a__b__c__ space  =ggg", 61, "needs quotes"),
        (
            "created_by__password__icontains=pbkdf2search=foo or created_by__password__icontains=pbkdf2",
            45,
            "needs quotes",
        ),
    ],
)
def test_a_slip_is_refused_where_it_stands(text: str, column: int, words: str) -> None:
    error = refusal(text)
    assert error.message.startswith(f"Invalid query {text}")
    assert words in error.message
    assert error.column == column


def test_a_refusal_on_a_later_line_names_the_line() -> None:
    error = refusal("a=b\n and c d")
    assert (error.line, error.column) == (2, 8)
    assert "at line 2, column 8" in error.message


@pytest.mark.parametrize(
    "text",
    ["(" * 5000, "not " * 10_000 + "a=b", "x" * 5000, "a=b or " * 10_000 + "a=b", "é" * 2100 + "=1"],
    ids=["parentheses", "nots", "name", "ors", "bytes"],
)
def test_more_than_4_kib_is_refused(text: str) -> None:
    assert "at most 4096" in refusal(text).message


@pytest.mark.parametrize(
    "text",
    ["(" * 2000 + "a=b" + ")" * 2000, "not " * 1000 + "a=b", "(" * 4000, "not(" * 33 + "a=b" + ")" * 33],
    ids=["parentheses", "nots", "open", "both"],
)
def test_deep_nesting_is_refused_and_never_overflows(text: str) -> None:
    assert refusal(text).status == 400


def test_nesting_up_to_the_limit_is_read() -> None:
    assert parse("(" * MAX_NESTING + "a=b" + ")" * MAX_NESTING) == term("a", "b")


def test_200_terms_are_read_and_201_are_refused() -> None:
    assert len(leaves(parse(" or ".join(["a=b"] * 200)))) == 200
    assert "201 terms" in refusal(" or ".join(["a=b"] * 201)).message


def test_a_path_of_65_parts_is_refused() -> None:
    assert "at most 64" in refusal("__".join(["a"] * 65) + "=1").message


@pytest.mark.parametrize(
    "text",
    [
        '"a"__' * 800,
        '"' * 4095,
        "'\"" * 2000,
        '"a""' * 1000,
        "a" * 4096,
        "a__" * 1300 + '"',
        " " * 4095 + "(",
        "a=" + "'" * 4001,
    ],
)
def test_no_text_makes_the_reader_slow(text: str) -> None:
    assert least(lambda: refusal(text), 0.5) < 0.5


NAMES = st.text(string.ascii_letters + "éß_0- .[](\"'<=", min_size=1, max_size=8)
PLAIN = NAMES.filter(lambda name: "__" not in name and not name.startswith("_") and not name.endswith(("_", "[]")))
SAFE = PLAIN.filter(lambda name: not set(name) & set(" ()=<>!~'\"."))
PATHS = st.one_of(
    st.lists(st.builds(Part, PLAIN, st.booleans()), min_size=1, max_size=4).map(tuple),
    st.tuples(
        st.builds(Part, SAFE, st.booleans()),
        st.builds(Part, NAMES, st.booleans(), st.just(True)),
        st.builds(Part, SAFE),
    ),
)
BARE = st.text(string.ascii_letters + "0123456789.<>~!'-é/", min_size=1, max_size=8).filter(lambda text: text[0] != "'")
VALUES = st.one_of(st.builds(Value, BARE), st.builds(Value, st.text(max_size=8), st.just(True)))
TERMS = st.one_of(
    st.builds(Term, PATHS, st.sampled_from(["=", "<", "<=", ">", ">=", "~"]), VALUES),
    st.builds(InList, PATHS, st.lists(VALUES, min_size=1, max_size=3).map(tuple)),
)
NODES = st.recursive(
    TERMS,
    lambda nodes: st.one_of(
        st.builds(Not, nodes),
        st.builds(And, st.lists(nodes, min_size=2, max_size=3).map(tuple)),
        st.builds(Or, st.lists(nodes, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(NODES)
def test_what_is_printed_is_read_back(node: Node) -> None:
    assert parse(to_text(node)) == node

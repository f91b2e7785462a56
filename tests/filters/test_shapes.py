"""The paths of a document, as a filter writes them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from craton_inv.filters import parse, shapes
from craton_inv.filters.facts import document
from craton_inv.filters.nodes import Term
from craton_inv.filters.shapes import Shapes, kind_names

ROOT = "ansible_facts"


def shapes_of(*documents: dict[str, Any]) -> Shapes:
    made = Shapes(ROOT)
    for each in documents:
        made.add(each)
    return made


def kinds_of(*documents: dict[str, Any]) -> dict[str, list[str]]:
    return {path: kind_names(shape.kinds) for path, shape in shapes_of(*documents).found.items()}


def test_scalars_are_named_through_objects_and_arrays() -> None:
    found = kinds_of({"os": {"name": "Debian", "big": False}, "cpus": 8, "lo": {"ipv6": [{"scope": "host"}, "x"]}})
    assert found == {
        "ansible_facts__os__name": ["string"],
        "ansible_facts__os__big": ["boolean"],
        "ansible_facts__cpus": ["number"],
        "ansible_facts__lo__ipv6[]__scope": ["string"],
        "ansible_facts__lo__ipv6[]": ["string"],
    }


def test_the_types_of_several_documents_come_together() -> None:
    assert kinds_of({"a": 1}, {"a": "x"}, {"a": None}) == {"ansible_facts__a": ["string", "number", "null"]}


def test_what_no_filter_can_name_is_left_out() -> None:
    assert kinds_of({"": 1, "a": [[1]], "b": {}, "c": [], "d" * 2000: 1}) == {}


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("a__b", 'ansible_facts__"a__b"'),
        ("rack unit", 'ansible_facts__"rack unit"'),
        ("a=b", 'ansible_facts__"a=b"'),
        ('say "x"', 'ansible_facts__"say ""x"""'),
        ("end_", 'ansible_facts__"end_"'),
        ("_begin", "ansible_facts___begin"),
        ("x[]", 'ansible_facts__"x[]"'),
        ("gt", 'ansible_facts__"gt"'),
        ("größe", "ansible_facts__größe"),
    ],
)
def test_a_key_is_quoted_where_the_language_needs_it(key: str, path: str) -> None:
    assert list(shapes_of({key: 1}).found) == [path]


def test_a_key_named_as_a_lookup_is_quoted_at_the_end_alone() -> None:
    assert set(shapes_of({"in": {"x": 1}, "x": {"in": 1}}).found) == {"ansible_facts__in__x", 'ansible_facts__x__"in"'}


keys = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)
tricky = st.sampled_from(
    ["_", "__", "a_", "_a", "[]", "a[]", "not", "and", "in", "exact", "search", "'", '"', " ", "="]
)
nested = st.recursive(
    st.just(7),
    lambda inner: st.dictionaries(keys | tricky, inner, min_size=1, max_size=3) | st.lists(inner),
    max_leaves=8,
)


@given(st.dictionaries(keys | tricky, nested, min_size=1, max_size=3))
def test_every_path_leads_a_filter_to_its_place(facts: dict[str, Any]) -> None:
    for path in shapes_of(facts).found:
        term = parse(f"{path}=7")
        assert isinstance(term, Term)
        assert contains(facts, json.loads(document(term.path[1:], term.value.text)))


def contains(whole: Any, part: Any) -> bool:
    """PostgreSQL's @> for what the filters ask."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and contains(whole[key], part[key]) for key in part)
    if isinstance(part, list):
        return isinstance(whole, list) and all(any(contains(item, wanted) for item in whole) for wanted in part)
    return bool(whole == part)


def example(**facts: Any) -> Any:
    (shape,) = shapes_of(facts).found.values()
    return shape.example


def test_examples_are_short() -> None:
    assert example(kernel="x y " * 100) == ("x y " * 100)[:80]
    assert (example(cpus=8), example(load=0.5), example(up=True), example(gone=None)) == (8, 0.5, True, None)


def test_a_later_value_gives_the_example_that_the_first_could_not() -> None:
    assert shapes_of({"a": ""}, {"a": "x"}).found["ansible_facts__a"].example == "x"


@pytest.mark.parametrize(
    "facts",
    [
        {"db_password": "hunter2"},
        {"API_KEY": "k"},
        {"aws": {"secret_access_key": "k"}},
        {"credentials": {"user": "ann"}},
        {"ansible_env": {"HARMLESS": "x"}},
        {"url": "https://ann:pw@example.org/"},
        {"note": "-----BEGIN OPENSSH PRIVATE KEY-----"},
        {"header": "Bearer abc"},
        {"id": "eyJhbGciOiJIUzI1NiJ9.e30.x"},
        {"blob": "d3b07384d113edec49eaa6238ad5ff00"},
        {"args": "--password=hunter2"},
    ],
)
def test_what_may_be_a_secret_is_no_example(facts: dict[str, Any]) -> None:
    (shape,) = shapes_of(facts).found.values()
    assert (shape.example, kind_names(shape.kinds)) == (None, ["string"])


def test_a_secret_key_hides_what_another_document_has_there() -> None:
    assert shapes_of({"password": ""}, {"password": "x"}).found["ansible_facts__password"].example is None


def test_keys_that_are_invented_end_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "MAX_PATHS", 3)
    made = shapes_of({f"veth{number}": 1 for number in range(10)})
    assert (len(made.found), made.full) == (3, True)

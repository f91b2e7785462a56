"""docs/host_filter.md names what the code knows, all of it and nothing else."""

import re
from pathlib import Path

import pytest

from craton_inv.filters import parse
from craton_inv.filters.lookups import LOOKUPS, OPERATORS
from craton_inv.filters.nodes import Not
from craton_inv.filters.parser import MAX_NESTING, MAX_PARTS, MAX_TERMS
from craton_inv.filters.paths import Catalogue, catalogue, singular
from craton_inv.filters.query_params import RESERVED
from craton_inv.models import Host

PAGE = (Path(__file__).parents[2] / "docs" / "host_filter.md").read_text(encoding="utf-8")


def table(first: str) -> list[list[str]]:
    """The cells of the rows of the table whose head begins with `first`."""
    head, _, rest = PAGE.partition(f"| {first} |")[2].partition("\n|---")
    assert head
    lines = rest.split("\n\n")[0].splitlines()[1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def quoted(text: str) -> list[str]:
    """The words in code quotes."""
    return re.findall(r"`([^`]+)`", text)


def reached() -> dict[str, Catalogue]:
    """Every model that a path can lead to, by the name of one row."""
    found: dict[str, Catalogue] = {}
    waiting = [Host]
    while waiting:
        here = catalogue(waiting.pop())
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", here.label).lower()
        if name not in found:
            found[name] = here
            waiting.extend(hop.target for hop in here.relations.values())
    return found


def names_of(here: Catalogue) -> set[str]:
    """The names of the relations of a model; a singular that is short for one goes without saying."""
    return {
        name
        for name in here.relations
        if not any(other != name and singular(other) == name for other in here.relations)
    }


def test_the_page_lists_exactly_the_lookups() -> None:
    assert sorted(name for row in table("Lookup") for name in quoted(row[0])) == sorted(LOOKUPS)


def test_the_page_lists_exactly_the_operators() -> None:
    listed = [name for row in table("Operator") for name in quoted(row[0])]
    negative = ["!=", "!~", "in", "not in"]
    assert sorted(listed) == sorted([*OPERATORS, *negative])


@pytest.mark.parametrize("operator", [name for row in table("Operator") for name in quoted(row[0])])
def test_an_operator_of_the_page_is_one(operator: str) -> None:
    node = parse(f"name {operator} (a)" if operator.endswith("in") else f"name {operator} a")
    assert isinstance(node, Not) == operator.startswith(("!", "not"))


def test_the_page_lists_exactly_the_relations() -> None:
    listed = {row[0]: set(quoted(row[1])) for row in table("From a")}
    assert listed == {name: names_of(here) for name, here in reached().items() if here.relations}


def test_the_page_lists_exactly_the_reserved_names() -> None:
    sentence = re.search(r"These names are no fields: (.*?)\.\s", PAGE, re.DOTALL)
    assert sentence is not None
    assert sorted(quoted(sentence[1])) == sorted(RESERVED)


def test_the_page_names_the_documents_and_the_limits() -> None:
    for root in catalogue(Host).roots:
        assert f"`{root}__" in PAGE
    assert f"{MAX_TERMS} terms, {MAX_NESTING} levels of nesting, {MAX_PARTS} parts" in PAGE

"""What a host_filter means, the paths that one can name, and the lookups."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StrictStr, StringConstraints

from craton_inv.schemas.v2.envelope import Page
from craton_inv.schemas.v2.fields import Id


class FilterQuestion(BaseModel):
    """A filter to explain."""

    host_filter: Annotated[StrictStr, StringConstraints(min_length=1)] = Field(
        description='A search, as in `name=web1 or ansible_facts__os="Debian"`.'
    )
    host: Id | None = Field(None, description="A host: tell what each term finds there.")
    inventory: Id | None = Field(None, description="Count the hosts of this inventory alone.")


class TypedValue(BaseModel):
    """A value as the field takes it."""

    type: str = Field(description="text, string, number, boolean, null, integer, timestamp, address, network, id, …")
    value: Any


class FilterTerm(BaseModel):
    """A term of the tree."""

    kind: Literal["term"]
    term: int = Field(description="Which of `terms`, from 0.")
    path: str
    operator: str = Field(description='As written; `a != b` is "not" around `a = b`.')
    lookup: str = Field(description="What the term comes down to.")
    values: list[TypedValue]


class FilterBranch(BaseModel):
    """What joins terms. "not" has one child."""

    kind: Literal["and", "or", "not"]
    children: list["FilterNode"]


FilterNode = Annotated[FilterBranch | FilterTerm, Field(discriminator="kind")]


class FilterPlan(BaseModel):
    """How PostgreSQL looks for something."""

    indexes: list[str] = Field(description="The indexes that the plan reads.")
    scans: list[str] = Field(description="The tables that the plan reads from end to end.")


class TermPlan(BaseModel):
    """How PostgreSQL looks for what a term matches."""

    operators: list[str] = Field(description="Outermost first; `IN (sub-query)` for each relation.")
    indexes: list[str] = Field(description="The indexes that the plan reads.")
    scans: list[str] = Field(description="The tables that the plan reads from end to end.")


class FoundValue(BaseModel):
    """A value that a term looks at."""

    row: str | None = Field(description="The name of the related row that holds it; null on the host itself.")
    value: Any
    cut: bool = Field(description="Only the beginning of its JSON text is told.")


class TermOnHost(BaseModel):
    """What a term finds on one host."""

    matches: bool | None = Field(description="null when telling takes too long.")
    found: list[FoundValue] = Field(description="Values there, ten at most, of rows that you may see.")
    more: bool = Field(description="There are more than ten.")


class ExplainedTerm(BaseModel):
    """One term of a filter."""

    text: str
    line: int
    column: int
    field_type: str = Field(description="text, integer, timestamp, address, json, relation, rows (`search`), …")
    matches: int | None = Field(description="Hosts that you may see; null when counting them takes too long.")
    timed_out: bool
    sql: TermPlan
    warnings: list[str]
    similar: list[str] = Field(description="Known paths that look like this unknown one.")
    on_host: TermOnHost | None


class FilterOnHost(BaseModel):
    """A host and whether the whole filter matches it."""

    id: int
    name: str
    matches: bool | None


class FilterExplanation(BaseModel):
    """A filter, whole and term by term."""

    host_filter: str = Field(description="The filter in its plainest form.")
    matches: int | None = Field(description="Hosts that you may see; null when counting them takes too long.")
    timed_out: bool
    sql: FilterPlan
    host: FilterOnHost | None
    tree: FilterNode
    terms: list[ExplainedTerm] = Field(description="In the order written.")


class FilterPath(BaseModel):
    """Something that a path can name next."""

    path: str
    field_type: str = Field(description="text, integer, timestamp, address, json, relation, rows (`search`), …")
    same_as: str | None = Field(description="Another name of the same thing.")
    types: list[str] = Field(description="JSON types seen there, of a path in facts.")
    example: Any = Field(description="A value seen there, unless it might be a secret.")
    deeper: bool = Field(description="Paths go on behind it.")


class FilterPathList(Page[FilterPath]):
    """A page of paths."""


class FilterLookup(BaseModel):
    """A lookup: the last part of a path that says how to compare."""

    name: str
    about: str
    field_types: list[str] = Field(description="The types of field that it serves.")


class FilterOperator(BaseModel):
    """An operator between path and value."""

    operator: str
    lookup: str = Field(description="The lookup that it stands for.")
    negated: bool = Field(description="It holds exactly where the lookup does not.")
    about: str


class FilterWords(BaseModel):
    """The lookups and operators of the language."""

    lookups: list[FilterLookup]
    operators: list[FilterOperator]


class FilterIndex(BaseModel):
    """What can be asked about the filter language."""

    explain: str
    lookups: str
    paths: str

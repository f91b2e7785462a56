"""What terms ask of JSON documents, and how all that is asked of one document is answered together.

Documents in a table of their own are kilobytes each, and every function that looks into one unpacks it anew. So terms
over the same document become one sub-query: what the containment index answers narrows the rows, and the rest looks at
a document that is unpacked once. A row has one document at most, so joining the terms inside the sub-query or outside
of it means the same; a row without a document is taken care of by asking for the opposite.
"""

from dataclasses import dataclass
from typing import Any, TypeGuard

from sqlalchemy import Select, Text, and_, any_, cast, func, literal, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, JSONPATH
from sqlalchemy.orm import aliased

from craton_inv.filters import trees
from craton_inv.filters.declared import Indexed
from craton_inv.filters.operands import Condition, complement
from craton_inv.filters.paths import JsonRoot, Model
from craton_inv.filters.trees import Every, No, One, Some, Tree


@dataclass(frozen=True, slots=True)
class Test:
    """What a term asks of one document: that it holds one of `documents`, or that `path` finds something in it.

    `indexed`: the same as a comparison that an index of its own answers. Never true of an absent or empty document.
    """

    documents: tuple[str, ...] = ()
    path: str = ""
    variables: str = "{}"
    indexed: Indexed | None = None

    def on(self, column: Any) -> Condition:
        """The condition on a column of documents."""
        if self.indexed is not None:
            return self.indexed.on(column)
        if self.path:
            path: Any = cast(literal(self.path, Text), JSONPATH)
            return func.jsonb_path_exists(column, path, cast(literal(self.variables, Text), JSONB), True)
        if len(self.documents) == 1:
            return column.contains(cast(literal(self.documents[0], Text), JSONB))  # type: ignore[no-any-return]
        return column.bool_op("@>")(any_(self._texts()))  # type: ignore[no-any-return]

    def keys(self, column: Any, key: Any) -> Select[Any]:
        """The keys of the rows that hold one of `documents`: the index looks up each, also hundreds of them."""
        wanted = func.unnest(self._texts(), type_=JSONB).column_valued("wanted")
        return select(key).where(column.contains(wanted)).correlate(None)

    def _texts(self) -> Any:
        return cast(literal([*self.documents], ARRAY(Text)), ARRAY(JSONB))


def holding(root: JsonRoot, model: Model, asked: Tree[Test]) -> Condition:
    """The condition on the rows of `model` whose document answers `asked`; one without any answers as an empty one."""
    if root.table_key is None:
        return _on_own_column(root, model, asked)
    absent = trees.holds(asked, lambda _: False)
    wanted = trees.opposite(asked) if absent else trees.pushed(asked)
    found: Condition = model.id.in_(_keys(root, wanted))
    return complement(found) if absent else found


def _on_own_column(root: JsonRoot, model: Model, asked: Tree[Test]) -> Condition:
    """Small documents among the other columns: each term for itself."""
    match asked:
        case One(test):
            if len(test.documents) < 2 or test.indexed is not None:
                return test.on(root.column)
            other = aliased(model)
            return model.id.in_(test.keys(getattr(other, root.column.key), other.id))  # type: ignore[no-any-return]
        case No(part):
            return complement(_on_own_column(root, model, part))
        case Every(parts):
            return and_(*(_on_own_column(root, model, part) for part in parts))
        case Some(parts):
            return or_(*(_on_own_column(root, model, part) for part in parts))


def _keys(root: JsonRoot, asked: Tree[Test]) -> Select[Any]:
    """The keys of the rows whose document answers; negations stand at terms only."""
    parts = [_merged(part) for part in (asked.parts if isinstance(asked, Every) else (asked,))]
    narrowing = [part for part in parts if _indexed(part)]
    rest = [part for part in parts if not _indexed(part)]
    if not rest and len(narrowing) == 1 and _is_list(narrowing[0]):
        return narrowing[0].term.keys(root.column, root.table_key)
    keys = select(root.table_key).where(*(_looked_up(root, part) for part in narrowing)).correlate(None)
    column = root.column
    if sum(1 for part in rest for _ in trees.terms(part)) > 1:
        # OFFSET keeps the planner from copying the expression to each place that reads it.
        whole = column.concat(cast(literal("{}"), JSONB)).label("document")
        unpacked = select(whole).correlate(root.table_key.class_).offset(0).lateral()
        keys, column = keys.join(unpacked, true()), unpacked.c.document
    return keys.where(*(_read(column, part) for part in rest))


def _merged(tree: Tree[Test]) -> Tree[Test]:
    """Alternatives with their equalities as one term."""
    match tree:
        case Every(parts):
            return trees.every(map(_merged, parts))
        case Some(parts):
            parts = tuple(map(_merged, parts))
            equal = [part for part in parts if isinstance(part, One) and _contains(part.term)]
            other = [part for part in parts if part not in equal]
            documents = tuple(dict.fromkeys(text for part in equal for text in part.term.documents))
            return trees.some([*([One(Test(documents))] if documents else []), *other])
        case _:
            return tree


def _contains(test: Test) -> bool:
    return bool(test.documents) and test.indexed is None


def _indexed(tree: Tree[Test]) -> bool:
    """Whether an index answers it alone."""
    match tree:
        case One(test):
            return bool(test.documents) or test.indexed is not None
        case No():
            return False
        case Every(parts) | Some(parts):
            return all(map(_indexed, parts))


def _is_list(tree: Tree[Test]) -> TypeGuard[One[Test]]:
    """Whether it asks for one of several documents."""
    return isinstance(tree, One) and len(tree.term.documents) > 1 and tree.term.indexed is None


def _looked_up(root: JsonRoot, tree: Tree[Test]) -> Condition:
    match tree:
        case One(test) if _is_list(tree):
            return root.table_key.in_(test.keys(root.column, root.table_key))  # type: ignore[no-any-return]
        case Every(parts):
            return and_(*(_looked_up(root, part) for part in parts))
        case Some(parts):
            return or_(*(_looked_up(root, part) for part in parts))
        case _:
            return _read(root.column, tree)


def _read(column: Any, tree: Tree[Test]) -> Condition:
    match tree:
        case One(test):
            return test.on(column)
        case No(part):
            return complement(_read(column, part))
        case Every(parts):
            return and_(*(_read(column, part) for part in parts))
        case Some(parts):
            return or_(*(_read(column, part) for part in parts))

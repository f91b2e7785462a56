"""The filter language: text → nodes → conditions on any mapped class. Knows no model: it reads their metadata.

parser (host_filter) ─┐             ┌ paths: what a name reaches     ┌ columns ┐
                      ├ nodes ─ compiler ─ lookups: how to compare ──┤         ├─ values: what was meant
query_params (lists) ─┘                                              └ facts ──┘
Imported by services, repositories and the API; models import only the conventions of `paths`.
"""

from craton_inv.filters.compiler import compile_where, validate
from craton_inv.filters.ordering import order_by_clauses
from craton_inv.filters.pages import Search, by_id, counted_page, each_alone, found_page, kind_of_search, probe
from craton_inv.filters.parser import parse
from craton_inv.filters.query_params import list_conditions, list_node
from craton_inv.filters.vars_query import parse_vars

__all__ = [
    "Search",
    "by_id",
    "compile_where",
    "counted_page",
    "each_alone",
    "found_page",
    "kind_of_search",
    "list_conditions",
    "list_node",
    "order_by_clauses",
    "parse",
    "parse_vars",
    "probe",
    "validate",
]

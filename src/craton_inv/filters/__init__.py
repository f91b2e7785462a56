"""The filter language: text → nodes → conditions on any mapped class. Knows no model: it reads their metadata.

parser (host_filter) ─┐             ┌ paths: what a name reaches     ┌ columns ┐
                      ├ nodes ─ compiler ─ lookups: how to compare ──┤         ├─ values: what was meant
query_params (lists) ─┘                                              └ facts ──┘
Imported by services, repositories and the API; models import only the conventions of `paths`.
"""

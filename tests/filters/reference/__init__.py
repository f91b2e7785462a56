"""A second opinion on the filter language: plain Python over rows, written from the specification and sharing no code.

grammar (text → tree) ─┐                   ┌ values: what was meant by a value
list_parameters ───────┼─ evaluate ─ fields ┼ documents: facts and variables
                       │                   └ schema, rows: the world that is asked
worlds, filters: seeded generators; stored: the same world in PostgreSQL, asked through craton_inv.
"""

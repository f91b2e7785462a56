"""The database: declarative base, engine, one transaction per request or job, advisory locks.

engine   one async engine per process (asyncpg)          session  unit_of_work: commit once, then the after-commit hooks
base     naming rules, ids, timestamps, generations      locks    advisory locks by name
Nothing here knows a table of the product.
"""

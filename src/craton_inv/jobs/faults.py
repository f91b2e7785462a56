"""Which faults pass by themselves: connections, restarts, full servers, lost races. By SQLSTATE, not by wording."""

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout

CONFLICTS = frozenset({"40001", "40P01"})  # serialization failure, deadlock
PASSING = ("08", "40", "53", "57")  # connection, rollback, resources, operator's intervention
CANCELED_QUERY = "57014"
IDLE_TOO_LONG = "25P03"  # the process slept in the middle of a transaction


def sqlstate(error: BaseException) -> str:
    """The SQLSTATE of a database error, "" when it has none."""
    original = getattr(error, "orig", None) or error
    return str(getattr(original, "sqlstate", None) or "")


def is_conflict(error: BaseException) -> bool:
    """Whether the transaction lost against another one and may simply be made again."""
    return sqlstate(error) in CONFLICTS


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed a little later."""
    state = sqlstate(error)
    if state == IDLE_TOO_LONG or (state[:2] in PASSING and state != CANCELED_QUERY):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    # COPY goes around SQLAlchemy, so the driver's own errors are seen too.
    return isinstance(error, InterfaceError | asyncpg.InterfaceError | ConnectionError | PoolTimeout | TimeoutError)

"""Which faults pass by themselves: connections, restarts, full servers, lost races. By SQLSTATE, not by wording."""

from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout

CONFLICTS = frozenset({"40001", "40P01"})  # serialization failure, deadlock
PASSING = ("08", "40", "53", "57")  # connection, rollback, resources, operator's intervention
CANCELED_QUERY = "57014"


def sqlstate(error: BaseException) -> str:
    """The SQLSTATE of a database error, "" when it has none."""
    original = getattr(error, "orig", None)
    return str(getattr(original, "sqlstate", None) or "")


def is_conflict(error: BaseException) -> bool:
    """Whether the transaction lost against another one and may simply be made again."""
    return sqlstate(error) in CONFLICTS


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed a little later."""
    if isinstance(error, DBAPIError):
        state = sqlstate(error)
        return (
            error.connection_invalidated
            or isinstance(error, InterfaceError)
            or (state[:2] in PASSING and state != CANCELED_QUERY)
        )
    return isinstance(error, ConnectionError | PoolTimeout | TimeoutError)

"""What an error of the database driver means to a caller: away, busy, too slow, or a value that does not fit."""

import socket

import asyncpg
from sqlalchemy import exc

from craton_inv.errors import BadRequest, Conflict, CratonInvError, ServiceUnavailable
from craton_inv.filters.refused import INVALID_PATTERN, refused_by_database

STATEMENT_TIMEOUT = "57014"
LOCKED = frozenset({"40001", "40P01", "55P03"})
# Classes of SQLSTATE: connection, resources, operator intervention, authorization, catalogue.
AWAY_CLASSES = frozenset({"08", "53", "57", "28", "3D"})


def sqlstate_of(error: BaseException) -> str:
    """PostgreSQL's five characters; "" when the error is none of the server's."""
    original = error.orig if isinstance(error, exc.DBAPIError) else error
    for candidate in (original, getattr(original, "__cause__", None)):
        state = getattr(candidate, "sqlstate", None)
        if state:
            return str(state)
    return ""


def translate_database_error(error: Exception) -> CratonInvError | None:
    """The refusal that a driver's error means; None when it says nothing about the database."""
    if isinstance(error, exc.TimeoutError):
        return ServiceUnavailable(
            "The service is busy: no database connection became free in time.", code="database.busy"
        )
    state = sqlstate_of(error)
    if state == STATEMENT_TIMEOUT:
        return ServiceUnavailable(
            "The database needed longer than its statement timeout; ask for less at once.", code="database.timeout"
        )
    if state == INVALID_PATTERN:
        return refused_by_database(error, None)
    if state in LOCKED:
        return ServiceUnavailable("Another change held these rows; try again.", retry_after=1, code="database.locked")
    if _is_away(error, state):
        return ServiceUnavailable("The database is not reachable; try again soon.", code="database.away")
    if isinstance(error, exc.IntegrityError):
        return Conflict("This clashes with what is stored.")
    if isinstance(error, exc.DataError) or _is_driver_data_error(error):
        return BadRequest("A value does not fit its column.", code="invalid_value")
    return None


def _is_away(error: Exception, state: str) -> bool:
    if state[:2] in AWAY_CLASSES:
        return True
    if isinstance(error, exc.DBAPIError):
        return error.connection_invalidated or isinstance(error.orig, OSError)
    if isinstance(error, FileNotFoundError):
        return error.filename is None  # a missing socket has no file name, a missing file has one
    return isinstance(
        error,
        ConnectionError | TimeoutError | socket.gaierror | asyncpg.InterfaceError | asyncpg.PostgresConnectionError,
    )


def _is_driver_data_error(error: Exception) -> bool:
    cause = error.orig.__cause__ if isinstance(error, exc.DBAPIError) and error.orig is not None else None
    return isinstance(cause, asyncpg.DataError | ValueError | OverflowError)

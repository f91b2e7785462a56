"""A database that refuses or does not answer, said in a sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from craton_inv.errors import SetupError


@contextmanager
def unreachable_said_plainly() -> Iterator[None]:
    """Turn a refused or broken connection into SetupError with the server's own words, which hold no password."""
    try:
        yield
    except (OSError, DBAPIError) as error:
        if isinstance(error, DBAPIError) and not error.connection_invalidated and error.orig is not None:
            cause: object = error.orig
        else:
            cause = error
        raise SetupError(f"The database cannot be used: {str(cause) or 'it does not answer'}") from error

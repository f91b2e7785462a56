"""Answers in a form that nobody expected: what a parser stumbles over becomes a sentence instead of a crash."""

import traceback
from pathlib import Path

from craton_inv.errors import UpdateFailed
from craton_inv.logs import get_logger
from craton_inv.refresh.inventory_object import InventoryObject
from craton_inv.refresh.row_text import object_text

# What Python raises when a value is not there, or is a list where a mapping was expected. Anything else is a fault of
# the provider itself and stays one.
UNREADABLE = (AttributeError, LookupError, OverflowError, RecursionError, TypeError, ValueError)
_log = get_logger(__name__)


def unreadable(error: Exception, last: InventoryObject | None) -> UpdateFailed:
    """The failure to tell of instead. `last`: the object that was read before it.

    Where in the provider's code it happened goes to the log; values of the answer, which may be secrets, go nowhere.
    """
    at = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{'/'.join(Path(at.filename).parts[-2:])}:{at.lineno} {at.name}"
    _log.warning("answer_unreadable", error=type(error).__name__, place=place)
    missing = isinstance(error, KeyError) and len(error.args) == 1 and isinstance(error.args[0], str)
    fault = f"{error.args[0][:100]!a} is missing" if missing else "a part of it has another form than expected"
    where = "at its beginning" if last is None else f"after {object_text(last.collection.name, last.values)}"
    return UpdateFailed(f"The answer cannot be read: {fault}, {where}.")

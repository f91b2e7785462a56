"""The moments of one rule of recurrence on a clock on the wall, by python-dateutil, as in AWX, within bounds of work.

dateutil looks for the next moment up to the year 9999, which takes seconds for a rule that never comes. The calendar
repeats itself every 400 years, days of the week included: so a rule is followed in the last centuries before that end
and what it finds is moved back.
"""

from collections.abc import Iterator, Mapping
from datetime import MAXYEAR, datetime, timedelta
from typing import Any

from dateutil.rrule import rrulestr

CYCLE = 400  # years after which the calendar is the same again
HORIZON = 40  # years, and up to a cycle more, in which a moment is looked for
_STEPS = {
    "MINUTELY": timedelta(minutes=1),
    "HOURLY": timedelta(hours=1),
    "DAILY": timedelta(days=1),
    "WEEKLY": timedelta(weeks=1),
}


def moments(parts: Mapping[str, str], first: datetime, since: datetime) -> Iterator[datetime]:
    """The moments from `since` on of a rule that starts at `first`, all without zones; COUNT and UNTIL are not read.

    parts  of the rule, names in capitals
    Raises ValueError for a part that dateutil does not know, and OverflowError for numbers that no calendar has.
    """
    begin = _forward(parts, first, since)
    shift = (MAXYEAR - HORIZON - max(begin, since).year) // CYCLE * CYCLE
    text = ";".join(f"{name}={value}" for name, value in parts.items() if name not in ("COUNT", "UNTIL"))
    rule: Any = rrulestr(f"RRULE:{text}", dtstart=_moved(begin, shift))
    for found in rule.xafter(_moved(max(begin, since), shift), inc=True):
        yield _moved(found, -shift)


def _forward(parts: Mapping[str, str], first: datetime, since: datetime) -> datetime:
    """A later beginning with the same moments from `since` on: what began years ago is not walked through."""
    step = _STEPS.get(parts.get("FREQ", ""))
    if step is None or since <= first:
        return first
    step *= int(parts.get("INTERVAL", "1"))
    return first + (since - first) // step * step


def _moved(time: datetime, years: int) -> datetime:
    return time.replace(year=time.year + years)

"""The moments of one rule of recurrence on a clock on the wall, found by arithmetic and with a bound on the work.

What comes years after the start is reached without walking there, and days that a rule cannot mean are jumped over. The
meaning of the parts is that of python-dateutil, which AWX uses; the tests compare with it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, date, datetime, time, timedelta
from itertools import product

STEPS = 20_000
"""Days, months or moments that are looked at for the next one: some hundredths of a second."""
_ALL_MONTHS = range(1, 13)
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_LAST_DAY = date(MAXYEAR - 1, 12, 31).toordinal()  # what comes later is not representable in every zone
_MINUTES = {"HOURLY": 60, "MINUTELY": 1}


class Endless(Exception):
    """Nothing was found for as long as one looks."""


class Work:
    """How much may still be looked at."""

    def __init__(self, steps: int = STEPS) -> None:
        self.steps = self.left = steps

    def step(self, steps: int = 1) -> None:
        """Count. Raises Endless."""
        self.left -= steps
        if self.left < 0:
            raise Endless

    def found(self) -> None:
        """Begin anew: whoever asks for moments bounds their number."""
        self.left = self.steps


@dataclass(frozen=True)
class Pattern:
    """A rule in numbers. Empty sets: anything. `positions`: which moments of each period count, from 1, or from -1."""

    frequency: str
    interval: int
    week_start: int
    months: frozenset[int]
    month_days: frozenset[int]
    weekdays: frozenset[int]
    hours: frozenset[int]
    minutes: frozenset[int]
    seconds: frozenset[int]
    positions: tuple[int, ...]

    def fits(self, day: date) -> bool:
        """Whether the day is one that the parts mean."""
        return (
            (not self.months or day.month in self.months)
            and (not self.month_days or bool(self.month_days & {day.day, day.day - _days_of(day) - 1}))
            and (not self.weekdays or day.weekday() in self.weekdays)
        )


def pattern_of(parts: Mapping[str, str], first: datetime) -> Pattern:
    """Read the parts of a rule that starts at `first`, which fills in what they leave open. Raises ValueError."""
    frequency = parts.get("FREQ", "")
    if frequency not in ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", *_MINUTES):
        raise ValueError(f"FREQ={frequency[:20]} is not known")
    months, month_days, weekdays = (
        _numbers(parts, "BYMONTH"),
        _numbers(parts, "BYMONTHDAY"),
        frozenset(_weekday("BYDAY", name) for name in _list(parts, "BYDAY")),
    )
    if not month_days and not weekdays:
        if frequency == "YEARLY":
            months = months or frozenset({first.month})
        if frequency in ("YEARLY", "MONTHLY"):
            month_days = frozenset({first.day})
        elif frequency == "WEEKLY":
            weekdays = frozenset({first.weekday()})
    hours, minutes = _numbers(parts, "BYHOUR"), _numbers(parts, "BYMINUTE")
    return Pattern(
        frequency,
        int(parts.get("INTERVAL", "1")),
        _weekday("WKST", parts.get("WKST", "MO")),
        months,
        month_days,
        weekdays,
        hours if hours or frequency in _MINUTES else frozenset({first.hour}),
        minutes if minutes or frequency == "MINUTELY" else frozenset({first.minute}),
        _numbers(parts, "BYSECOND") or frozenset({first.second}),
        tuple(_numbers(parts, "BYSETPOS")),
    )


def moments(pattern: Pattern, first: datetime, since: datetime, work: Work) -> Iterator[datetime]:
    """The moments from `since` on, in order, of a rule that starts at `first`. Raises Endless."""
    since = max(first, since)
    for found in (
        _by_minutes(pattern, first, since, work)
        if pattern.frequency in _MINUTES
        else _by_periods(pattern, first, since, work)
    ):
        if found >= since:
            yield found


def _by_periods(pattern: Pattern, first: datetime, since: datetime, work: Work) -> Iterator[datetime]:
    """Moments of years, months, weeks or days: in each those of its days that fit, or some of them by their place."""
    clock = product(sorted(pattern.hours), sorted(pattern.minutes), sorted(pattern.seconds))
    times = [time(hour, minute, second) for hour, minute, second in clock]
    for days in _PERIODS[pattern.frequency](pattern, first.date(), since.date(), work):
        if not pattern.positions:
            yield from (datetime.combine(day, each) for day in days for each in times)
            continue
        found = [datetime.combine(day, each) for day in days for each in times]
        work.step(len(found))
        places = {place - 1 if place > 0 else len(found) + place for place in pattern.positions}
        yield from (found[place] for place in sorted(places) if 0 <= place < len(found))


def _years(pattern: Pattern, first: date, since: date, work: Work) -> Iterator[list[date]]:
    for year in range(_aligned(since.year, first.year, pattern.interval), MAXYEAR, pattern.interval):
        yield [
            day
            for month in sorted(pattern.months or _ALL_MONTHS)
            for day in _fitting(pattern, date(year, month, 1), work)
        ]


def _months(pattern: Pattern, first: date, since: date, work: Work) -> Iterator[list[date]]:
    begin = _aligned(since.year * 12 + since.month, first.year * 12 + first.month, pattern.interval)
    for number in range(begin, MAXYEAR * 12, pattern.interval):
        work.step()
        yield _fitting(pattern, date((number - 1) // 12, (number - 1) % 12 + 1, 1), work)


def _weeks(pattern: Pattern, first: date, since: date, work: Work) -> Iterator[list[date]]:
    week = first.toordinal() - (first.weekday() - pattern.week_start) % 7
    every = pattern.interval * 7
    for begin in range(_aligned(since.toordinal(), week, every), _LAST_DAY - 7, every):
        work.step(7)
        days = (date.fromordinal(day) for day in range(max(begin, first.toordinal()), begin + 7))
        yield [day for day in days if pattern.fits(day)]


def _days(pattern: Pattern, first: date, since: date, work: Work) -> Iterator[list[date]]:
    begin, every = first.toordinal(), pattern.interval
    for day in _fitting_days(pattern, since.toordinal(), lambda day: _next(day, begin, every), work):
        yield [day]


_PERIODS = {"YEARLY": _years, "MONTHLY": _months, "WEEKLY": _weeks, "DAILY": _days}


def _by_minutes(pattern: Pattern, first: datetime, since: datetime, work: Work) -> Iterator[datetime]:
    """Moments every so many hours or minutes, of which only those count that fit."""
    unit = _MINUTES[pattern.frequency]
    of_day = 1440 // unit
    begin = first.toordinal() * of_day + (first.hour * 60 + first.minute) // unit
    every = pattern.interval

    def day_of_next(day: int) -> int:
        return _next(day * of_day, begin, every) // of_day

    for day in _fitting_days(pattern, since.toordinal(), day_of_next, work):
        number = day.toordinal()
        at = _next(number * of_day, begin, every) - number * of_day
        if number == since.toordinal():
            at += max(0, (since.hour * 60 + since.minute) // unit - at) // every * every
        for passed in range(at, of_day, every):
            work.step()
            hour, minute = divmod(passed * unit, 60)
            if pattern.hours and hour not in pattern.hours:
                continue
            if unit == 1 and pattern.minutes and minute not in pattern.minutes:
                continue
            minutes = sorted(pattern.minutes) if unit == 60 else [minute]
            for each in product(minutes, sorted(pattern.seconds)):
                yield datetime.combine(day, time(hour, *each))


def _fitting_days(pattern: Pattern, day: int, aligned: Callable[[int], int], work: Work) -> Iterator[date]:
    """Days that fit, from number `day` on. `aligned`: the first from one on that the interval meets."""
    while (day := aligned(day)) <= _LAST_DAY:
        work.step()
        found = date.fromordinal(day)
        if pattern.fits(found):
            yield found
            day += 1
        elif pattern.months and found.month not in pattern.months:
            day += _days_of(found) - found.day + 1
        else:
            day += 1


def _fitting(pattern: Pattern, month: date, work: Work) -> list[date]:
    """The days of a month that fit; the month by its first day."""
    work.step()
    if pattern.months and month.month not in pattern.months:
        return []
    count = _days_of(month)
    wanted = sorted({day if day > 0 else count + 1 + day for day in pattern.month_days}) or range(1, count + 1)
    days = [month.replace(day=day) for day in wanted if 1 <= day <= count]
    return [day for day in days if not pattern.weekdays or day.weekday() in pattern.weekdays]


def _days_of(day: date) -> int:
    """How many days its month has."""
    following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return (following - timedelta(days=1)).day


def _aligned(number: int, begin: int, every: int) -> int:
    """The last of `begin`, `begin + every` ... up to a number."""
    return begin + max(0, number - begin) // every * every


def _next(number: int, begin: int, every: int) -> int:
    """The first of `begin`, `begin + every` ... from a number on."""
    return begin - (begin - max(begin, number)) // every * every


def _list(parts: Mapping[str, str], name: str) -> list[str]:
    return parts[name].split(",") if name in parts else []


def _numbers(parts: Mapping[str, str], name: str) -> frozenset[int]:
    return frozenset(int(number) for number in _list(parts, name))


def _weekday(part: str, name: str) -> int:
    if name not in _WEEKDAYS:
        raise ValueError(f"{part}={name[:20]} is no day; days are {', '.join(_WEEKDAYS)}")
    return _WEEKDAYS.index(name)

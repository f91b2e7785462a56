"""Recurrence rules: iCalendar text as AWX takes it, checked with AWX's sentences, and the moments that it gives.

`DTSTART;TZID=Europe/Berlin:20260101T030000 RRULE:FREQ=DAILY;INTERVAL=1`. Rules of days and longer count by the clock on
the wall: a time that a change of clocks skips happens at the moment it would have been (02:30 is then 03:30), one that
comes twice happens the first time. Rules of hours and minutes without BY parts count by elapsed time: every hour is
every hour, also in the nights of those changes.
"""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from importlib.resources import files
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from dateutil.rrule import rruleset, rrulestr

from craton_inv.errors import InvalidField

FIELD = "rrule"
MAX_LENGTH = 255  # AWX's column
MAX_COUNT = 999
MOST_FOLLOWED = 20_000  # moments that are walked through to find the last
# How far a rule is followed, whatever end it names. One whose days never come is looked through day by day to the year
# 9999 all the same, which takes seconds: dateutil looks at the end only where it finds a moment.
HORIZON = timedelta(days=366 * 30)
HORIZON_OF_HOURS = timedelta(days=366 * 3)
HORIZON_WITH_EXCEPTIONS = timedelta(days=200)
_START = re.compile(r"DTSTART(?:;TZID=(?P<zone>[^:;\s]+))?:(?P<time>\d{8}T\d{6})(?P<utc>Z?)\Z")
_RULE = re.compile(r"(?P<kind>RRULE|EXRULE):(?P<parts>\S+)\Z", re.IGNORECASE)
_EVERY = {"HOURLY": timedelta(hours=1), "MINUTELY": timedelta(minutes=1)}
_REFUSED = {
    "BYYEARDAY": "BYYEARDAY not supported.",
    "BYWEEKNO": "BYWEEKNO not supported.",
    "BYEASTER": "BYEASTER not supported.",
}
# The largest number of each part that takes numbers; those of days count from the end of the month, too.
_LARGEST = {"BYMONTH": 12, "BYMONTHDAY": 31, "BYHOUR": 23, "BYMINUTE": 59, "BYSECOND": 59, "BYSETPOS": 366}
_FROM_THE_END = frozenset({"BYMONTHDAY", "BYSETPOS"})
_FROM_NOUGHT = frozenset({"BYHOUR", "BYMINUTE", "BYSECOND"})


@dataclass(frozen=True)
class Rule:
    """One RRULE or EXRULE by its parts, names in capitals."""

    kind: str
    parts: dict[str, str]

    @property
    def frequency(self) -> str:
        """DAILY, WEEKLY ..."""
        return self.parts.get("FREQ", "")

    @property
    def elapsed(self) -> bool:
        """Whether it counts elapsed time instead of the clock on the wall."""
        return self.frequency in _EVERY and not any(name.startswith("BY") for name in self.parts)


@dataclass(frozen=True)
class Recurrence:
    """When something is to happen. `first`: the start as the clock on the wall of `zone` shows it, without a zone."""

    first: datetime
    zone: ZoneInfo
    rules: tuple[Rule, ...]

    @property
    def start(self) -> datetime:
        """The start, in UTC."""
        return _moment(self.first, self.zone)

    @property
    def until(self) -> str:
        """The last day that a rule names, as a time in its zone without a zone; "" when none does."""
        times = [self._until(rule) for rule in self.rules if rule.kind == "RRULE" and "UNTIL" in rule.parts]
        return max(times).isoformat() if times else ""

    @cached_property
    def end(self) -> datetime | None:
        """The last moment, in UTC; None when there is no end, or no moment at all.

        Of very many moments, or when the end is further away than rules are followed, what UNTIL says.
        """
        if not all({"COUNT", "UNTIL"} & rule.parts.keys() for rule in self.rules if rule.kind == "RRULE"):
            return None
        if self.until and datetime.fromisoformat(self.until) > self.first + self._horizon:
            return _moment(datetime.fromisoformat(self.until), self.zone)
        found = deque(enumerate(islice(self._all(self.start - timedelta(microseconds=1)), MOST_FOLLOWED), 1), maxlen=1)
        if not found:
            return None
        count, last = found[0]
        return last if count < MOST_FOLLOWED else _moment(datetime.fromisoformat(self.until), self.zone)

    def after(self, moment: datetime) -> Iterator[datetime]:
        """The moments after `moment`, in UTC and in order."""
        return self._all(moment)

    def next_after(self, moment: datetime) -> datetime | None:
        """The first moment after `moment`; None when there is none left."""
        return next(self.after(moment), None)

    def last_before(self, moment: datetime, since: datetime) -> datetime:
        """The last moment up to `moment`, of those from `since` on, itself one of them."""
        last = since
        for found in self._all(since):
            if found > moment:
                break
            last = found
        return last

    def _all(self, moment: datetime) -> Iterator[datetime]:
        """Moments after `moment`, once each: two times on the wall may be one moment."""
        elapsed = all(rule.elapsed for rule in self.rules)
        zone = ZoneInfo("UTC") if elapsed else self.zone
        first = self.start.replace(tzinfo=None) if elapsed else self.first
        # A day before on the wall is before in every zone.
        wall = moment.astimezone(zone).replace(tzinfo=None) - (timedelta() if elapsed else timedelta(days=1))
        last = moment
        for time in self._set(first, zone, wall).xafter(max(wall, datetime(1900, 1, 1)), inc=False):
            found = _moment(time, zone)
            if found > last:
                last = found
                yield found

    def _set(self, first: datetime, zone: ZoneInfo, wall: datetime) -> rruleset:
        limit = max(first, wall) + self._horizon
        lines = []
        for rule in self.rules:
            begin = _forward(rule, first, wall)
            parts = {name: value for name, value in rule.parts.items() if name != "UNTIL"}
            if "COUNT" not in parts:
                until = _in(self._until(rule), self.zone, zone) if "UNTIL" in rule.parts else limit
                parts["UNTIL"] = f"{min(until, limit):%Y%m%dT%H%M%S}"
            text = ";".join(f"{name}={value}" for name, value in parts.items())
            lines.append((rule.kind, begin, text))
        found = rruleset()
        for kind, begin, text in lines:
            made: Any = rrulestr(f"RRULE:{text}", dtstart=begin)
            (found.rrule if kind == "RRULE" else found.exrule)(made)
        return found

    @property
    def _horizon(self) -> timedelta:
        if not any(rule.frequency in _EVERY for rule in self.rules):
            return HORIZON
        excepting = any(rule.kind == "EXRULE" for rule in self.rules)
        return HORIZON_WITH_EXCEPTIONS if excepting else HORIZON_OF_HOURS

    def _until(self, rule: Rule) -> datetime:
        """UNTIL on the wall of the zone; a day alone means its end."""
        text = rule.parts["UNTIL"]
        if "T" not in text:
            return datetime.strptime(text, "%Y%m%d") + timedelta(days=1, seconds=-1)
        if text.endswith("Z"):
            return (
                datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).astimezone(self.zone).replace(tzinfo=None)
            )
        return datetime.strptime(text, "%Y%m%dT%H%M%S")


def parse_recurrence(text: str) -> Recurrence:
    """Read a rule and try it. Raises InvalidField for `rrule`, in AWX's words where AWX has a rule for it."""
    recurrence = read_recurrence(text)
    try:
        recurrence.next_after(recurrence.start - timedelta(microseconds=1))
        recurrence.end  # noqa: B018 - is worked out here, where a rule that cannot be is refused
    except (ValueError, OverflowError, TypeError, LookupError) as error:
        raise _refused(f"rrule parsing failed validation: {error}") from error
    return recurrence


def read_recurrence(text: str) -> Recurrence:
    """Read a rule without working out what it gives. Raises InvalidField."""
    if len(text) > MAX_LENGTH:
        raise _refused(f"Ensure this field has no more than {MAX_LENGTH} characters.")
    words = text.split()
    starts = [word for word in words if word.upper().startswith("DTSTART")]
    if not starts:
        raise _refused("Valid DTSTART required in rrule. Value should start with: DTSTART:YYYYMMDDTHHMMSSZ")
    if len(starts) > 1 or text.upper().count("DTSTART") > 1:
        raise _refused("Multiple DTSTART is not supported.")
    first, zone = _start(starts[0])
    rules = tuple(_rule(word) for word in words if word is not starts[0])
    if not any(rule.kind == "RRULE" for rule in rules):
        raise _refused("One or more rule required in rrule.")
    return Recurrence(first, zone, rules)


def zones() -> list[str]:
    """The names of all time zones, in order."""
    return sorted(available_timezones())


@cache
def zone_links() -> dict[str, str]:
    """Names of zones that are other names of one, as the time zone database lists them."""
    lines = files("tzdata.zoneinfo").joinpath("tzdata.zi").read_text(encoding="utf-8").splitlines()
    links = (line.split() for line in lines if line.startswith("L "))
    return {name: target for _, target, name in links}


def _start(word: str) -> tuple[datetime, ZoneInfo]:
    found = _START.match(word)
    if found is None:
        raise _refused("Valid DTSTART required in rrule. Value should start with: DTSTART:YYYYMMDDTHHMMSSZ")
    if bool(found["zone"]) == bool(found["utc"]):
        raise _refused("DTSTART cannot be a naive datetime.  Require ;TZID= or YYYYMMDDTHHMMSSZ.")
    if found["zone"] and found["zone"] not in available_timezones():
        raise _refused(f'"{found["zone"]}" is not the name of a time zone; see schedules/zoneinfo/.')
    try:
        return datetime.strptime(found["time"], "%Y%m%dT%H%M%S"), ZoneInfo(found["zone"] or "UTC")
    except ValueError as error:
        raise _refused(f"rrule parsing failed validation: {error}") from error


def _rule(word: str) -> Rule:
    found = _RULE.match(word)
    if found is None:
        raise _refused(f'rrule parsing failed validation: "{word[:40]}" is neither RRULE: nor EXRULE:')
    pairs = [part.partition("=") for part in found["parts"].upper().split(";") if part]
    names = [name for name, _, _ in pairs]
    if len(set(names)) < len(names) or not all(sign and value for _, sign, value in pairs):
        raise _refused(f'rrule parsing failed validation: "{word[:40]}" holds a part twice, or one without a value')
    rule = Rule(found["kind"].upper(), {name: value for name, _, value in pairs})
    _check(rule)
    return rule


def _check(rule: Rule) -> None:
    parts = rule.parts
    if rule.kind == "RRULE" and "INTERVAL" not in parts:
        raise _refused("INTERVAL required in rrule.")
    if rule.frequency == "SECONDLY":
        raise _refused("SECONDLY is not supported.")
    for name, reason in _REFUSED.items():
        if name in parts:
            raise _refused(reason)
    if "," in parts.get("BYMONTHDAY", ""):
        raise _refused("Multiple BYMONTHDAYs not supported.")
    if "," in parts.get("BYMONTH", ""):
        raise _refused("Multiple BYMONTHs not supported.")
    if re.search(r"\d", parts.get("BYDAY", "")):
        raise _refused("BYDAY with numeric prefix not supported.")
    if {"COUNT", "UNTIL"} <= parts.keys():
        raise _refused("RRULE may not contain both COUNT and UNTIL")
    for name in ("COUNT", "INTERVAL"):
        if name in parts and not re.fullmatch(r"[1-9][0-9]{0,8}", parts[name]):
            raise _refused(f"rrule parsing failed validation: {name}={parts[name][:20]} is no number from 1 on")
    if int(parts.get("COUNT", "0")) > MAX_COUNT:
        raise _refused("COUNT > 999 is unsupported.")
    if "BYSETPOS" in parts and rule.frequency in _EVERY:
        # Minute by minute to the year 9999 when the place is never filled.
        raise _refused(f"BYSETPOS is not supported with FREQ={rule.frequency}.")
    for name in _LARGEST.keys() & parts.keys():
        _check_numbers(name, parts[name])


def _check_numbers(name: str, text: str) -> None:
    """Refuse numbers that no clock and no calendar has: looking for them would take long and find nothing."""
    sign = "[+-]?" if name in _FROM_THE_END else ""
    least = 0 if name in _FROM_NOUGHT else 1
    for number in text.split(","):
        if not re.fullmatch(sign + "[0-9]{1,3}", number) or not least <= abs(int(number)) <= _LARGEST[name]:
            told = f"from {least} to {_LARGEST[name]}"
            raise _refused(f"rrule parsing failed validation: {name}={number[:20]} is no number {told}")


def _forward(rule: Rule, first: datetime, wall: datetime) -> datetime:
    """A later beginning with the same moments from `wall` on: a rule of minutes may have begun years ago."""
    every = _EVERY.get(rule.frequency)
    if every is None or "COUNT" in rule.parts or wall <= first:
        return first
    step = every * int(rule.parts.get("INTERVAL", "1"))
    return first + (wall - first) // step * step


def _moment(wall: datetime, zone: ZoneInfo) -> datetime:
    return wall.replace(tzinfo=zone).astimezone(UTC)


def _in(wall: datetime, zone: ZoneInfo, other: ZoneInfo) -> datetime:
    """What the wall of another zone shows at that moment."""
    return _moment(wall, zone).astimezone(other).replace(tzinfo=None)


def _refused(reason: str) -> InvalidField:
    return InvalidField(FIELD, reason)

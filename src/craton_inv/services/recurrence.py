"""Recurrence rules: iCalendar text as AWX takes it, checked with AWX's sentences, and the moments that it gives.

`DTSTART;TZID=Europe/Berlin:20260101T030000 RRULE:FREQ=DAILY;INTERVAL=1`. Rules of days and longer count by the clock on
the wall: a time that a change of clocks skips happens at the moment it would have been (02:30 is then 03:30), one that
comes twice happens the first time. Rules of hours and minutes without BY parts count by elapsed time: every hour is
every hour, also in the nights of those changes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from heapq import merge
from importlib.resources import files
from itertools import islice, takewhile
from zoneinfo import ZoneInfo, available_timezones

from craton_inv.services.recurrence_moments import moments
from craton_inv.services.recurrence_rule import Rule, read_rule, refused, require_moments

MAX_LENGTH = 255  # AWX's column
STEPS = 20_000
"""Moments that are looked at for the next one that no exception takes away."""
_FAR = datetime(9999, 12, 30)
"""What ends later ends here: beyond it a time cannot be told in every zone."""
_INSTANT = timedelta(microseconds=1)
_WINDOWS = tuple(timedelta(days=2**power) for power in range(0, 22, 3))
"""How far back the last moment before another is looked for, shortest first: it is mostly near."""
_START = re.compile(r"DTSTART(?:;TZID=(?P<zone>[^:;\s]+))?:(?P<time>\d{8}T\d{6})(?P<utc>Z?)\Z")


class Endless(Exception):
    """Nothing was found for as long as one looks."""


class Work:
    """How much may still be looked at."""

    def __init__(self, steps: int = STEPS) -> None:
        self.steps = self.left = steps

    def step(self) -> None:
        """Count. Raises Endless."""
        self.left -= 1
        if self.left < 0:
            raise Endless

    def found(self) -> None:
        """Begin anew: whoever asks for moments bounds their number."""
        self.left = self.steps


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
        """The last moment, in UTC; None when there is no end, or no moment at all. Raises Endless."""
        including = [rule for rule in self.rules if rule.kind == "RRULE"]
        if not all({"COUNT", "UNTIL"} & rule.parts.keys() for rule in including):
            return None
        # The last that there could be, were there no exceptions.
        latest = [self._until(rule) for rule in including if "UNTIL" in rule.parts]
        for rule in including:
            if "COUNT" in rule.parts:
                latest += [*self._of_rule(rule, self.first, self.zone, self.first)][-1:]
        if not latest:
            return None
        # Elapsed hours end up to a day away from those of the wall; every rule ends by itself.
        return self._last(self.start, _moment(max(latest), self.zone) + timedelta(days=1))

    def after(self, moment: datetime) -> Iterator[datetime]:
        """The moments after `moment`, in UTC and in order, as far as any are found."""
        try:
            yield from self._all(moment)
        except (Endless, ValueError):  # kept before what never comes was refused
            return

    def next_after(self, moment: datetime) -> datetime | None:
        """The first moment after `moment`; None when there is none left."""
        return next(self.after(moment), None)

    def last_before(self, moment: datetime, since: datetime) -> datetime:
        """The last moment up to `moment`, of those from `since` on, itself one of them."""
        try:
            return self._last(since, moment) or since
        except (Endless, ValueError):
            return since

    def _last(self, since: datetime, moment: datetime) -> datetime | None:
        """The last moment from `since` to `moment`; None when there is none. Raises Endless."""
        for window in _WINDOWS:
            begin = max(since, moment - window) if moment - since > window else since
            last = None
            for found in self._all(begin - _INSTANT):
                if found > moment:
                    break
                last = found
            if last is not None or begin == since:
                return last
        return None

    def _all(self, moment: datetime) -> Iterator[datetime]:
        """Moments after `moment`, once each: two times on the wall may be one moment. Raises Endless."""
        elapsed = all(rule.elapsed for rule in self.rules)
        zone = ZoneInfo("UTC") if elapsed else self.zone
        first = self.start.replace(tzinfo=None) if elapsed else self.first
        # A day before on the wall is before in every zone.
        wall = moment.astimezone(zone).replace(tzinfo=None) - (timedelta() if elapsed else timedelta(days=1))
        work = Work()
        excepted = self._merged("EXRULE", first, zone, wall)
        exception = next(excepted, None)
        last = moment
        for time in self._merged("RRULE", first, zone, wall):
            work.step()
            while exception is not None and exception < time:
                work.step()
                exception = next(excepted, None)
            found = _moment(time, zone)
            if time != exception and found > last:
                last = found
                yield found
                work.found()

    def _merged(self, kind: str, first: datetime, zone: ZoneInfo, wall: datetime) -> Iterator[datetime]:
        return merge(*(self._of_rule(rule, first, zone, wall) for rule in self.rules if rule.kind == kind))

    def _of_rule(self, rule: Rule, first: datetime, zone: ZoneInfo, since: datetime) -> Iterator[datetime]:
        """The times of one rule on the wall of `zone`, from `since` on; what COUNT counts begins at the start."""
        if "COUNT" in rule.parts:
            counted = islice(moments(rule.parts, first, first), int(rule.parts["COUNT"]))
            yield from (time for time in counted if time >= since)
            return
        until = _in(self._until(rule), self.zone, zone) if "UNTIL" in rule.parts else datetime.max
        yield from takewhile(lambda time: time <= until, moments(rule.parts, first, since))

    def _until(self, rule: Rule) -> datetime:
        """UNTIL on the wall of the zone; a day alone means its end."""
        text = rule.parts["UNTIL"]
        if "T" not in text:
            return min(datetime.strptime(text, "%Y%m%d").replace(hour=23, minute=59, second=59), _FAR)
        if text.endswith("Z"):
            moment = min(datetime.strptime(text, "%Y%m%dT%H%M%SZ"), _FAR)
            return moment.replace(tzinfo=UTC).astimezone(self.zone).replace(tzinfo=None)
        return min(datetime.strptime(text, "%Y%m%dT%H%M%S"), _FAR)


def parse_recurrence(text: str) -> Recurrence:
    """Read a rule and try it. Raises InvalidField for `rrule`, in AWX's words where AWX has a rule for it.

    What never comes is refused, where AWX would look for it up to the year 9999.
    """
    recurrence = read_recurrence(text)
    try:
        for rule in recurrence.rules:
            require_moments(rule, recurrence.first)
        next(recurrence._all(recurrence.start - _INSTANT), None)
        recurrence.end  # noqa: B018 - is worked out here, where a rule that cannot be is refused
    except Endless:
        raise refused("Its moments are too rare to be found, or its exceptions take every one of them away.") from None
    except (ValueError, OverflowError, TypeError, LookupError) as error:
        raise refused(f"rrule parsing failed validation: {error}") from error
    return recurrence


def read_recurrence(text: str) -> Recurrence:
    """Read a rule without working out what it gives. Raises InvalidField."""
    if len(text) > MAX_LENGTH:
        raise refused(f"Ensure this field has no more than {MAX_LENGTH} characters.")
    words = text.split()
    starts = [word for word in words if word.upper().startswith("DTSTART")]
    if not starts:
        raise refused("Valid DTSTART required in rrule. Value should start with: DTSTART:YYYYMMDDTHHMMSSZ")
    if len(starts) > 1 or text.upper().count("DTSTART") > 1:
        raise refused("Multiple DTSTART is not supported.")
    first, zone = _start(starts[0])
    rules = tuple(read_rule(word) for word in words if word is not starts[0])
    if not any(rule.kind == "RRULE" for rule in rules):
        raise refused("One or more rule required in rrule.")
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
        raise refused("Valid DTSTART required in rrule. Value should start with: DTSTART:YYYYMMDDTHHMMSSZ")
    if bool(found["zone"]) == bool(found["utc"]):
        raise refused("DTSTART cannot be a naive datetime.  Require ;TZID= or YYYYMMDDTHHMMSSZ.")
    if found["zone"] and found["zone"] not in available_timezones():
        raise refused(f'"{found["zone"]}" is not the name of a time zone; see schedules/zoneinfo/.')
    try:
        return datetime.strptime(found["time"], "%Y%m%dT%H%M%S"), ZoneInfo(found["zone"] or "UTC")
    except ValueError as error:
        raise refused(f"rrule parsing failed validation: {error}") from error


def _moment(wall: datetime, zone: ZoneInfo) -> datetime:
    return wall.replace(tzinfo=zone).astimezone(UTC)


def _in(wall: datetime, zone: ZoneInfo, other: ZoneInfo) -> datetime:
    """What the wall of another zone shows at that moment."""
    return _moment(wall, zone).astimezone(other).replace(tzinfo=None)

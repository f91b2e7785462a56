"""Rules of schedules: what they say, AWX's refusals, and both changes of clocks."""

import contextlib
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from craton_inv.errors import InvalidField
from craton_inv.services.recurrence import parse_recurrence, read_recurrence, zones
from craton_inv.services.recurrence_moments import moments as moments_of
from tests.processor_time import least

BERLIN = "DTSTART;TZID=Europe/Berlin:"
DAILY = "RRULE:FREQ=DAILY;INTERVAL=1"


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def moments(rule: str, since: datetime, count: int = 5) -> list[str]:
    """The next moments in UTC, told short."""
    return [f"{moment:%m-%d %H:%M}" for moment in islice(parse_recurrence(rule).after(since), count)]


def test_a_daily_rule_keeps_its_time_on_the_wall_when_clocks_go_forward() -> None:
    found = moments(f"{BERLIN}20260327T120000 {DAILY}", at(2026, 3, 27, 0), 4)
    assert found == ["03-27 11:00", "03-28 11:00", "03-29 10:00", "03-30 10:00"]


def test_a_time_that_the_clock_skips_comes_an_hour_later_on_the_wall() -> None:
    found = moments(f"{BERLIN}20260328T023000 {DAILY}", at(2026, 3, 28, 0), 3)
    assert found == ["03-28 01:30", "03-29 01:30", "03-30 00:30"]


def test_a_time_that_comes_twice_is_taken_the_first_time_only() -> None:
    found = moments(f"{BERLIN}20261024T023000 {DAILY}", at(2026, 10, 24, 0), 3)
    assert found == ["10-24 00:30", "10-25 00:30", "10-26 01:30"]


@pytest.mark.parametrize(("day", "since"), [("20260329", at(2026, 3, 28, 22)), ("20261025", at(2026, 10, 24, 21))])
def test_every_hour_is_every_hour_in_the_nights_when_clocks_change(day: str, since: datetime) -> None:
    rule = parse_recurrence(f"{BERLIN}{day}T000000 RRULE:FREQ=HOURLY;INTERVAL=1")
    found = list(islice(rule.after(since), 8))
    assert {later - sooner for sooner, later in pairwise(found)} == {timedelta(hours=1)}


def test_hours_of_the_wall_that_are_one_moment_come_once() -> None:
    found = moments(f"{BERLIN}20260329T000000 RRULE:FREQ=HOURLY;INTERVAL=1;BYHOUR=2,3", at(2026, 3, 28, 22), 3)
    assert found == ["03-29 01:00", "03-30 00:00", "03-30 01:00"]


def test_a_rule_of_minutes_that_began_years_ago_is_read_at_once() -> None:
    rule = parse_recurrence("DTSTART:20000101T000000Z RRULE:FREQ=MINUTELY;INTERVAL=7")
    found = rule.next_after(at(2026, 3, 28, 21))
    assert found is not None
    assert (found - at(2000, 1, 1)) % timedelta(minutes=7) == timedelta()
    assert least(lambda: rule.next_after(at(2026, 3, 28, 21)), 0.2) < 0.2


NEVER = [
    "FREQ=YEARLY;INTERVAL=1;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=DAILY;INTERVAL=1;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=MINUTELY;INTERVAL=59;BYMONTH=2;BYMONTHDAY=30;COUNT=3",
    "FREQ=MINUTELY;INTERVAL=2;BYMINUTE=5",
    "FREQ=HOURLY;INTERVAL=24;BYHOUR=2,3",
    "FREQ=DAILY;INTERVAL=7;BYDAY=MO;UNTIL=99991231",
    "FREQ=MONTHLY;INTERVAL=12;BYMONTH=2",
    "FREQ=WEEKLY;INTERVAL=1;BYDAY=MO;BYSETPOS=2",
    "FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29",
]


@pytest.mark.parametrize("rule", NEVER)
def test_a_rule_that_never_comes_is_refused_with_the_parts_that_no_moment_meets(rule: str) -> None:
    with pytest.raises(InvalidField) as caught:
        parse_recurrence(f"DTSTART:20260106T010000Z RRULE:{rule}")
    assert list(caught.value.fields) == ["rrule"]
    assert "RRULE never comes" in caught.value.message
    assert all(part in caught.value.message for part in rule.split(";") if not part.startswith(("COUNT", "UNTIL")))


@pytest.mark.parametrize("rule", NEVER)
def test_a_rule_that_never_comes_is_not_followed_to_the_end_of_time(rule: str) -> None:
    def look() -> None:
        with contextlib.suppress(InvalidField):
            parse_recurrence(f"DTSTART:20260106T010000Z RRULE:{rule}")

    assert least(look, 1.5) < 1.5


@pytest.mark.parametrize("year", [1900, 2026, 2399, 4000, 9998])
def test_moments_of_any_year_are_found(year: int) -> None:
    first, days = datetime(year, 1, 1), timedelta(days=100)
    found = [*islice(moments_of({"FREQ": "DAILY", "INTERVAL": "100"}, first, datetime(year, 2, 1)), 2)]
    assert found == [first + days, first + 2 * days]


def test_exceptions_that_take_every_moment_away_are_refused() -> None:
    every = "FREQ=MINUTELY;INTERVAL=1"
    with pytest.raises(InvalidField, match="exceptions take every one of them away"):
        parse_recurrence(f"DTSTART:20260101T000000Z RRULE:{every} EXRULE:{every}")


def test_a_rule_that_was_kept_before_and_never_comes_has_no_next_moment() -> None:
    rule = read_recurrence("DTSTART:20260106T000000Z RRULE:FREQ=DAILY;INTERVAL=7;BYDAY=MO")
    assert rule.next_after(at(2026, 1, 1)) is None
    assert rule.last_before(at(2026, 3, 1), since=at(2026, 1, 6)) == at(2026, 1, 6)


def test_count_and_until_say_when_it_ends() -> None:
    start = "DTSTART:20260101T000000Z"
    assert parse_recurrence(f"{start} {DAILY};COUNT=3").end == at(2026, 1, 3)
    assert parse_recurrence(f"{start} {DAILY};UNTIL=20260105T000000Z").end == at(2026, 1, 5)
    assert parse_recurrence(f"{start} {DAILY}").end is None
    assert parse_recurrence(f"{start} {DAILY};UNTIL=20260105T000000Z").until == "2026-01-05T00:00:00"


def test_the_end_of_a_rule_of_minutes_is_found_without_walking_to_it() -> None:
    rule = read_recurrence("DTSTART:20260101T000000Z RRULE:FREQ=MINUTELY;INTERVAL=1;UNTIL=20991231T235930Z")
    assert rule.end == at(2099, 12, 31, 23, 59)
    assert least(lambda: rule._last(rule.start, at(2099, 12, 31, 23, 59)), 0.5) < 0.5


def test_the_end_of_counted_hours_is_that_of_elapsed_ones_when_clocks_change() -> None:
    rule = parse_recurrence(f"{BERLIN}20261024T230000 RRULE:FREQ=HOURLY;INTERVAL=1;COUNT=6")
    assert rule.end == at(2026, 10, 25, 2)


@pytest.mark.parametrize("until", ["99991231", "99991231T000000Z", "99991231T235959Z", "99991231T235959"])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/New_York"])
def test_a_rule_until_the_last_day_of_time_never_ends(until: str, zone: str) -> None:
    rule = parse_recurrence(f"DTSTART;TZID={zone}:20260101T000000 {DAILY};UNTIL={until}")
    assert rule.next_after(at(2026, 3, 1)) is not None
    assert rule.until.startswith("9999-12-")


def test_an_end_before_the_start_leaves_no_moment() -> None:
    rule = parse_recurrence(f"DTSTART:20260105T000000Z {DAILY};UNTIL=20260101T000000Z")
    assert (rule.end, rule.next_after(at(2025, 1, 1))) == (None, None)


@pytest.mark.parametrize("frequency", ["MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"])
@pytest.mark.parametrize("more", [{}, {"BYHOUR": "0,1,2"}])
def test_a_start_far_in_the_past_costs_no_walk(frequency: str, more: dict[str, str]) -> None:
    first, since = datetime(1900, 1, 1), datetime(2024, 1, 1)  # Mondays
    parts = {"FREQ": frequency, "INTERVAL": "1", **more}
    assert next(moments_of(parts, first, since)) == since
    assert least(lambda: next(moments_of(parts, first, since)), 0.2) < 0.2


def test_days_are_counted_from_the_end_of_the_month() -> None:
    found = moments("DTSTART:20260101T000000Z RRULE:FREQ=MONTHLY;INTERVAL=1;BYMONTHDAY=-1", at(2026, 1, 1), 2)
    assert found == ["01-31 00:00", "02-28 00:00"]


def test_an_exception_takes_moments_away() -> None:
    rule = "DTSTART:20260105T060000Z RRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=MO,TU EXRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=TU"
    assert moments(rule, at(2026, 1, 1), 2) == ["01-05 06:00", "01-12 06:00"]


def test_hours_that_a_rule_never_meets_are_refused() -> None:
    with pytest.raises(InvalidField, match="never comes"):
        parse_recurrence("DTSTART:20260101T010000Z RRULE:FREQ=HOURLY;INTERVAL=24;BYHOUR=2,3")


def test_missed_moments_are_skipped_to_the_last() -> None:
    rule = parse_recurrence(f"DTSTART:20260101T000000Z {DAILY}")
    assert rule.last_before(at(2026, 3, 5, 12), since=at(2026, 3, 1)) == at(2026, 3, 5)
    assert rule.last_before(at(2026, 3, 1, 12), since=at(2026, 3, 1)) == at(2026, 3, 1)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Valid DTSTART required in rrule"),
        (DAILY, "Valid DTSTART required in rrule"),
        (f"DTSTART:tomorrow {DAILY}", "Valid DTSTART required in rrule"),
        (f"DTSTART:20260101T000000 {DAILY}", "DTSTART cannot be a naive datetime"),
        (f"DTSTART:20260101T000000Z DTSTART:20260102T000000Z {DAILY}", "Multiple DTSTART is not supported"),
        (f"DTSTART;TZID=Mars/Base:20260101T000000 {DAILY}", '"Mars/Base" is not the name of a time zone'),
        (f"DTSTART:20261301T000000Z {DAILY}", "rrule parsing failed validation"),
        ("DTSTART:20260101T000000Z", "One or more rule required in rrule"),
        ("DTSTART:20260101T000000Z EXRULE:FREQ=DAILY;INTERVAL=1", "One or more rule required in rrule"),
        ("DTSTART:20260101T000000Z RRULE:FREQ=DAILY", "INTERVAL required in rrule"),
        ("DTSTART:20260101T000000Z RRULE:FREQ=SECONDLY;INTERVAL=1", "SECONDLY is not supported"),
        ("DTSTART:20260101T000000Z RRULE:FREQ=HOURLY;INTERVAL=0", "INTERVAL=0 is no number from 1 on"),
        ("DTSTART:20260101T000000Z RRULE:FREQ=NEVER;INTERVAL=1", "rrule parsing failed validation"),
        (f"DTSTART:20260101T000000Z {DAILY};BYDAY=20MO", "BYDAY with numeric prefix not supported"),
        (f"DTSTART:20260101T000000Z {DAILY};BYMONTHDAY=1,2", "Multiple BYMONTHDAYs not supported"),
        (f"DTSTART:20260101T000000Z {DAILY};BYMONTH=1,2", "Multiple BYMONTHs not supported"),
        (f"DTSTART:20260101T000000Z {DAILY};BYYEARDAY=1", "BYYEARDAY not supported"),
        (f"DTSTART:20260101T000000Z {DAILY};BYWEEKNO=1", "BYWEEKNO not supported"),
        (f"DTSTART:20260101T000000Z {DAILY};BYEASTER=99999", "BYEASTER not supported"),
        (f"DTSTART:20260101T000000Z {DAILY};BYMONTH=13", "BYMONTH=13 is no number from 1 to 12"),
        (f"DTSTART:20260101T000000Z {DAILY};BYMONTHDAY=0", "BYMONTHDAY=0 is no number from 1 to 31"),
        (f"DTSTART:20260101T000000Z {DAILY};BYHOUR=3,25", "BYHOUR=25 is no number from 0 to 23"),
        ("DTSTART:20260101T000000Z RRULE:FREQ=MINUTELY;INTERVAL=59;BYSETPOS=9", "not supported with FREQ=MINUTELY"),
        (f"DTSTART:20260101T000000Z {DAILY};BYSETPOS=367", "BYSETPOS=367 is no number from 1 to 366"),
        (f"DTSTART:20260101T000000Z {DAILY};COUNT=2;UNTIL=20270101T000000Z", "both COUNT and UNTIL"),
        (f"DTSTART:20260101T000000Z {DAILY};COUNT=1000", "COUNT > 999 is unsupported"),
        (f"DTSTART:20260101T000000Z {DAILY};UNTIL=soon", "rrule parsing failed validation"),
        (f"DTSTART:20260101T000000Z {DAILY};BYMOON=1", "BYMOON is no part of a rule"),
        (f"DTSTART:20260101T000000Z {DAILY};BYDAY=XY", "BYDAY=XY is no day"),
        (f"DTSTART:20260101T000000Z {DAILY};WKST=8", "WKST=8 is no day"),
        (f"DTSTART:20260101T000000Z {DAILY} {'X' * 300}", "no more than 255 characters"),
    ],
)
def test_a_rule_that_cannot_be_kept_is_refused_by_field_and_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidField) as caught:
        parse_recurrence(text)
    assert list(caught.value.fields) == ["rrule"]
    assert reason in caught.value.message


RULES = st.builds(
    "DTSTART;TZID={}:{} RRULE:FREQ={};INTERVAL={}{}".format,
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
    st.datetimes(datetime(2020, 1, 1), datetime(2026, 12, 1)).map(lambda found: f"{found:%Y%m%dT%H%M%S}"),
    st.sampled_from(["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY"]),
    st.integers(1, 40),
    st.sampled_from(["", ";COUNT=5", ";BYDAY=MO,FR", ";BYHOUR=2,3"]),
)


@given(RULES, st.datetimes(datetime(2020, 1, 1), datetime(2027, 1, 1), timezones=st.just(ZoneInfo("UTC"))))
@settings(max_examples=60, deadline=None)
def test_moments_rise_and_the_next_one_is_the_first_of_them(text: str, since: datetime) -> None:
    try:
        rule = parse_recurrence(text)
    except InvalidField as refusal:  # every 24 hours, from one o'clock on, it is never two
        assert "never comes" in refusal.message  # noqa: PT017
        return
    found = list(islice(rule.after(since), 4))
    assert found == sorted(set(found))
    assert all(moment > since for moment in found)
    assert rule.next_after(since) == (found[0] if found else None)
    if len(found) > 1:
        assert rule.next_after(found[0]) == found[1]


def some_of(name: str, values: list[str]) -> st.SearchStrategy[str]:
    """A part with one to three of the values, or none."""
    chosen = st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True)
    return st.one_of(st.just(""), chosen.map(lambda found: f";{name}={','.join(found)}"))


FREQUENCIES = {"YEARLY": 4000, "MONTHLY": 2000, "WEEKLY": 800, "DAILY": 400, "HOURLY": 60, "MINUTELY": 3}
NUMBERS = [str(number) for number in range(60)]
PARTS = st.tuples(
    some_of("BYDAY", ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]),
    st.sampled_from(["", "", ";BYMONTHDAY=1", ";BYMONTHDAY=31", ";BYMONTHDAY=-1", ";BYMONTHDAY=-30"]),
    st.sampled_from(["", "", ";BYMONTH=2", ";BYMONTH=12"]),
    some_of("BYHOUR", NUMBERS[:24]),
    some_of("BYMINUTE", NUMBERS),
    some_of("BYSECOND", NUMBERS),
    st.sampled_from(["", ";WKST=SU", ";WKST=TH"]),
    some_of("BYSETPOS", ["1", "2", "5", "-1", "-3"]),
)


ORDINARY = given(
    st.sampled_from([*FREQUENCIES]),
    st.integers(1, 60),
    PARTS,
    st.datetimes(datetime(2019, 1, 1), datetime(2021, 1, 1)).map(lambda found: found.replace(microsecond=0)),
    st.floats(0, 1),
)


def compare(frequency: str, interval: int, parts: tuple[str, ...], first: datetime, later: float) -> None:
    """With dateutil from the start on, in the years that are meant."""
    text = f"FREQ={frequency};INTERVAL={interval}" + "".join(parts[: -1 if frequency in ("HOURLY", "MINUTELY") else 8])
    since = first + timedelta(days=int(FREQUENCIES[frequency] * later))
    found: list[datetime] = []
    with contextlib.suppress(ValueError):
        found = list(islice(moments_of(dict(part.split("=") for part in text.split(";")), first, since), 6))
    assume(found)  # dateutil looks for what never comes to the year 9999
    assert found == list(rrulestr(f"RRULE:{text}", dtstart=first).xafter(since, count=len(found), inc=True))  # type: ignore[attr-defined]


test_moments_are_those_of_the_plain_rule = settings(max_examples=60, deadline=None)(ORDINARY(compare))
test_moments_of_many_rules_are_those_of_the_plain_rule = pytest.mark.full(
    settings(max_examples=1000, deadline=None)(ORDINARY(compare))
)


def test_zones_are_named() -> None:
    assert {"UTC", "Europe/Berlin"} <= set(zones())

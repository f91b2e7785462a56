"""Schedules."""

from pydantic import BaseModel, Field

from craton_inv.schemas.names import Name
from craton_inv.schemas.v2.envelope import Named, Page
from craton_inv.schemas.v2.fields import Flag, Id, ShortText, Text, Time, unset

RRULE = (
    "When, as iCalendar says it: a start with its time zone, then one or more rules: "
    '"DTSTART;TZID=Europe/Berlin:20260101T030000 RRULE:FREQ=DAILY;INTERVAL=1".'
)


class Schedule(Named):
    """When a source is refreshed by itself."""

    unified_job_template: int = Field(description="The source.")
    enabled: bool
    rrule: str = Field(description=RRULE)
    dtstart: Time = Field(description="The first moment of the rule.")
    dtend: Time | None = Field(description="The last moment; null for a rule without an end.")
    next_run: Time | None = Field(description="When it fires next; null for never.")
    timezone: str = Field(description="The zone by whose clocks the rule counts.")
    until: str = Field(description='What UNTIL says, by the clocks of that zone; "" without.')
    last_error: str = Field(description='Why the last moment started no run; "" when it did.')


class ScheduleList(Page[Schedule]):
    """A page of schedules."""


class ScheduleContent(BaseModel):
    """A schedule without saying of what: for the list below a source."""

    name: Name
    description: Text = ""
    enabled: Flag = True
    rrule: ShortText = Field(description=RRULE)


class ScheduleCreate(ScheduleContent):
    """A new schedule."""

    unified_job_template: Id = Field(description="The source.")


class ScheduleReplace(ScheduleContent):
    """All of a schedule that is there. Its source cannot change and may be left out."""

    unified_job_template: Id = unset(int)


class SchedulePatch(BaseModel):
    """What to change of a schedule. Its source may be named but not changed."""

    name: Name = unset()
    description: Text = unset()
    enabled: Flag = unset(bool)
    rrule: ShortText = unset()
    unified_job_template: Id = unset(int)


class SchedulePreview(BaseModel):
    """A rule to be tried."""

    rrule: ShortText = Field(description=RRULE)


class SchedulePreviewed(BaseModel):
    """The next ten moments of a rule, by its own zone's clocks and in UTC."""

    local: list[str]
    utc: list[str]


class ZoneInfo(BaseModel):
    """The time zones that a rule may name."""

    zones: list[str]
    links: dict[str, str] = Field(description="Zones that are other names of one.")

"""One rule of a recurrence as its parts: read, and refused with AWX's sentences where AWX has one."""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from craton_inv.errors import InvalidField
from craton_inv.services.recurrence_moments import moments

FIELD = "rrule"
MAX_COUNT = 999
_RULE = re.compile(r"(?P<kind>RRULE|EXRULE):(?P<parts>\S+)\Z", re.IGNORECASE)
_EVERY = frozenset({"HOURLY", "MINUTELY"})
_REFUSED = {
    "BYYEARDAY": "BYYEARDAY not supported.",
    "BYWEEKNO": "BYWEEKNO not supported.",
    "BYEASTER": "BYEASTER not supported.",
}
# The largest number of each part that takes numbers; those of days count from the end of the month, too.
_LARGEST = {"BYMONTH": 12, "BYMONTHDAY": 31, "BYHOUR": 23, "BYMINUTE": 59, "BYSECOND": 59, "BYSETPOS": 366}
_KNOWN = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY"}) | _LARGEST.keys()
_FROM_THE_END = frozenset({"BYMONTHDAY", "BYSETPOS"})
_FROM_NOUGHT = frozenset({"BYHOUR", "BYMINUTE", "BYSECOND"})
_DAYS = frozenset({"MO", "TU", "WE", "TH", "FR", "SA", "SU"})


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


def read_rule(word: str) -> Rule:
    """Read `RRULE:FREQ=...` or `EXRULE:...`. Raises InvalidField."""
    found = _RULE.match(word)
    if found is None:
        raise refused(f'rrule parsing failed validation: "{word[:40]}" is neither RRULE: nor EXRULE:')
    pairs = [part.partition("=") for part in found["parts"].upper().split(";") if part]
    names = [name for name, _, _ in pairs]
    if len(set(names)) < len(names) or not all(sign and value for _, sign, value in pairs):
        raise refused(f'rrule parsing failed validation: "{word[:40]}" holds a part twice, or one without a value')
    rule = Rule(found["kind"].upper(), {name: value for name, _, value in pairs})
    _check(rule)
    return rule


def _check(rule: Rule) -> None:
    parts = rule.parts
    if rule.kind == "RRULE" and "INTERVAL" not in parts:
        raise refused("INTERVAL required in rrule.")
    if rule.frequency == "SECONDLY":
        raise refused("SECONDLY is not supported.")
    if rule.frequency not in ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", *_EVERY):
        raise refused(f"rrule parsing failed validation: FREQ={rule.frequency[:20]} is not known")
    for name, reason in _REFUSED.items():
        if name in parts:
            raise refused(reason)
    for name in parts.keys() - _KNOWN:
        raise refused(f"rrule parsing failed validation: {name[:20]} is no part of a rule")
    if "," in parts.get("BYMONTHDAY", ""):
        raise refused("Multiple BYMONTHDAYs not supported.")
    if "," in parts.get("BYMONTH", ""):
        raise refused("Multiple BYMONTHs not supported.")
    if re.search(r"\d", parts.get("BYDAY", "")):
        raise refused("BYDAY with numeric prefix not supported.")
    if {"COUNT", "UNTIL"} <= parts.keys():
        raise refused("RRULE may not contain both COUNT and UNTIL")
    for name in ("BYDAY", "WKST"):
        for day in parts[name].split(",") if name in parts else ():
            if day not in _DAYS:
                raise refused(f"rrule parsing failed validation: {name}={day[:20]} is no day")
    for name in ("COUNT", "INTERVAL"):
        if name in parts and not re.fullmatch(r"[1-9][0-9]{0,8}", parts[name]):
            raise refused(f"rrule parsing failed validation: {name}={parts[name][:20]} is no number from 1 on")
    if int(parts.get("COUNT", "0")) > MAX_COUNT:
        raise refused("COUNT > 999 is unsupported.")
    if "BYSETPOS" in parts and rule.frequency in _EVERY:
        # The place would be one among the minutes of a single moment.
        raise refused(f"BYSETPOS is not supported with FREQ={rule.frequency}.")
    for name in _LARGEST.keys() & parts.keys():
        _check_numbers(name, parts[name])


def _check_numbers(name: str, text: str) -> None:
    """Refuse numbers that no clock and no calendar has."""
    sign = "[+-]?" if name in _FROM_THE_END else ""
    least = 0 if name in _FROM_NOUGHT else 1
    for number in text.split(","):
        if not re.fullmatch(sign + "[0-9]{1,3}", number) or not least <= abs(int(number)) <= _LARGEST[name]:
            told = f"from {least} to {_LARGEST[name]}"
            raise refused(f"rrule parsing failed validation: {name}={number[:20]} is no number {told}")


def require_moments(rule: Rule, first: datetime) -> None:
    """Refuse a rule whose parts no moment meets, whatever its end. Raises InvalidField and OverflowError."""
    with suppress(ValueError):  # what dateutil can tell at once, of minutes that no interval meets
        if next(moments(rule.parts, first, first), None) is not None:
            return
    narrowing = [f"{name}={value}" for name, value in rule.parts.items() if name not in ("COUNT", "UNTIL", "WKST")]
    raise refused(
        f"{rule.kind} never comes: from its start on no moment was found that meets all of {', '.join(narrowing)}."
    )


def refused(reason: str) -> InvalidField:
    """The refusal of a recurrence, by its field."""
    return InvalidField(FIELD, reason)

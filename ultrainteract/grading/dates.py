"""Calendar dates as people write them, each in every order in which it can be read."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ultrainteract.grading.finding import Finding

_NAMES = (
    "january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug",
    "september sept sep", "october oct", "november nov", "december dec",
)  # fmt: skip
_MONTHS = {name: number for number, names in enumerate(_NAMES, 1) for name in names.split()}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>\d{4})"
_FORMS = (
    re.compile(rf"(?:{_DAY}[\s-]+(?:of\s+)?)?(?P<month>{_MONTH})\.?(?:(?:,?\s+|-){_YEAR})?"),
    re.compile(rf"(?P<month>{_MONTH})\.?\s+{_DAY}(?:,?\s+{_YEAR})?"),
    re.compile(r"(?P<year>\d{4}|xxxx)-(?P<month>\d{1,2}|xx)-(?P<day>\d{1,2}|xx)(?:[T ]00:00:00)?"),
    re.compile(r"(?P<year>\d{4})/(?P<month>\d{1,2})/(?P<day>\d{1,2})"),
)
_NUMERIC = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})")
_WEEKDAY = re.compile(r"(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+")


@dataclass(frozen=True)
class Date:
    """A date; None for a part that is not stated."""

    year: int | None
    month: int | None
    day: int | None


def parse_dates(text: str) -> tuple[Date, ...]:
    """Every date that `text` can be, none where it is no date: `3/4/2020` is one in March or one in April."""
    text = re.sub(r"^(?:on|in)\s+", "", text.strip().lower()).rstrip(".,")
    text = _WEEKDAY.sub("", text, count=1) if _WEEKDAY.match(text) else text
    for form in _FORMS:
        if found := form.fullmatch(text):
            parts = found.groupdict()
            month, day, year = parts.get("month"), parts.get("day"), parts.get("year")
            return _valid(
                Date(
                    int(year) if year and year.isdecimal() else None,
                    _MONTHS.get(month or "") or (int(month) if month and month.isdecimal() else None),
                    int(day) if day and day.isdecimal() else None,
                )
            )
    if found := _NUMERIC.fullmatch(text):
        first, second = int(found[1]), int(found[3])
        years = [int(found[4])] if len(found[4]) == 4 else [1900 + int(found[4]), 2000 + int(found[4])]
        orders = [(first, second), (second, first)]
        return _valid(*(Date(year, month, day) for year in years for month, day in orders))
    return ()


def _valid(*dates: Date) -> tuple[Date, ...]:
    """Those that are in the calendar, without repeats."""
    return tuple(
        dict.fromkeys(
            date
            for date in dates
            if (date.year, date.month, date.day) != (None, None, None)
            and 1 <= (1 if date.month is None else date.month) <= 12
            and 1 <= (1 if date.day is None else date.day) <= 31
        )
    )


def same_date(gold: tuple[Date, ...], given: tuple[Date, ...]) -> Finding:
    """Whether two dates are the same, in every order in which they can be read.

    Args:
        gold: Readings of the gold date, at least one.
        given: Readings of the answer, at least one.
    """
    findings = [_same(one, other) for one in gold for other in given]
    if all(found.outcome is findings[0].outcome for found in findings):
        return findings[0]
    return Finding.unknown("a date whose order of day and month is not stated")


def _same(gold: Date, given: Date) -> Finding:
    if gold == given:
        return Finding.equal("the same date")
    both = ((gold.year, given.year), (gold.month, given.month), (gold.day, given.day))
    if any(a != b for a, b in both if a is not None and b is not None):
        return Finding.unequal("different dates")
    return Finding.unknown("dates of different precision")

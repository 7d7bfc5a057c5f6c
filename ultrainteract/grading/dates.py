"""Calendar dates as people write them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ultrainteract.grading.number import Finding

_MONTHS = {
    name: index + 1
    for index, names in enumerate(
        [
            "january jan",
            "february feb",
            "march mar",
            "april apr",
            "may",
            "june jun",
            "july jul",
            "august aug",
            "september sept sep",
            "october oct",
            "november nov",
            "december dec",
        ]
    )
    for name in names.split()
}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>\d{4})"
_FORMS = [
    re.compile(rf"(?:{_DAY}\s+(?:of\s+)?)?(?P<month>{_MONTH})\.?(?:,?\s+{_YEAR})?"),
    re.compile(rf"(?P<month>{_MONTH})\.?\s+{_DAY}(?:,?\s+{_YEAR})?"),
    re.compile(r"(?P<year>\d{4}|xxxx)-(?P<month>\d{1,2}|xx)-(?P<day>\d{1,2}|xx)(?:[T ]00:00:00)?"),
    re.compile(r"(?P<year>\d{4})/(?P<month>\d{1,2})/(?P<day>\d{1,2})"),
]


@dataclass(frozen=True)
class Date:
    """A date; None for a part that is not stated."""

    year: int | None
    month: int | None
    day: int | None

    @property
    def stated(self) -> tuple[bool, bool, bool]:
        """Which parts are stated."""
        return self.year is not None, self.month is not None, self.day is not None


def parse_date(text: str) -> Date | None:
    """The date that `text` is, or None. Orders that differ between countries (`3/4/2020`) are not read."""
    text = re.sub(r"^(?:on|in)\s+", "", text.strip().lower()).rstrip(".,")
    for form in _FORMS:
        if found := form.fullmatch(text):
            parts = found.groupdict()
            month, day, year = parts.get("month"), parts.get("day"), parts.get("year")
            number = _MONTHS.get(month or "") or (int(month) if month and month.isdigit() else None)
            date = Date(
                int(year) if year and year.isdigit() else None,
                number,
                int(day) if day and day.isdigit() else None,
            )
            if (date.month or 1) <= 12 and (date.day or 1) <= 31 and any(date.stated):
                return date
    return None


def same_date(gold: Date, given: Date) -> Finding:
    """Whether two dates are the same, as far as both state their parts."""
    if gold == given:
        return Finding(True, "the same date")
    both = ((gold.year, given.year), (gold.month, given.month), (gold.day, given.day))
    if any(a != b for a, b in both if a is not None and b is not None):
        return Finding(False, "different dates")
    return Finding(None, "dates of different precision")

"""Dates and times as numbers, in the orders and signs of every locale."""

import re
from functools import lru_cache

from spanferry.corpora.filters.numbers.words import months_of

Date = tuple[int, int, int]
Time = tuple[int, ...]

_DATE = re.compile(r"(\d{1,4})\D+(\d{1,2})\D+(\d{1,4})\D*")
_TIME = re.compile(r"(\d{1,2})\D*(\d{2})?(?::(\d{2}))?\D*", re.IGNORECASE)
_CJK_TIME = re.compile(r"(\d{1,2})\s?[点點时時시]\s?(\d{1,2})?\s?[分분]?")
_HALF_DAY = re.compile(r"([ap])\.?\s?m\b", re.IGNORECASE)


def date_readings(token: str) -> frozenset[Date]:
    """(year, month, day) that a date in digits can be: day before month and month before day, where both exist.

    >>> sorted(date_readings("03/04/2025")), sorted(date_readings("2025-04-03"))
    ([(2025, 3, 4), (2025, 4, 3)], [(2025, 4, 3)])
    """
    match = _DATE.fullmatch(token)
    if match is None:
        return frozenset()
    first, middle, last = match.groups()
    if len(first) == 4:
        found = {(int(first), int(middle), int(last))}
    elif len(last) in (2, 4) and len(first) <= 2:
        years = (int(last),) if len(last) == 4 else (1900 + int(last), 2000 + int(last))
        found = {(year, int(middle), int(first)) for year in years}
        if "." not in token:
            found |= {(year, int(first), int(middle)) for year in years}
    else:
        found = set()
    return frozenset((y, m, d) for y, m, d in found if 1 <= m <= 12 and 1 <= d <= 31)


def time_readings(token: str, *, spread: bool) -> frozenset[Time]:
    """(hour, minute[, second]) that a token can be.

    Args:
        token: ``9:45``, ``9h45``, ``9 pm``, ``9 Uhr 45``, ``9時45分``.
        spread: Whether an hour without a.m. or p.m. may be that twelve hours later or earlier.
    """
    match = _CJK_TIME.fullmatch(token) or _TIME.fullmatch(token)
    if match is None:
        return frozenset()
    hour, *rest = (int(g) for g in match.groups() if g is not None)
    rest = rest or [0]
    if hour > 24 or any(part > 59 for part in rest):
        return frozenset()
    half = _HALF_DAY.search(token)
    hours = {hour}
    if half is not None and half[1].lower() == "p":
        hours |= {hour % 12 + 12}
    elif half is not None:
        hours |= {0} if hour == 12 else set()
    elif spread:
        hours |= {(hour + 12) % 24} if hour <= 12 else {hour - 12}
    return frozenset((h, *rest) for h in hours)


@lru_cache(maxsize=256)
def textual_dates(text: str, language: str) -> list[tuple[int, int, frozenset[Date]]]:
    """Start, end and readings of each date with the month in words and a year, in a language whose months are known.

    >>> textual_dates("on 14 March 2026.", "en")
    [(3, 16, frozenset({(2026, 3, 14)}))]
    """
    months = months_of(language)
    if months is None:
        return []
    found = []
    for match in months.finditer(text):
        month = int(str(match.lastgroup)[1:])
        before = re.search(r"(?<!\d)(\d{1,2})(?:st|nd|rd|th|er|\.|º|°)?\s(?:de\s|of\s)?$", text[: match.start()])
        after = re.match(r"(?:,?\s|\sde\s|\sdel\s|\sof\s)(\d{4})(?!\d)", text[match.end() :])
        if before and after:
            found.append(
                (before.start(), match.end() + after.end(), frozenset({(int(after[1]), month, int(before[1]))}))
            )
            continue
        behind = re.match(r"\s(\d{1,2})(?:st|nd|rd|th)?,?\s(\d{4})(?!\d)", text[match.end() :])
        if behind:
            dates = frozenset({(int(behind[2]), month, int(behind[1]))})
            found.append((match.start(), match.end() + behind.end(), dates))
    return found

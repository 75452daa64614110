"""The numbers of a text: what each is, and all that it may be in another locale."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from spanferry.corpora.filters.numbers.amounts import amount_readings, plain, times_power
from spanferry.corpora.filters.numbers.dates import Date, Time, date_readings, textual_dates, time_readings
from spanferry.corpora.filters.numbers.digits import ascii_digits, has_digits
from spanferry.corpora.filters.numbers.names import name_before
from spanferry.corpora.filters.numbers.words import power_after

__all__ = ["Number", "Token", "ascii_digits", "has_digits", "numbers", "tokens"]

# Addresses and format fields are kinds of their own; their digits count with them. ASCII: other scripts touch them.
_ELSEWHERE = re.compile(
    r"<3|(?:https?|ftp)://[A-Za-z0-9._~:/?#@!$&()*+,;=%|-]+|[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
    r"|\{[^{}\s]*\}|%\(\w+\)[-+0#]*\d*(?:\.\d+)?[a-zA-Z]|%(?:\d+\$)?[-+0#]*\d*(?:\.\d+)?[sdif](?![A-Za-z])"
    r"|&#x?[0-9A-Fa-f]+;"
)
_CURRENCY = r"(?!(?:USD|EUR|GBP|CHF|JPY|CNY|RUB|INR|BRL|AUD|CAD|US|R|A|C|Rs)\d)"
_PATTERNS = {
    "code": r"(?<![A-Za-z0-9])(?:[A-Z]{2}\d{2}(?:\ ?[A-Z0-9]{4}){2,7}(?:\ ?[A-Z0-9]{1,4})?"  # IBAN
    r"|(?=[A-Fa-f:]*\d)[0-9A-Fa-f]{1,4}(?:[:-][0-9A-Fa-f]{2}){5}"  # MAC
    r"|(?=[A-Fa-f:]*\d)[0-9A-Fa-f]{1,4}(?:::?[0-9A-Fa-f]{1,4}){4,7}"  # IPv6
    r"|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|0x[0-9A-Fa-f]+"
    r"|(?=[a-f]*\d)(?=\d*[a-f])(?=(?:\d*[a-f]+){2})[0-9a-f]{7,40}"
    rf"|{_CURRENCY}[A-Z]{{1,6}}-?\d{{4,}}(?:[-/]?[A-Z0-9]+)*|{_CURRENCY}[A-Z]{{1,4}}-?\d{{1,4}}-?[A-Z]{{1,4}}\d*"
    r"|[A-Z]{2,6}(?:-\d{2,}){2,}|\d{3,}-[A-Z]{1,3}|\d{1,4}[A-Z]{1,3}\d{2,}[A-Z0-9]*)(?![A-Za-z0-9])",
    "date": r"(?<![\d.,/-])(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/]\d{1,2}[-/](?:\d{4}|\d{2})"
    r"|\d{1,2}\.\s?\d{1,2}\.\s?\d{4}|\d{1,2}\.\d{1,2}\.\d{2}|\d{4}\s?[年년]\s?\d{1,2}\s?[月월]\s?\d{1,2}\s?[日号號일])"
    r"(?![\d/-]|[.,]\d)",
    "time": r"(?<![\d.,:/-])(?:\d{1,2}:\d{2}(?::\d{2})?(?![\d:/]|[.,]\d)(?:\s?[ap]\.?\s?m\b\.?)?"
    r"|\d{1,2}[.:]\d{2}(?=\s?(?:uhr|h)\b|\s?[ap]\.?m\b)(?:\s?[ap]\.?m\b)?|\d{1,2}\s?h\s?\d{2}(?!\w)"
    r"|\d{1,2}\s?uhr\s\d{2}(?!\d)|\d{1,2}\s?[点點时時시]\s?\d{1,2}(?!\d)\s?[分분]?"
    r"|\d{1,2}\s?(?:[ap]\.?\s?m\b\.?|uhr\b|h\b(?!\s?\d)|o['’]clock|[点點時시](?!\s?\d)|часов\b|часа\b))",
    "sequence": r"(?<![\w.,])(?:\+\d{1,4}(?:[\ .\u00a0-]?\(?\d+\)?)+|\(\d{2,5}\)\ ?\d+(?:[\ .-]\d+)*"
    r"|\d{1,3}(?:\.\d{1,3}){3}(?:[:/]\d+)?|\d+(?:\.\d+){2,}|\d+(?:-\d+){2,}|\d+(?:\ \d+){2,}"
    r"|0\d{1,4}[\ /]\d{3,}|\d{2,4}-0\d{2,}|\d{3,}-\d{4,}|\d+(?:/\d+){2,})(?![\w])(?!\.\d)",
    "amount": r"(?<!\d)\d{1,3}(?:[\ \u00a0\u202f]\d{3})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,'’·٫٬]\d+)*",
}
# Letters of codes are capitals or hexadecimal.
_TOKEN = re.compile(
    "|".join(f"(?P<{name}>{f'(?-i:{pattern})' if name == 'code' else pattern})" for name, pattern in _PATTERNS.items()),
    re.IGNORECASE,
)
_AMOUNT = re.compile(_PATTERNS["amount"])
_SEPARATOR = re.compile(r"\D+")
_GROUPED = re.compile(r"\d{1,3}(?:[ \u00a0\u202f.,]\d{3})+")
_DECADE_AFTER = re.compile(r"['’]?(?:s|er)\b")
_MILLION = re.compile(r"\s?m(?:n|io)?\b", re.IGNORECASE)
_CONNECTED = re.compile(
    r"[%°€£$]?\s?(?:[-–—:/]|to|and|bis|und|à|et|a|y|e|tot|en|до|и|至|到|～|~|から)\s?[€£$]?", re.IGNORECASE
)
_LISTED = re.compile(
    r"[%°]?(?:\s|[,;、，]\s?(?:and|or|y|o|und|oder|et|ou|e|и|или)?\s?|\s(?:and|or|y|o|und|oder|et|ou|e|и|или)\s|、)"
)


@dataclass(frozen=True, slots=True)
class Token:
    """Digits of a text that belong together.

    Attributes:
        start: First code point.
        end: One past the last.
        text: As it is written, digits in ASCII.
        readings: Values it can stand for: digits, with ``.`` before decimals, no leading or trailing zeros.
        dates: (year, month, day) it can stand for.
        times: (hour, minute[, second]) it can stand for.
        plain: Its value where it is an integer without separators.
        kind: ``code``, ``date``, ``time``, ``sequence``, ``amount`` or ``plain``.
    """

    start: int
    end: int
    text: str
    readings: frozenset[str]
    dates: frozenset[Date] = frozenset()
    times: frozenset[Time] = frozenset()
    plain: int | None = None
    kind: str = "plain"


@dataclass(frozen=True, slots=True)
class Number:
    """One number of a source text, and how it has to be there in the target; see ``Token`` for its first attributes.

    Attributes:
        start: First code point.
        end: One past the last.
        text: As it is written.
        kind: See ``Token``.
        readings: See ``Token``.
        plain_readings: Those without the word behind it: 2.4 of `2.4 million`.
        dates: See ``Token``.
        times: See ``Token``.
        sequence: Its groups of digits, as they are.
        joins: Whether other groups of the same digits are as good: phone numbers.
        value: What a word may stand for: a plain integer, or that before `million`.
        half: Whether it is n and a half.
        free: A decade, which may be a word or two digits.
        negative: Whether a minus sign stands before it.
        list_id: The same for the numbers of one list or range; else None.
        name: The letters right before it, in lower case: ``co`` of the 2 of CO2.
    """

    start: int
    end: int
    text: str
    kind: str
    readings: frozenset[str]
    plain_readings: frozenset[str]
    dates: frozenset[Date]
    times: frozenset[Time]
    sequence: tuple[str, ...]
    joins: bool
    value: int | None
    half: bool = False
    free: bool = False
    negative: bool = False
    list_id: int | None = None
    name: str = ""

    @property
    def digits(self) -> str:
        """All its digits."""
        return "".join(self.sequence)

    @property
    def explains(self) -> frozenset[str]:
        """Readings of target tokens that this number accounts for."""
        parts = {plain(group) for group in self.sequence}
        clock = {str(part) for time in self.times for part in time}
        days = {str(part) for date in self.dates for part in date}
        return self.readings | self.plain_readings | parts | clock | days


@lru_cache(maxsize=64)
def tokens(text: str, language: str) -> tuple[Token, ...]:
    """The tokens of a target text, left to right. Of a date, a time and a sequence the parts are readings too.

    Args:
        text: With ASCII digits.
        language: Language subtag; "" for unknown.
    """
    found = [_token(*one, text, language) for one in _matches(text, language)]
    return tuple(_short_years(found, text))


@lru_cache(maxsize=64)
def numbers(text: str, language: str = "") -> tuple[Number, ...]:
    """The numbers of a source text that are written in digits, left to right."""
    text = ascii_digits(text)
    found = [_number(*one, text, language) for one in _matches(text, language)]
    return tuple(_connected(found, text))


def _matches(text: str, language: str) -> list[tuple[str, int, int]]:
    text = _ELSEWHERE.sub(lambda m: " " * len(m.group()), text)
    found: list[tuple[str, int, int]] = [("textual", start, end) for start, end, _ in textual_dates(text, language)]
    for _, start, end in found:
        text = text[:start] + " " * (end - start) + text[end:]
    place = 0
    while match := _TOKEN.search(text, place):
        kind, place = str(match.lastgroup), match.end()
        start, end = match.start(), place
        token = text[start:end]
        if kind == "date" and not date_readings(token):
            kind = "sequence"
        elif kind == "time" and not time_readings(token, spread=True):
            match = _AMOUNT.match(text, start)
            kind, end = "amount", match.end() if match else end
            place = end
        if kind == "sequence" and re.fullmatch(r"\d+(?: \d+)+", token) and not _is_phone(token):
            at = start
            for group in token.split(" "):
                found.append(("amount", at, at + len(group)))
                at += len(group) + 1
            continue
        if kind == "sequence" and _GROUPED.fullmatch(token) and not token.startswith("0"):
            kind = "amount"
        found.append((kind, start, end))
    return sorted(found, key=lambda one: one[1])


def _is_phone(token: str) -> bool:
    groups = token.split(" ")
    if _GROUPED.fullmatch(token):
        return True
    return token.startswith("0") or (len("".join(groups)) >= 7 and max(map(len, groups)) >= 3)


def _token(kind: str, start: int, end: int, text: str, language: str) -> Token:
    token = text[start:end]
    groups = [g for g in _SEPARATOR.split(token) if g]
    if kind == "textual":
        dates = next(d for a, _, d in textual_dates(text, language) if a == start)
        return Token(start, end, token, frozenset(plain(g) for g in groups), dates, kind="date")
    if kind in ("date", "time", "sequence", "code"):
        parts = frozenset(plain(g) for g in groups)
        dates = date_readings(token) if kind in ("date", "sequence") else frozenset()
        times = time_readings(token, spread=False) if kind == "time" else frozenset()
        parts |= {str(hour) for hour, minute, *_ in times if minute == 0}
        value = int(groups[0]) if kind == "time" and len(groups) == 1 else None
        return Token(start, end, token, parts, dates, times, value, kind)
    readings = amount_readings(token, language)
    scaled = {times_power(r, power) for power in power_after(text, end, language) for r in readings}
    times = (
        time_readings(token.replace(".", ":"), spread=False) if re.fullmatch(r"\d{1,2}\.\d\d", token) else frozenset()
    )
    value = int(token) if token.isdigit() and len(token) <= 9 else None
    return Token(start, end, token, frozenset(readings | scaled), frozenset(), frozenset(times), value, "amount")


def _number(kind: str, start: int, end: int, text: str, language: str) -> Number:
    token = text[start:end]
    groups = tuple(g for g in _SEPARATOR.split(token) if g)
    none: frozenset[str] = frozenset()
    if kind == "textual":
        dates = next(d for a, _, d in textual_dates(text, language) if a == start)
        return Number(start, end, token, "date", none, none, frozenset(dates), frozenset(), (), False, None)
    if kind == "date":
        # 3.14.12 may be a version as well.
        sequence = groups if token.count(".") == 2 and len(groups[-1]) == 2 else ()
        return Number(start, end, token, kind, none, none, date_readings(token), frozenset(), sequence, False, None)
    if kind == "time":
        times = time_readings(token, spread=True)
        value = int(groups[0]) if len(groups) == 1 else None
        return Number(start, end, token, kind, none, none, frozenset(), times, groups, False, value)
    if kind in ("code", "sequence"):
        digits = sum(map(len, groups))
        joins = kind == "sequence" and digits >= 7 and "." not in token and "/" not in token
        return Number(start, end, token, kind, none, none, frozenset(), frozenset(), groups, joins, None)
    base = frozenset(amount_readings(token, language))
    powers = power_after(text, end, language)
    if not powers and start > 0 and text[start - 1] in "£$€¥" and _MILLION.match(text, end):
        powers = (6,)
    readings = frozenset(times_power(r, p) for p in powers for r in base) or base
    coded = len(token) > 1 and start > 0 and text[start - 1].isalpha() and text[start - 1].isascii()
    value = int(token) if token.isdigit() and len(token) <= 9 and not coded else None
    decade = len(token) in (2, 4) and token.endswith("0") and bool(_DECADE_AFTER.match(text, end))
    if decade:
        readings |= {token[-2:]}
    half = any(r.endswith(".5") and len(r) <= 4 for r in base)
    negative = start > 0 and text[start - 1] in "-−﹣－" and (start == 1 or text[start - 2] in " \u00a0(:\n")
    joins = " " in token or "\u00a0" in token
    kind = "plain" if token.isdigit() else "amount"
    if value is None and token.isdigit() is False and len(groups) == 2 and groups[1] == "000" and len(readings) == 1:
        value = 1000 if next(iter(readings)) == "1000" else None
    name = name_before(text, start) if token.isdigit() else ""
    return Number(
        start,
        end,
        token,
        kind,
        readings,
        base,
        frozenset(),
        frozenset(),
        groups,
        joins,
        value,
        half,
        decade,
        negative,
        name=name,
    )


def _short_years(found: list[Token], text: str) -> list[Token]:
    """2019-20 is 2019-2020 too, on the target as on the source."""
    for k in range(1, len(found)):
        one, other = found[k - 1], found[k]
        if _is_short_year(one.text, other.text, text[one.end : other.start]):
            found[k] = replace(other, readings=other.readings | {one.text[:2] + other.text})
    return found


def _is_short_year(first: str, second: str, between: str) -> bool:
    return len(first) == 4 and len(second) == 2 and first.isdigit() and second.isdigit() and between in ("-", "–", "/")


def _connected(found: list[Number], text: str) -> list[Number]:
    """Marks ranges and lists."""
    start = 0
    while start < len(found):
        end = start + 1
        while end < len(found) and _follows(found[end - 1], found[end], text, _LISTED):
            end += 1
        if end - start >= 3:
            found[start:end] = [replace(n, list_id=start) for n in found[start:end]]
        start = end
    for k in range(1, len(found)):
        one, other = found[k - 1], found[k]
        if one.list_id is None and other.list_id is None and _follows(one, other, text, _CONNECTED):
            found[k - 1], found[k] = replace(one, list_id=-k), replace(other, list_id=-k)
            if _is_short_year(one.text, other.text, text[one.end : other.start]):
                found[k] = replace(found[k], readings=other.readings | {one.text[:2] + other.text}, value=None)
    return found


def _follows(one: Number, other: Number, text: str, gap: "re.Pattern[str]") -> bool:
    kinds = {"plain", "amount"}
    return {one.kind, other.kind} <= kinds and gap.fullmatch(text[one.end : other.start]) is not None

"""Whether the numbers of a text survive its translation, whatever the locale writes them like.

``1,000.5`` and ``1.000,5`` are one number, ``3 pm`` is ``15 Uhr``, ``7:45`` is ``7h45``, ``2026-03-14`` is
``14.3.2026``, ``2.4 million`` is ``2.400.000``, ``19th`` may be ``XIX``. A small number may be a word in the target.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_TOKEN = re.compile(r"\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,'’·٫٬]\d+)*")
_DIGIT = re.compile(r"\d")
_FOREIGN_DIGIT = re.compile(r"(?![0-9])\d")
_SEPARATOR = re.compile(r"\D+")
_CLOCK_AFTER = re.compile(
    r"[\s\u00a0]*(?:[:.h]\d\d(?!\d)|[ap]\.?\s?m\b|[ap]\.m\.|o['’]clock|uhr|h\b|時|点|點|시)", re.IGNORECASE
)
_DECADE_AFTER = re.compile(r"['’]?(?:s|er)\b")
_ROMAN = re.compile(r"\b[IVXLC]{2,}\b")
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
# Words and characters that stand for zeros: where one of them occurs, only the significant digits are compared.
_SCALE = re.compile(
    r"\b(?:mil|milh|mill|mili|tausend|thousand|hundred|hundert|cent|cien|duizend|miljo|bilj|tysi|тыс|млн|млрд|миллион"
    r"|миллиард|тысяч|bin\b|lakh|crore|हज़ार|हजार|लाख|करोड़|billion|trillion)|(?:mio|mrd|mln)\b|\d\s?(?:[kKmM]|bn)\b"
    r"|[十百千万萬億亿兆만억천]|مليون|ألف|مليار|elfu|milioni",
    re.IGNORECASE,
)
# 37万5,000 and 6億4900万: digits with characters that multiply them.
_HAN_SCALED = re.compile(
    r"(?:\d{1,12}(?:[.,]\d{1,9}){0,4}\s?[十百千万萬億亿兆만억천]{1,3}\s?){1,5}(?:\d{1,9}(?:,\d{3})*)?"
)
_HAN_STEP = re.compile(r"(\d+(?:[.,]\d+)*)\s?([十百千万萬億亿兆만억천]*)")
_HAN_VALUES = {
    "十": 10,
    "百": 100,
    "千": 1000,
    "천": 1000,
    "兆": 10**12,
    **dict.fromkeys("万萬만", 10**4),
    **dict.fromkeys("億亿억", 10**8),
}
_HAN_NUMBER = re.compile(r"[〇零一二三四五六七八九十百千万萬億亿两兩]{2,}")


@dataclass(frozen=True, slots=True)
class Number:
    """One number of a text.

    Attributes:
        start: First code point.
        end: One past the last.
        readings: Canonical forms it can stand for: digits, with ``.`` before decimals, no leading or trailing zeros.
        parts: Its digit groups, without leading zeros.
        small: Its value where it is a plain integer that a word could stand for, else None.
        free: It need not survive as digits: a decade.
    """

    start: int
    end: int
    readings: frozenset[str]
    parts: tuple[str, ...]
    small: int | None
    free: bool = False


def has_digits(text: str) -> bool:
    """Whether there is any number in ``text``; quick."""
    return _DIGIT.search(text) is not None


def ascii_digits(text: str) -> str:
    """``text`` with the decimal digits of every script as ASCII; offsets stay."""
    return text if text.isascii() else _FOREIGN_DIGIT.sub(lambda m: str(unicodedata.decimal(m.group())), text)


@lru_cache(maxsize=64)
def numbers(text: str) -> tuple[Number, ...]:
    """The numbers of ``text`` that are written in digits, left to right."""
    text = ascii_digits(text)
    found = []
    for match in _TOKEN.finditer(text):
        token = match.group()
        parts = tuple(_plain(p) for p in _SEPARATOR.split(token))
        readings = _readings(token, parts)
        after = text[match.end() : match.end() + 12]
        hour = int(token) if len(parts) == 1 and len(token) <= 2 else None
        if hour is not None and hour <= 24 and _CLOCK_AFTER.match(after):
            readings |= {str((hour + 12) % 24), str(hour - 12 if hour > 12 else hour)}
        decade = len(token) in (2, 4) and len(parts) == 1 and token.endswith("0") and bool(_DECADE_AFTER.match(after))
        # Part of a code, as in WELCOME10, it is never written as a word; one digit may be, as in WW1.
        coded = len(token) > 1 and match.start() > 0 and text[match.start() - 1].isalpha()
        # Python refuses to read integers of thousands of digits.
        small = int(token) if len(parts) == 1 and len(token) <= 9 and not coded else None
        found.append(Number(match.start(), match.end(), frozenset(readings), parts, small, decade))
    return tuple(found)


def _plain(digits: str) -> str:
    return digits.lstrip("0") or "0"


def _readings(token: str, parts: tuple[str, ...]) -> set[str]:
    groups = _SEPARATOR.split(token)
    if len(groups) == 1:
        return {parts[0]}
    readings = {_plain("".join(groups))} if all(len(g) in (2, 3) for g in groups[1:]) else set()
    whole, decimals = _plain("".join(groups[:-1])), groups[-1].rstrip("0")
    readings.add(f"{whole}.{decimals}" if decimals else whole)
    return readings


def surviving(source: str, target: str, words_up_to: int) -> tuple[int, int]:
    """How many numbers of ``source`` had to survive, and how many did.

    Args:
        source: Source text.
        target: Target text.
        words_up_to: An integer up to this may be written as a word in the target and is not counted when it is.
    """
    wanted = numbers(source)
    if not wanted:
        return 0, 0
    there = _Available(target, scaled=bool(_SCALE.search(source)))
    needed = kept = 0
    for number in wanted:
        if there.holds(number):
            needed, kept = needed + 1, kept + 1
        elif not (number.free or there.unreadable or _is_small(number, words_up_to)):
            needed += 1
    return needed, kept


def strayed(source: str, target: str, span: tuple[int, int], target_span: tuple[int, int]) -> tuple[int, int]:
    """How many numbers inside a source span survived in the target text, and how many of those inside the target span.

    Where the source or the target has a number more than once it is not known which one is meant, and it is left out.

    Args:
        source: Source text.
        target: Target text.
        span: Half-open range of the source span, in code points.
        target_span: Likewise on the target.
    """
    of_source, of_target = numbers(source), numbers(target)
    survived = inside = 0
    for number in of_source:
        if number.start < span[0] or number.end > span[1]:
            continue
        twins = [n for n in of_source if n.readings & number.readings]
        places = [n for n in of_target if n.readings & number.readings]
        if len(twins) != 1 or len(places) != 1:
            continue
        survived += 1
        inside += target_span[0] <= places[0].start and places[0].end <= target_span[1]
    return survived, inside


def _is_small(number: Number, words_up_to: int) -> bool:
    return number.small is not None and number.small <= words_up_to


class _Available:
    """The numbers that a target text offers."""

    def __init__(self, target: str, *, scaled: bool) -> None:
        found = numbers(target)
        self.readings = {r for n in found for r in n.readings}
        self.parts = {p for n in found for p in n.parts}
        for roman in _ROMAN.findall(target):
            self.readings.add(str(_roman(roman)))
        self.readings.update(str(_han(m.group())) for m in _HAN_SCALED.finditer(ascii_digits(target)))
        self.scaled = scaled or bool(_SCALE.search(target))
        self.significant = {_significant(r) for r in self.readings} if self.scaled else set()
        self.unreadable = bool(_HAN_NUMBER.search(target))

    def holds(self, number: Number) -> bool:
        if number.readings & self.readings or number.readings & self.parts:
            return True
        if self.scaled and any(_significant(r) in self.significant for r in number.readings):
            return True
        if len(number.parts) < 2:
            return False
        # A date or a version: its groups may be apart, and a month may have become a word.
        missing = [p for p in number.parts if p not in self.readings and p not in self.parts]
        return not missing or (len(number.parts) > 2 and all(len(p) < 3 and int(p) <= 12 for p in missing))


def _significant(reading: str) -> str:
    return reading.replace(".", "").strip("0")


def _han(number: str) -> int:
    total = 0.0
    for digits, scales in _HAN_STEP.findall(number):
        value = float(digits.replace(",", "") if digits.count(".") < 2 else digits.replace(".", "").replace(",", ""))
        for scale in scales:
            value *= _HAN_VALUES[scale]
        total += value
    return round(total)


def _roman(numeral: str) -> int:
    values = [_ROMAN_VALUES[c] for c in numeral]
    return sum(-v if v < max(values[i + 1 :], default=0) else v for i, v in enumerate(values))

"""Numbers that are not written in digits alone: Chinese characters, Roman numerals."""

import re

from spanferry.corpora.filters.numbers.digits import ascii_digits

_DIGITS = {c: n for n, c in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2, "兩": 2}
_SMALL = {"十": 10, "百": 100, "千": 1000, "천": 1000}
_LARGE = {**dict.fromkeys("万萬만", 10**4), **dict.fromkeys("億亿억", 10**8), "兆": 10**12}
_HAN = re.compile(r"[〇零一二三四五六七八九十百千万萬億亿两兩兆]{2,}|[二三四五六七八九十]|(?<=百分之)百")
# 37万5,000 and 6億4900万: digits with characters that multiply them.
_SCALED = re.compile(
    r"(?:\d{1,12}(?:[.,]\d{1,9}){0,4}[多余餘]?\s?[十百千万萬億亿兆만억천]{1,3}\s?){1,5}(?:\d{1,9}(?:,\d{3})*)?"
)
_STEP = re.compile(r"(\d+(?:[.,]\d+)*)[多余餘]?\s?([十百千万萬億亿兆만억천]*)")
_ROMAN = re.compile(r"\b[IVXLC]{1,7}\b")
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}


def han_readings(text: str) -> list[tuple[int, int, int]]:
    """Start, end and value of each number in Chinese characters, or in digits that such characters multiply.

    >>> han_readings("约一千二百人"), han_readings("約37万5,000人")
    ([(1, 5, 1200)], [(1, 10, 375000)])
    """
    if text.isascii():
        return []
    found = [(m.start(), m.end(), _scaled(m.group())) for m in _SCALED.finditer(ascii_digits(text))]
    return found + [(m.start(), m.end(), _han(m.group())) for m in _HAN.finditer(text)]


def _han(number: str) -> int:
    if all(c in _DIGITS for c in number):
        return int("".join(str(_DIGITS[c]) for c in number))
    total = section = digit = 0
    for c in number:
        if c in _DIGITS:
            digit = _DIGITS[c]
        elif c in _SMALL:
            section, digit = section + (digit or 1) * _SMALL[c], 0
        else:
            total, section, digit = total + (section + digit or 1) * _LARGE[c], 0, 0
    return total + section + digit


def _scaled(number: str) -> int:
    total = 0.0
    for digits, scales in _STEP.findall(number):
        value = float(digits.replace(",", "") if digits.count(".") < 2 else digits.replace(".", "").replace(",", ""))
        for scale in scales:
            value *= _SMALL.get(scale) or _LARGE[scale]
        total += value
    return round(total)


def roman_readings(text: str) -> list[tuple[int, int, int]]:
    """Start, end and value of each word that can be a Roman numeral; a single letter I or C is not one.

    >>> roman_readings("el siglo XIX")
    [(9, 12, 19)]
    """
    return [(m.start(), m.end(), _roman(m.group())) for m in _ROMAN.finditer(text) if m.group() not in ("I", "C", "L")]


def _roman(numeral: str) -> int:
    values = [_ROMAN_VALUES[c] for c in numeral]
    return sum(-v if v < max(values[i + 1 :], default=0) else v for i, v in enumerate(values))

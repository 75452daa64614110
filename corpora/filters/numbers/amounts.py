"""Amounts: what digits with separators are worth, by the conventions of a language."""

import re

_SEPARATOR = re.compile(r"\D+")
# Languages that write 1,000.5; those that write 1.000,5 or 1 000,5.
_POINT = frozenset(
    [
        "en",
        "zh",
        "ja",
        "ko",
        "th",
        "he",
        "hi",
        "bn",
        "ta",
        "te",
        "ur",
        "ms",
        "tl",
        "sw",
        "my",
        "km",
        "lo",
        "si",
        "ne",
        "am",
        "yo",
        "ig",
        "ha",
        "zu",
        "mt",
        "ga",
        "cy",
    ]
)
_COMMA = frozenset(
    [
        "es",
        "de",
        "fr",
        "pt",
        "it",
        "nl",
        "ru",
        "uk",
        "pl",
        "cs",
        "sk",
        "sl",
        "hr",
        "sr",
        "bs",
        "bg",
        "ro",
        "hu",
        "fi",
        "sv",
        "da",
        "nb",
        "no",
        "nn",
        "et",
        "lv",
        "lt",
        "el",
        "tr",
        "ca",
        "gl",
        "eu",
        "id",
        "vi",
        "is",
        "mk",
        "sq",
        "be",
        "ka",
        "hy",
        "az",
        "kk",
        "uz",
        "af",
    ]
)


def plain(digits: str) -> str:
    """Digits without leading zeros."""
    return digits.lstrip("0") or "0"


def amount_readings(token: str, language: str) -> set[str]:
    """What a number with separators can be in a language; both where the language is unknown.

    >>> amount_readings("1,500", "en"), amount_readings("1,500", "de"), sorted(amount_readings("1,500", ""))
    ({'1500'}, {'1.5'}, ['1.5', '1500'])
    """
    token = token.replace("٬", "’").replace("٫", "·")
    groups, signs = _SEPARATOR.split(token), _SEPARATOR.findall(token)
    if not signs:
        return {plain(token)}
    whole = plain("".join(groups))
    decimals = groups[-1].rstrip("0")
    head = plain("".join(groups[:-1]))
    decimal = f"{head}.{decimals}" if decimals else head
    thousands = all(len(g) in (2, 3) for g in groups[1:]) and len(groups[-1]) == 3 and len(groups[0]) <= 3
    if len(set(signs)) > 1 or signs[-1] == "·":
        return {decimal}
    if not thousands or groups[0].startswith("0"):
        return {decimal}
    if len(signs) > 1 or signs[0] in " \u00a0\u202f'’":
        return {whole}
    if (signs[0] == "," and language in _POINT) or (signs[0] == "." and language in _COMMA):
        return {whole}
    if (signs[0] == "." and language in _POINT) or (signs[0] == "," and language in _COMMA):
        return {decimal}
    return {whole, decimal}


def times_power(reading: str, power: int) -> str:
    """``reading`` times ten to the ``power``."""
    head, _, tail = reading.partition(".")
    moved = tail[:power].ljust(power, "0")
    rest = tail[power:]
    return plain(head + moved) + (f".{rest}" if rest else "")

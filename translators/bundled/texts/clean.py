"""Which sentence pairs are fit for training: one reason per pair that is not."""

from __future__ import annotations

import re
import unicodedata

import regex

_NOT_LETTER = regex.compile(r"[^\p{L}\p{M}\p{N}]+")
_SPACES = re.compile(r"\s+")
_NUMBER = re.compile(r"\d+")
_LETTER = regex.compile(r"\p{L}")
_SCRIPTS = {"zh": regex.compile(r"[\p{Latin}\p{Han}]")}
_LATIN = regex.compile(r"\p{Latin}")
_HAN = regex.compile(r"\p{Han}")
# Bounds of (target length + 6) / (source length + 6), in characters.
_RATIO = {"zh": (0.15, 1.0)}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ENGLISH = _words("the of and to is in that it was for you with are this have be not")
_OWN = {
    "es": _words("de la que el en y a los se del las un por con no una su para es al lo como más"),
    "de": _words("der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als es er ich"),
    "nl": _words("de van een het en in is dat op te zijn met voor niet aan er om ook als ik je"),
    "it": _words("di e il la che in a per un è del non sono le una con i si della"),
    "fr": _words("de la le et les des en un du une que est pour qui dans par il ne pas je vous"),
}
MAX_CHARACTERS = 320


def tidy(text: str) -> str:
    """NFC, one space between words, none at the ends."""
    return _SPACES.sub(" ", unicodedata.normalize("NFC", text)).strip()


def normalised(text: str) -> str:
    """Letters, marks and digits only, case folded: equal for texts that differ in case, spacing or punctuation."""
    result: str = _NOT_LETTER.sub("", unicodedata.normalize("NFKC", text).casefold())
    return result


def keep_pair(source: str, target: str, language: str, *, is_name: bool = False) -> str:
    """The reason not to train on a pair, or "" when it is fit.

    Args:
        source: English side.
        target: Other side.
        language: BCP-47 language of ``target``.
        is_name: The pair is an entry of a name list, where a copy is right and statistics mean nothing.
    """
    if not source or not target:
        return "empty"
    if max(len(source), len(target)) > MAX_CHARACTERS:
        return "too long"
    if is_name:
        return ""
    ratio = (len(target) + 6) / (len(source) + 6)
    low, high = _RATIO.get(language, (0.4, 2.4))
    if not low <= ratio <= high:
        return "length ratio"
    if normalised(source) == normalised(target) and len(source.split()) > 2:
        return "copy"
    for side, script in ((source, _LATIN), (target, _SCRIPTS.get(language, _LATIN))):
        letters = len(_LETTER.findall(side))
        if letters < 0.5 * len(side) or len(script.findall(side)) < 0.95 * letters:
            return "characters"
    if language == "zh" and not _HAN.search(target):
        return "language"
    if sorted(_NUMBER.findall(source)) != sorted(_NUMBER.findall(target)) and (
        abs(len(_NUMBER.findall(source)) - len(_NUMBER.findall(target))) > 1
    ):
        return "numbers"
    if source.endswith("?") != target.endswith(("?", "？")) and len(source) > 40:
        return "question mark"
    if language in _OWN:
        words = target.lower().split()
        if len(words) > 5 and sum(w in _ENGLISH for w in words) > sum(w in _OWN[language] for w in words):
            return "language"
    return ""

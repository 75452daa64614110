"""Tokens to text as people write it, with the place of every token in it.

A translator was trained on written text: ``the Council 's decision ( 5 % )`` is translated worse than the sentence
it came from. The rules decide, gap by gap, whether two tokens were written together; no token is ever changed, so
``text[start:end] == token`` holds for every token and every script.
"""

from collections.abc import Sequence

import regex

from spanferry.corpora.schema import Range
from spanferry.corpora.text.scripts import UNSPACED, UNSPACED_LANGUAGES

_GUILLEMETS_INWARD = frozenset({"de", "da", "sl", "hr", "cs", "sk", "hu"})  # »so« beside «so»
_LOW_OPENING = frozenset({"de", "cs", "sk", "sl", "hr", "bg", "lt", "et", "is", "ka", "sr", "mk", "sq", "lv"})  # „so“
_SAME_QUOTE_BOTH_SIDES = frozenset({"sv", "fi"})  # ”so”
_SPACE_BEFORE_PERCENT = frozenset({"de", "fr", "sv", "da", "nb", "nn", "no", "fi", "cs", "sk", "ru", "uk", "bg", "hu"})
_ELIDING = frozenset({"fr", "it", "ca", "oc", "wa", "lij", "nap", "scn"})
_WRITTEN_APART = frozenset({"po'", "mo'", "be'", "va'", "fa'", "di'", "da'", "sta'", "to'", "ca'"})  # Italian cuts

_CLOSING = regex.compile(r"[\p{Pe}.,;:!?…%‰°º′″،؛؟。、，．；：！？۔।॥։՝፡።·]+|''|[)\]}]+|\.{2,}")
_OPENING = regex.compile(r"[\p{Ps}¿¡#@]+|``")
_CURRENCY = regex.compile(r"(?:[A-Z]{1,3})?\p{Sc}")
_ENGLISH_ENDING = regex.compile(r"(?i:['’](?:s|m|d|re|ve|ll|em)|n['’]t)")
_ENGLISH_BARE_ENDING = regex.compile(r"(?i:s|m|d|re|ve|ll|t)")
_WORD = regex.compile(r"[\p{L}\p{N}\p{M}]")
_SPACED_SCRIPT = regex.compile(rf"[\p{{L}}\p{{N}}--[{UNSPACED}]]", regex.V1)
_FRENCH_SPACED = frozenset({";", ":", "!", "?", "»", "!!", "??", "?!", "!?"})
_QUOTES = frozenset("\"'’‘“”„‚‟«»‹›")


def detokenise(tokens: Sequence[str], lang: str) -> tuple[str, tuple[Range, ...]]:
    """Joins ``tokens`` into written text.

    Punctuation goes to the word it belongs to, quotes open and close by turns, French and Italian elisions and English
    endings (``'s``, ``n't``) are written together, Chinese, Japanese and Thai have no spaces. A hyphen or dash that is
    a token of its own keeps its spaces: most are dashes, and nothing distinguishes the others.

    Args:
        tokens: The tokens; none may be empty.
        lang: BCP-47 tag; an unknown language gets the rules that all share.

    Returns:
        The text and the half-open code-point range of each token in it, (n_tokens,), ascending and disjoint.

    >>> detokenise(["It", "'s", "5", "%", "(", "net", ")", "."], "en")[0]
    "It's 5% (net)."
    """
    language = lang.replace("_", "-").split("-")[0].lower()
    roles = _quote_roles(tokens, language)
    parts: list[str] = []
    ranges: list[Range] = []
    at = 0
    for i, token in enumerate(tokens):
        if i and _spaced(tokens, i, roles, language):
            parts.append(" ")
            at += 1
        parts.append(token)
        ranges.append((at, at + len(token)))
        at += len(token)
    return "".join(parts), tuple(ranges)


def find_tokens(tokens: Sequence[str], text: str) -> tuple[Range, ...] | None:
    """The tokens' ranges in the raw ``text`` they were cut from, or None if they are not all in it, in order.

    Only white space may lie between two tokens and at either end: otherwise the text is not the tokens' text.
    """
    ranges: list[Range] = []
    at = 0
    for token in tokens:
        start = text.find(token, at)
        if start < 0 or text[at:start].strip():
            return None
        at = start + len(token)
        ranges.append((start, at))
    return None if text[at:].strip() else tuple(ranges)


def _spaced(tokens: Sequence[str], i: int, roles: Sequence[str], language: str) -> bool:
    """Whether a space goes between token ``i - 1`` and token ``i``."""
    left, right = tokens[i - 1], tokens[i]
    if language in UNSPACED_LANGUAGES:
        # Words of a spaced script inside such a text keep the space between them.
        return bool(_SPACED_SCRIPT.match(left[-1]) and _SPACED_SCRIPT.match(right[0]))
    if language == "fr" and ((right in _FRENCH_SPACED and not _clock(tokens, i)) or left == "«"):
        return True
    if roles[i - 1] in ("open", "join") or roles[i] in ("close", "join", "left"):
        return False
    together = _opens(left, right, language) or (not roles[i] and _closes(right, language))
    if not roles[i - 1] and not roles[i]:
        together = together or _written_together(left, right, language) or _between_words(tokens, i, language)
    return not together


def _closes(token: str, language: str) -> bool:
    if token[0] in "%‰" and language in _SPACE_BEFORE_PERCENT:
        return False
    return bool(_CLOSING.fullmatch(token))


def _opens(left: str, right: str, language: str) -> bool:
    if _OPENING.fullmatch(left):
        return True
    # Elsewhere the sign follows the number or is set off from it.
    return language in ("en", "zh", "ja", "es", "pt") and bool(_CURRENCY.fullmatch(left)) and right[0].isdigit()


def _written_together(left: str, right: str, language: str) -> bool:
    if language == "en":
        return bool(_ENGLISH_ENDING.fullmatch(right)) and bool(_WORD.match(left[-1]))
    if language in _ELIDING:
        return (
            len(left) > 1
            and left[-1] in "'’"
            and bool(_WORD.match(left[-2]) and _WORD.match(right[0]))
            and left.replace("’", "'").lower() not in _WRITTEN_APART
        )
    return False


def _between_words(tokens: Sequence[str], i: int, language: str) -> bool:
    """Slashes between words, and marks inside numbers and times: ``and/or``, ``10:30``, ``3.5``."""
    left, right = tokens[i - 1], tokens[i]
    if left == "/":
        return i > 1 and bool(_WORD.match(tokens[i - 2][-1]) and _WORD.match(right[0]))
    if right == "/":
        return i + 1 < len(tokens) and bool(_WORD.match(left[-1]) and _WORD.match(tokens[i + 1][0]))
    if left in (":", "."):
        return _clock(tokens, i - 1)
    if language != "en":
        # Elsewhere such a hyphen may open an aside: "la comisión -y no sólo ella- …".
        return False
    return right[0] in "-‐" and len(right) > 1 and bool(_WORD.match(right[1])) and bool(_WORD.match(left[-1]))


def _clock(tokens: Sequence[str], i: int) -> bool:
    """Whether the mark at ``i`` stands between two numbers."""
    return (
        tokens[i] in (":", ".") and 0 < i < len(tokens) - 1 and tokens[i - 1].isdecimal() and tokens[i + 1].isdecimal()
    )


def _quote_roles(tokens: Sequence[str], language: str) -> list[str]:
    """For each token "open", "close", "join" (apostrophe between two words), "left" (ends a word), or ""."""
    roles = [""] * len(tokens)
    still_open: list[str] = []
    singles = [i for i, token in enumerate(tokens) if token in ("'", "’") and not _joins(tokens, i, language)]
    for i, token in enumerate(tokens):
        if token not in _QUOTES:
            continue
        if token in "'’" and _joins(tokens, i, language):
            roles[i] = "join"
            continue
        role = _quote_role(token, still_open, language)
        if role == "open" and token in ("'", "’") and i and tokens[i - 1][-1] in "sS" and language == "en":
            # "the members ' votes": a quote would have its other half further on.
            later = sum(1 for j in singles if j > i)
            role = "left" if later % 2 == 0 else role
        if role == "open":
            still_open.append(token)
        elif role == "close" and still_open:
            still_open.pop()
        roles[i] = role
    return roles


def _quote_role(token: str, still_open: Sequence[str], language: str) -> str:
    if token in "„‚‟":
        return "open"
    if token in "«‹»›":
        inward = language in _GUILLEMETS_INWARD and (bool(still_open and still_open[-1] in "»›") or token in "»›")
        if inward and not (token in "»›" and still_open and still_open[-1] in "«‹"):
            return "open" if token in "»›" else "close"
        return "open" if token in "«‹" else "close"
    if token in "“‘":
        return "close" if still_open and still_open[-1] in "„‚" and language in _LOW_OPENING else "open"
    if token in "”’" and not (token == "”" and language in _SAME_QUOTE_BOTH_SIDES and "”" not in still_open):
        return "close" if still_open or token == "”" else "open"
    return "close" if token in still_open else "open"


def _joins(tokens: Sequence[str], i: int, language: str) -> bool:
    """Whether the apostrophe at ``i`` lies inside a word: ``l ' eau``, ``year ' s``."""
    if not 0 < i < len(tokens) - 1:
        return False
    left, right = tokens[i - 1], tokens[i + 1]
    if language == "en":
        return bool(_WORD.match(left[-1])) and bool(_ENGLISH_BARE_ENDING.fullmatch(right))
    return language in _ELIDING and len(left) <= 5 and bool(_WORD.match(left[-1]) and _WORD.match(right[0]))

"""Whether the numbers of a text survive its translation, whatever the locale writes them like.

``1,000.5`` and ``1.000,5`` are one number, ``3 pm`` is ``15 Uhr``, ``7:45`` is ``7h45``, ``2026-03-14`` is
``14.3.2026`` and ``14 de marzo de 2026``, ``2.4 million`` is ``2.400.000``, ``19th`` may be ``XIX``. A small number
may be a word in the target. Codes, phone numbers, versions, addresses of machines, scores and lists are compared as
sequences: every group, in order.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise

from spanferry.corpora.filters.numbers.names import is_unit, named_digits
from spanferry.corpora.filters.numbers.numerals import han_readings, roman_readings
from spanferry.corpora.filters.numbers.tokens import Number, Token, ascii_digits, has_digits, numbers, tokens
from spanferry.corpora.filters.numbers.words import HALF, NEGATIVE, QUARTER, has_power, has_table, months_of, says

__all__ = ["ascii_digits", "has_digits", "numbers", "strayed", "surviving"]

_ALNUM = re.compile(r"[^0-9A-Za-z]+")
# Months are numbers there.
_MONTHS_IN_DIGITS = frozenset({"zh", "ja", "ko"})
# Between the groups of one phone number, list, date or score, at most.
_GAP = 8


def surviving(
    source: str, target: str, words_up_to: int, source_lang: str = "", target_lang: str = ""
) -> tuple[int, int]:
    """How many numbers of ``source`` had to survive, and how many did.

    Args:
        source: Source text.
        target: Target text.
        words_up_to: An integer up to this may be written as a word in the target and is not counted when it is.
        source_lang: BCP-47; with it, ``1,500`` is read by the conventions of the language; "" reads it both ways.
        target_lang: Likewise of the target; its number words and months are looked for.
    """
    wanted = numbers(source, _primary(source_lang))
    if not wanted:
        return 0, 0
    found = _judge(wanted, _available(target, _primary(target_lang)), words_up_to)
    return sum(f is not None for f in found), sum(f is True for f in found)


def strayed(
    source: str,
    target: str,
    span: tuple[int, int],
    target_span: tuple[int, int],
    words_up_to: int = 20,
    source_lang: str = "",
    target_lang: str = "",
) -> tuple[int, int]:
    """How many numbers lie inside a source span, and how many of them inside the target span, whole.

    A small number that is a word inside the target span is not counted, unless the target has it in digits outside.

    Args:
        source: Source text.
        target: Target text.
        span: Half-open range of the source span, in code points.
        target_span: Likewise on the target.
        words_up_to: See ``surviving``.
        source_lang: See ``surviving``.
        target_lang: See ``surviving``.
    """
    everything = numbers(source, _primary(source_lang))
    wanted = [n for n in everything if span[0] <= n.start and n.end <= span[1]]
    if not wanted:
        # A span may end within a code or a list.
        quote = source[span[0] : span[1]]
        wanted = list(numbers(quote, _primary(source_lang)))
    inside = _available(target[target_span[0] : target_span[1]], _primary(target_lang))
    around = _available(target, _primary(target_lang))
    needed = kept = 0
    for number, judged in zip(wanted, _judge(wanted, inside, words_up_to), strict=True):
        if judged is True:
            needed, kept = needed + 1, kept + 1
        elif judged is False:
            needed += 1
        elif number.value is not None and not inside.words_for(number):
            twins = sum(n.value == number.value for n in everything)
            needed += around.counts.get(number.value, 0) >= twins
    return needed, kept


def _judge(wanted: "list[Number] | tuple[Number, ...]", there: "_Available", words_up_to: int) -> list[bool | None]:
    """Of each number whether it survived; None: it need not, a word may stand for it."""
    found: list[bool | None] = [there.holds(n) for n in wanted]
    renamed = _names(wanted, found, there)
    explained = {v for n in wanted for v in n.explains}
    clock = {time for n in wanted for time in n.times}
    surplus = any(
        not (t.times & clock) if t.kind == "time" and clock else t.plain is not None and not (t.readings & explained)
        for t in there.tokens
    )
    for k, number in enumerate(wanted):
        if not found[k] and k not in renamed and there.may_be_words(number, words_up_to, surplus=surplus):
            found[k] = None
    # In a list either all are words or none is.
    for k, number in enumerate(wanted):
        if found[k] is None and number.list_id is not None:
            others = [found[i] for i, n in enumerate(wanted) if n.list_id == number.list_id and i != k]
            if any(others):
                found[k] = False
    _in_order(wanted, found, there)
    return found


def _names(wanted: "list[Number] | tuple[Number, ...]", found: list[bool | None], there: "_Available") -> set[int]:
    """Decides on the digits of formulas, units and names; returns those whose name has other digits in the target."""
    own: dict[str, set[str]] = {}
    for number in wanted:
        own.setdefault(number.name, set()).add(number.text)
    renamed = set()
    for k, number in enumerate(wanted):
        here = there.named.get(number.name, set()) if number.name else set()
        if number.text in here:
            found[k] = True
        elif here - own[number.name]:
            found[k] = False
            renamed.add(k)
        elif not found[k] and is_unit(number.name, number.text):
            found[k] = None
    return renamed


def _in_order(wanted: "list[Number] | tuple[Number, ...]", found: list[bool | None], there: "_Available") -> None:
    """The numbers of a list or a range come in the same order; where they don't, its last one is lost."""
    groups: dict[int, list[int]] = {}
    for k, number in enumerate(wanted):
        if number.list_id is not None:
            groups.setdefault(number.list_id, []).append(k)
    for members in groups.values():
        if len(members) < 2 or not all(found[k] for k in members):
            continue
        place = 0
        for k in members:
            places = [t.start for t in there.tokens if t.start >= place and t.readings & wanted[k].readings]
            if not places:
                found[k] = False
                break
            place = min(places) + 1


@lru_cache(maxsize=256)
def _available(target: str, language: str) -> "_Available":
    return _Available(target, language)


def _primary(tag: str) -> str:
    return tag.replace("_", "-").split("-")[0].lower()


class _Available:
    """The numbers that a target text offers."""

    def __init__(self, target: str, language: str) -> None:
        self.text = target
        self.language = language
        found = tokens(ascii_digits(target), language)
        self.tokens = (*found, *_as_tokens(target, han_readings), *_as_tokens(target, roman_readings))
        self.readings = {r for t in self.tokens for r in t.readings}
        self.dates = {d for t in self.tokens for d in t.dates}
        self.times = {d for t in self.tokens for d in t.times}
        self.raw = {t.text for t in found}
        self.named = named_digits(ascii_digits(target))
        self.counts: dict[int, int] = {}
        for token in self.tokens:
            if token.plain is not None:
                self.counts[token.plain] = self.counts.get(token.plain, 0) + 1
        self.groups = [(m.group(), m.start(), m.end()) for m in re.finditer(r"\d+", ascii_digits(target))]
        self.alnum = " " + _ALNUM.sub("", ascii_digits(target)).casefold() + " "

    def holds(self, number: Number) -> bool:
        return self._has(number) and self._signed(number)

    def _has(self, number: Number) -> bool:
        if number.kind == "amount" and number.readings == number.plain_readings and number.text in self.raw:
            return True
        match number.kind:
            case "date":
                if number.dates & self.dates or (number.sequence != () and self._sequence(number.sequence)):
                    return True
                # The months of other languages are not known; day and year are.
                known = months_of(self.language) is not None or self.language in _MONTHS_IN_DIGITS
                return not known and any({str(d), str(y)} <= self.readings for y, _, d in number.dates)
            case "time":
                return (
                    bool(number.times & self.times)
                    or self._sequence(number.sequence)
                    or any(minute == 0 and str(hour) in self.readings for hour, minute, *_ in number.times)
                )
            case "code":
                return self._code(number)
            case "sequence":
                return self._sequence(number.sequence) or (number.joins and self._stream("".join(number.sequence)))
        if number.readings & self.readings:
            return True
        if not has_table(self.language) and number.plain_readings & self.readings:
            return True
        return number.joins and self._stream(number.digits)

    def _signed(self, number: Number) -> bool:
        if not number.negative:
            return True
        return NEGATIVE.search(self.text) is not None or re.search(r"[-−–‒﹣－]\s?\d", self.text) is not None

    def _code(self, number: Number) -> bool:
        wanted = _ALNUM.sub("", number.text).casefold()
        place = self.alnum.find(wanted)
        while place >= 0:
            before, after = self.alnum[place - 1], self.alnum[place + len(wanted)]
            if not (wanted[0].isdigit() and before.isdigit()) and not (wanted[-1].isdigit() and after.isdigit()):
                return True
            place = self.alnum.find(wanted, place + 1)
        # Letters of a code may have gone over into the script of the target: F-16 and Ф-16.
        foreign = sum(c.isalpha() and not c.isascii() for c in self.text) > sum(
            c.isascii() and c.isalpha() for c in self.text
        )
        return foreign and self._sequence(number.sequence)

    def _sequence(self, wanted: tuple[str, ...]) -> bool:
        """Whether the groups stand one behind the other, each as it is."""
        for k in range(len(self.groups) - len(wanted) + 1):
            window = self.groups[k : k + len(wanted)]
            near = all(b[1] - a[2] <= _GAP for a, b in pairwise(window))
            if near and all(_same_group(g[0], w, k) for k, (g, w) in enumerate(zip(window, wanted, strict=True))):
                return True
        return False

    def _stream(self, digits: str) -> bool:
        """Whether these digits stand there in any groups: a phone number in the pairs that France writes."""
        for k in range(len(self.groups)):
            joined, end = "", self.groups[k][1]
            for text, start, stop in self.groups[k:]:
                if start - end > 3 or len(joined) > len(digits):
                    break
                joined, end = joined + text, stop
                if joined in (digits, f"00{digits}") or f"00{joined}" == digits:
                    return True
        return False

    def words_for(self, number: Number) -> bool:
        """Whether a word of the target's language stands for the number, as far as those are known."""
        return number.value is not None and says(self.text, number.value, self.language)

    def may_be_words(self, number: Number, words_up_to: int, *, surplus: bool) -> bool:
        """Whether the missing number may rightly be a word."""
        if number.free:
            return not surplus
        if number.kind == "time":
            return not surplus and any(self._clock_words(h, m, words_up_to) for h, m, *_ in number.times)
        if number.kind == "sequence":
            values = [int(group) for group in number.sequence]
            short = len(values) == 2 and max(values) <= words_up_to
            return short and not surplus and all(self._plain_words(v, words_up_to) for v in values)
        if number.kind not in ("plain", "amount") or surplus:
            return False
        if number.half and HALF.search(self.text):
            return True
        if number.value is None or not self._plain_words(number.value, words_up_to):
            return False
        power = len(min(number.readings, default="")) - len(min(number.plain_readings, default=""))
        return power <= 0 or not has_table(self.language) or has_power(self.text, power, self.language)

    def _clock_words(self, hour: int, minute: int, words_up_to: int) -> bool:
        """Whether the time may be there in words: half past eight, *halb neun*, *las ocho menos cuarto*."""
        sign = {0: None, 15: QUARTER, 30: HALF, 45: QUARTER}
        if minute not in sign:
            return False
        pattern = sign[minute]
        hours = (hour, hour + 1) if minute else (hour,)
        names_hour = str(hour) in self.readings or any(self._plain_words(h, words_up_to) for h in hours)
        return names_hour and (pattern is None or pattern.search(self.text) is not None)

    def _plain_words(self, value: int, words_up_to: int) -> bool:
        if says(self.text, value, self.language) and value <= max(words_up_to, 1000):
            return value > 1 or value <= words_up_to
        if has_table(self.language) and value <= 20:
            return False
        return value <= words_up_to


def _same_group(found: str, wanted: str, place: int) -> bool:
    # 2019-20 and 2019–2020; a group keeps its zeros otherwise.
    return found == wanted or (place > 0 and {len(found), len(wanted)} == {2, 4} and found[-2:] == wanted[-2:])


def _as_tokens(text: str, read: Callable[[str], list[tuple[int, int, int]]]) -> list[Token]:
    return [Token(a, b, text[a:b], frozenset({str(value)}), plain=value) for a, b, value in read(text)]

"""Whether the offsets of an input fit its texts: how many edges of spans lie inside words, and what would fit."""

from collections import Counter
from itertools import product

import regex

from spanferry.corpora.schema import Example, Span
from spanferry.corpora.text.offsets import UNITS, Unit, code_points, in_unit

# Letters of scripts with spaces between words; in the others an edge between two letters says nothing.
_LETTER = regex.compile(
    r"[\p{L}\p{N}\p{M}--[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}ー]]", regex.V1
)
_FEWEST = 3  # spans; fewer say nothing about a file
_FEW = 20  # spans; with fewer only a declaration that fits proves something
_SHARE = 0.5  # of the spans; morphemes and parts of compounds are labelled on purpose, but rarely most of a file
_TRIED = 500  # spans for which other units are tried


class Fit:
    """Counts the spans of one input that start or end inside a word, and tries what other declaration would fit.

    Args:
        unit: What the reader takes offsets to count.
        inclusive: Whether it takes ends to be inclusive.
        with_end: Whether the reader has the option ``end``.
    """

    def __init__(self, unit: Unit = "codepoint", inclusive: bool = False, with_end: bool = False) -> None:
        self.unit, self.inclusive = unit, inclusive
        self.spans, self.starts, self.ends, self.either = 0, 0, 0, 0
        self.tried, self.cut = 0, Counter[tuple[Unit, bool, int]]()
        ends = (False, True) if with_end else (inclusive,)
        plain = [(u, e, 0) for u, e in product((unit, *UNITS), ends)]
        self.choices: list[tuple[Unit, bool, int]] = list(
            dict.fromkeys([*plain, (unit, inclusive, -1), (unit, inclusive, 1)])
        )

    def add(self, example: Example) -> None:
        """Counts the spans of ``example``."""
        for span in example.spans:
            text = example.texts[span.field]
            start, end = _inside(text, span.start), _inside(text, span.end)
            self.spans += 1
            self.starts += start
            self.ends += end
            self.either += start or end
        if self.tried < _TRIED and example.spans:
            for field, text in example.texts.items():
                spans = [s for s in example.spans if s.field == field][: _TRIED - self.tried]
                self.tried += len(spans)
                self._try(text, spans)

    def message(self) -> str | None:
        """What is to be said about the input, with a hint that was tried, or None."""
        if self.spans < _FEWEST or self.either < _SHARE * self.spans:
            return None
        place = (
            "start and end"
            if min(self.starts, self.ends) > self.either / 2
            else "end"
            if self.ends >= self.starts
            else "start"
        )
        said = f"{self.either} of {self.spans} spans {place} inside a word"
        now = self.cut[self.unit, self.inclusive, 0]
        best = min(self.choices, key=lambda choice: self.cut[choice])
        if self.cut[best] > now / 4:
            if self.spans < _FEW:
                return None
            return f"{said}\nHint: no declared unit of the offsets fits better; check how the spans were made"
        unit, inclusive, shift = best
        if shift:
            return f"{said}\nHint: the offsets are one too {'high' if shift < 0 else 'low'}; correct them in the file"
        chosen = [f"--set read.options.offsets={unit}"] if unit != self.unit else []
        if inclusive != self.inclusive:
            chosen.append(f"--set read.options.end={'inclusive' if inclusive else 'exclusive'}")
        return f"{said}\nHint: {' '.join(chosen)} (tried: {self.cut[best]} of {self.tried} spans are cut then)"

    def _try(self, text: str, spans: list[Span]) -> None:
        if not spans:
            return
        given = in_unit(text, self.unit)
        for unit, inclusive, shift in self.choices:
            convert = code_points(text, unit)
            for span in spans:
                try:
                    start = convert(given(span.start) + shift)
                    end = convert(given(span.end) - self.inclusive + inclusive + shift)
                except KeyError:
                    self.cut[unit, inclusive, shift] += 1
                    continue
                fits = 0 <= start < end <= len(text) and text[start:end] == text[start:end].strip()
                self.cut[unit, inclusive, shift] += not fits or _inside(text, start) or _inside(text, end)


def _inside(text: str, at: int) -> bool:
    return 0 < at < len(text) and bool(_LETTER.match(text, at - 1) and _LETTER.match(text, at))

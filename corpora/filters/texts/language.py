"""Whether the target is in the target language, judged without what spans cover."""

from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import version
from typing import Any, ClassVar

import polars as pl
import regex
from pydantic import Field

from spanferry.corpora.filters.base import Column, FilterModel, Rule
from spanferry.corpora.filters.text import letters, primary, without_spans
from spanferry.corpora.schema import Pair
from spanferry.corpora.signature import Signature, value_text

_LATIN = regex.compile(r"\p{Latin}+")
# A character of these scripts says as much about the language as three letters do.
_DENSE = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]")
# Words in small Latin letters, not part of a name, an address, a unit or a longer token.
_SMALL = regex.compile(r"(?<![A-Za-z0-9._/@#-]|\d\s)[a-z]{3,}(?![A-Za-z0-9_/@]|[.-][A-Za-z0-9])")
_NAMES = regex.compile(r"[A-Za-z'’ -]*[A-Z][A-Za-z'’ &-]*|[(\"“‘«„「『（](?:[A-Za-z'’ -]+)[)\"”’»“」』）]")
_RUN = 4
# Letters that a line needs to be judged, as a text does by default.
_LINE = 15
# Subtags that lingua knows by another code.
_ALIASES = {
    "arb": "ar",
    "cmn": "zh",
    "deu": "de",
    "eng": "en",
    "fil": "tl",
    "fra": "fr",
    "in": "id",
    "iw": "he",
    "no": "nb",
    "spa": "es",
    "yue": "zh",
}


class Language(FilterModel):
    """Rejects a target that is not in its language.

    Names are the same in every language and fool a detector, so spans are cut out first, and so are code, URLs, tags
    and placeholders. lingua (n-gram models for short text) then gives the probability of the target language against
    the source language and ``others``.

    Long answers hide a line or a word in another language from such a sum, so both are judged too, after the line- and
    word-level pass rates of Marchisio et al. (2024, Understanding and Mitigating Language Confusion in LLMs, section
    3.2). ``language.line`` is the least confidence of a line of at least 15 letters, None where there are fewer than
    two of them: a row fails where their rates count a failure. ``language.words`` counts words that came over from the
    source as they are, in small letters: in a target of another script each, in Latin script only four in a row from
    English. The paper looks words up in an English dictionary, which takes brands and terms for English.

    On Tatoeba in es, de, nl, pt, it and tr no right sentence of twelve letters or more falls below 0.1, and two thirds
    (12 to 20 letters) to 98 % (from 50 letters) of untranslated English ones do.

    Attributes:
        others: Languages that a wrong target may be in, besides the source's.
        min_confidence: Least probability of the target language.
        max_words: Words of the source that may come over untranslated.
        min_letters: A text with fewer letters outside its spans passes. Han, kana and Hangul characters count as three.
    """

    name: ClassVar[str] = "language"
    scoring: ClassVar[tuple[str, ...]] = ("others",)

    others: tuple[str, ...] = ("en", "de", "es", "fr", "pt")
    min_confidence: float = Field(default=0.1, ge=0, le=1)
    min_letters: int = Field(default=15, ge=1)
    max_words: int = Field(default=0, ge=0)

    @property
    def signature(self) -> Signature:
        """With the version of lingua: its models come with it."""
        others = "/".join(map(value_text, self.others))
        return Signature(f"language(others={others},lingua={version('lingua-language-detector')}).v2")

    @property
    def columns(self) -> tuple[Column, ...]:
        """``language.confidence`` and ``.line`` (high is good), ``.words`` (low is), ``.found`` and ``.letters``."""
        return (
            Column("language.confidence", pl.Float64, low=self.min_confidence),
            Column("language.found", pl.String),
            Column("language.letters", pl.Int32),
            Column("language.line", pl.Float64, low=self.min_confidence),
            Column("language.words", pl.Int32, high=self.max_words),
        )

    def score(self, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
        """See the class. None where lingua does not know the target language."""
        columns: dict[str, list[Any]] = {c.name: [] for c in self.columns}
        for pair in pairs:
            for column, value in zip(columns.values(), self._row(pair), strict=True):
                column.append(value)
        return columns

    def _row(self, pair: Pair) -> tuple[float | None, str | None, int | None, float | None, int | None]:
        wanted = _code(pair.target.lang) if pair.target else None
        codes = self._codes(pair.source.lang, wanted) if wanted else ()
        if pair.target is None or wanted is None or len(codes) < 2:
            return None, None, None, None, None
        whole = without_spans(pair.target)
        words = carried_words(without_spans(pair.source), whole, english=_code(pair.source.lang) == "en")
        if wanted == _code(pair.source.lang):
            words = 0
        text = _own_script(whole)
        count = letters(text)
        if not count:
            return None, None, None, None, words
        found = _judged(text, codes)
        # Equal values come in no fixed order.
        best = min(found, key=lambda code: (-found[code], code))
        return found[wanted], best, _weight(text), _worst_line(whole, wanted, codes), words

    def reject(self) -> list[Rule]:
        """``language:<the language that was found>``, ``language:line`` and ``language:word``."""
        enough = pl.col("language.letters") >= self.min_letters
        doubtful = pl.col("language.confidence") < self.min_confidence
        # Of a text that is wrong as a whole its lines and words say nothing more.
        wrong = (enough & doubtful).fill_null(False)
        line = (pl.col("language.line") < self.min_confidence).fill_null(False)
        return [
            ("language", pl.when(enough & doubtful).then(pl.concat_list("language.found"))),
            ("language:line", ~wrong & line),
            ("language:word", ~wrong & ~line & (pl.col("language.words") > self.max_words)),
        ]

    def _codes(self, source: str, target: str) -> tuple[str, ...]:
        codes = {target, _code(source), *map(_code, self.others)}
        return tuple(sorted(c for c in codes if c))


def carried_words(source: str, target: str, *, english: bool) -> int:
    """How many words in small Latin letters the target has from its source, untranslated.

    Args:
        source: Source text without spans, code and URLs.
        target: Target text likewise.
        english: Whether the source is English, of which four words in a row count in Latin script too.

    >>> carried_words("a new computer came", "新的 computer 来了", english=True)
    1
    """
    if english and 2 * len("".join(_LATIN.findall(target))) > letters(target):
        own = set(_runs(source))
        return _RUN * len(own & set(_runs(target)))
    if not letters(target) or 2 * len("".join(_LATIN.findall(target))) > letters(target):
        return 0
    # Small words between capitals or in quotes are of a name: Save the Children.
    own = _NAMES.sub(" ", target)
    return len(set(_SMALL.findall(source)) & set(_SMALL.findall(own)))


def _runs(text: str) -> list[tuple[str, ...]]:
    """Every stretch of words in small letters, ``_RUN`` at a time."""
    words = [w if w.islower() and w.isalpha() else "" for w in text.split()]
    windows = zip(*(words[k:] for k in range(_RUN)), strict=False)
    return [window for window in windows if all(window)]


def _judged(text: str, codes: tuple[str, ...]) -> dict[str, float]:
    """Probability of each language."""
    # lingua sums in no fixed order: the last of sixteen digits changes from call to call.
    values = detector_of(codes).compute_language_confidence_values(text)
    return {v.language.iso_code_639_1.name.lower(): round(float(v.value), 4) for v in values}


def _worst_line(text: str, wanted: str, codes: tuple[str, ...]) -> float | None:
    lines = [line for line in map(_own_script, text.splitlines()) if _weight(line) >= _LINE]
    return min(_judged(line, codes)[wanted] for line in lines) if len(lines) > 1 else None


def _weight(text: str) -> int:
    """Letters, a Han, kana or Hangul character counted as three."""
    return letters(text) + 2 * len(_DENSE.findall(text))


def _own_script(text: str) -> str:
    """``text`` without its Latin letters where a third or more are others: names and brands in Japanese or Russian."""
    if text.isascii():
        return text
    rest = _LATIN.sub(" ", text)
    return rest if 3 * letters(rest) >= letters(text) else text


@lru_cache(maxsize=512)
def _code(tag: str) -> str | None:
    """lingua's two-letter code of a BCP-47 tag, or None where it does not know the language."""
    from lingua import IsoCode639_1

    subtag = primary(tag)
    subtag = _ALIASES.get(subtag, subtag)
    return subtag if len(subtag) == 2 and hasattr(IsoCode639_1, subtag.upper()) else None


@lru_cache(maxsize=32)
def detector_of(codes: tuple[str, ...]) -> Any:
    """The detector among ``codes``; models are read when they are first needed, about 10 MB a language."""
    from lingua import IsoCode639_1, LanguageDetectorBuilder

    return LanguageDetectorBuilder.from_iso_codes_639_1(*(getattr(IsoCode639_1, c.upper()) for c in codes)).build()

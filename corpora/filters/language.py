"""Whether the target is in the target language, judged without what spans cover."""

from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import version
from typing import Any, ClassVar

import polars as pl
import regex
from pydantic import Field

from corpora.filters.base import Column, FilterModel, Rule
from corpora.filters.text import letters, primary, without_spans
from corpora.schema import Pair

_LATIN = regex.compile(r"\p{Latin}+")
# A character of these scripts says as much about the language as three letters do.
_DENSE = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]")
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

    On Tatoeba in es, de, nl, pt, it and tr no right sentence of twelve letters or more falls below 0.1, and two thirds
    (12 to 20 letters) to 98 % (from 50 letters) of untranslated English ones do.

    Attributes:
        others: Languages that a wrong target may be in, besides the source's.
        min_confidence: Least probability of the target language.
        min_letters: With fewer letters left nothing is decided. A Han, kana or Hangul character counts as three.
    """

    name: ClassVar[str] = "language"
    scoring: ClassVar[tuple[str, ...]] = ("others",)

    others: tuple[str, ...] = ("en", "de", "es", "fr", "pt")
    min_confidence: float = Field(default=0.1, ge=0, le=1)
    min_letters: int = Field(default=15, ge=1)

    @property
    def signature(self) -> str:
        """With the version of lingua: its models come with it."""
        return f"language(others={'/'.join(self.others)},lingua={version('lingua-language-detector')})"

    @property
    def columns(self) -> tuple[Column, ...]:
        """``language.confidence`` (high is good), ``language.found`` and ``language.letters``."""
        return (
            Column("language.confidence", pl.Float64, low=self.min_confidence),
            Column("language.found", pl.String),
            Column("language.letters", pl.Int32),
        )

    def score(self, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
        """See the class. None where lingua does not know the target language."""
        confidence: list[float | None] = []
        found: list[str | None] = []
        amount: list[int | None] = []
        for pair in pairs:
            wanted = _code(pair.target.lang) if pair.target else None
            codes = self._codes(pair.source.lang, wanted) if wanted else ()
            text = _own_script(without_spans(pair.target)) if pair.target and len(codes) > 1 else ""
            count = letters(text)
            if not count:
                for column in (confidence, found, amount):
                    column.append(None)
                continue
            values = detector_of(codes).compute_language_confidence_values(text)
            # lingua sums in no fixed order: the last of sixteen digits changes from call to call.
            by_code = {v.language.iso_code_639_1.name.lower(): round(float(v.value), 4) for v in values}
            confidence.append(by_code[str(wanted)])
            # Equal values come in no fixed order.
            found.append(min(by_code, key=lambda code: (-by_code[code], code)))
            amount.append(count + 2 * len(_DENSE.findall(text)))
        return {"language.confidence": confidence, "language.found": found, "language.letters": amount}

    def reject(self) -> list[Rule]:
        """``language:<the language that was found>``."""
        enough = pl.col("language.letters") >= self.min_letters
        doubtful = pl.col("language.confidence") < self.min_confidence
        return [("language", pl.when(enough & doubtful).then(pl.concat_list("language.found")))]

    def _codes(self, source: str, target: str) -> tuple[str, ...]:
        codes = {target, _code(source), *map(_code, self.others)}
        return tuple(sorted(c for c in codes if c))


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

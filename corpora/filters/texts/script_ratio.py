"""Targets in the wrong alphabet."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, ClassVar

import polars as pl
import regex
from pydantic import Field

from spanferry.corpora.filters.base import Column, FilterModel, Rule
from spanferry.corpora.filters.text import letters, primary, without_spans
from spanferry.corpora.schema import Pair

_SCRIPTS = {
    "Arabic": "ar arz fa ps sd ug ur ckb arb",
    "Armenian": "hy",
    "Bengali": "bn as",
    "Cyrillic": "ru uk be bg mk kk ky mn tg tt ba cv",
    "Devanagari": "hi mr ne sa mai bho",
    "Ethiopic": "am ti",
    "Georgian": "ka",
    "Greek": "el",
    "Gujarati": "gu",
    "Gurmukhi": "pa",
    "Hangul": "ko",
    "Han": "zh cmn yue wuu lzh",
    "Hebrew": "he iw yi",
    "Kannada": "kn",
    "Khmer": "km",
    "Lao": "lo",
    "Malayalam": "ml",
    "Myanmar": "my",
    "Oriya": "or",
    "Sinhala": "si",
    "Tamil": "ta",
    "Telugu": "te",
    "Thai": "th",
    "Tibetan": "bo dz",
}
_BY_LANGUAGE = {lang: script for script, langs in _SCRIPTS.items() for lang in langs.split()}
# Four-letter subtags of BCP-47.
_BY_SUBTAG = {"arab": "Arabic", "cyrl": "Cyrillic", "deva": "Devanagari", "grek": "Greek", "hans": "Han", "hant": "Han",
              "hebr": "Hebrew", "latn": "Latin", "thai": "Thai"}  # fmt: skip
_LATIN = "af ca cs cy da de en es et eu fi fr ga gl hr hu id is it la lt lv ms mt nb nl nn no pl pt ro sk sl sq sv sw"
_LATIN += " tl tr uz vi zu az bs eo ha ig xh yo"


class ScriptRatio(FilterModel):
    """Rejects a target of which too few letters are of its language's script.

    ``script_ratio.share`` is the share of the letters outside spans, code and URLs that are of the script; None where
    the language has several scripts or an unknown one, and no script subtag (``sr-Cyrl``). OpusFilter's
    ``CharacterScoreFilter`` counts all letters, names too, with a threshold of 1.

    Attributes:
        min_share: Least share of letters in the language's script.
        min_letters: A text with fewer letters passes.
    """

    name: ClassVar[str] = "script_ratio"

    min_share: float = Field(default=0.5, ge=0, le=1)
    min_letters: int = Field(default=6, ge=1)

    @property
    def columns(self) -> tuple[Column, ...]:
        """``script_ratio.share`` (high is good) and ``script_ratio.letters``."""
        return (Column("script_ratio.share", pl.Float64, low=self.min_share), Column("script_ratio.letters", pl.Int32))

    def score(self, pairs: Sequence[Pair]) -> dict[str, list[Any]]:
        """See the class."""
        shares: list[float | None] = []
        counts: list[int | None] = []
        for pair in pairs:
            pattern = script_of(pair.target.lang) if pair.target else None
            text = without_spans(pair.target) if pair.target and pattern else ""
            count = letters(text)
            found = sum(map(str.isalpha, "".join(pattern.findall(text)))) if pattern else 0
            shares.append(found / count if count else None)
            counts.append(count if count else None)
        return {"script_ratio.share": shares, "script_ratio.letters": counts}

    def reject(self) -> list[Rule]:
        """``script_ratio:low``."""
        few = pl.col("script_ratio.share") < self.min_share
        return [("script_ratio:low", few & (pl.col("script_ratio.letters") >= self.min_letters))]


@lru_cache(maxsize=256)
def script_of(tag: str) -> "regex.Pattern[str] | None":
    """Finds letters of a language's script; None where it is not known.

    >>> script_of("ru").findall("Да, yes"), script_of("sr"), script_of("sr-Latn").findall("da Да")
    (['Да'], None, ['da'])
    """
    parts = tag.replace("_", "-").lower().split("-")
    script = next((_BY_SUBTAG[part] for part in parts[1:] if part in _BY_SUBTAG), None)
    language = primary(tag)
    if script is None and language == "ja":
        return regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}ー]+")
    script = script or _BY_LANGUAGE.get(language) or ("Latin" if language in _LATIN.split() else None)
    return regex.compile(rf"\p{{{script}}}+") if script else None

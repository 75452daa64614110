"""Counterparts by the class of a word: transliterated, translated, or left as it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from spanferry.corpora.errors import ConfigError, InputError
from spanferry.corpora.files import cached_while_unchanged, content_hash
from spanferry.corpora.signature import Signature
from spanferry.corpora.switching.batches.base import REASON, Candidates, Units
from spanferry.corpora.switching.batches.batch import SwitchBatch
from spanferry.corpora.switching.counterparts.alignment import AlignmentCounterparts
from spanferry.corpora.switching.counterparts.entries import Weighted, chosen_entries, unit_strings

# Maltese letters in Arabic script, one for one where there is one; short vowels inside a word are not written.
_MALTESE = """
għ ع|ie ا|ħ ح|ġ ج|ċ تش|ż ز|b ب|d د|f ف|g ڨ|h ه|j ي|k ك|l ل|m م|n ن|p پ|q ق|r ر|s س|t ت|v ڤ|w و|x ش|z تس|
à ا|è ا|ì ي|ò و|ù و|a ا|e |i ي|o و|u و
"""
_SCHEMES: Mapping[str, Mapping[str, str]] = {
    "mt-Arab": {
        parts[0]: parts[1] if len(parts) > 1 else ""
        for entry in _MALTESE.replace("\n", "").split("|")
        if (parts := entry.split(" ")) and parts[0]
    }
}


@dataclass(frozen=True)
class TransliterationCounterparts:
    """Words of some classes in another script, words of other classes translated, the rest as they are.

    After the Maltese systems (Micallef et al., EACL 2024), which write words of Arabic origin in Arabic script and pass
    on or translate the others. ``classes`` is a TSV file, ``word<TAB>class``; a word that is not in it has the class
    ``other``. Letters go over by a table, longest match first. The unit must be ``word``.

    Attributes:
        scheme: ``mt-Arab``, or a TSV file, ``letters<TAB>letters``.
        classes: A file of words and their classes; empty: every word is ``other``.
        transliterate: Classes of words that are transliterated.
        translate: Classes of words that are replaced by what they are linked to.
        script: Language tag of transliterated words.
    """

    name: ClassVar[str] = "transliteration"

    scheme: str = "mt-Arab"
    classes: str = ""
    transliterate: tuple[str, ...] = ("arabic",)
    translate: tuple[str, ...] = ()
    script: str = "mt-Arab"

    def __post_init__(self) -> None:
        if self.scheme not in _SCHEMES and not Path(self.scheme).is_file():
            raise ConfigError(
                f"unknown transliteration {self.scheme!r}",
                valid=[*_SCHEMES, "a TSV file"],
                hint="--set counterpart.scheme=FILE.tsv",
            )
        if self.classes and not Path(self.classes).is_file():
            raise InputError(
                "no such file of word classes", where=self.classes, hint="--set counterpart.classes=FILE.tsv"
            )

    @property
    def signature(self) -> Signature:
        """What the files hold."""
        files = [Path(p) for p in (self.scheme, self.classes) if p and p not in _SCHEMES]
        return Signature(content_hash(files) if files else "")

    def languages(self, given: tuple[str, ...]) -> tuple[str, ...]:
        """See ``CounterpartFinder.languages``: the script, and those that words are translated into."""
        return (*(lang for lang in given if lang != self.script), self.script)

    def find(self, batch: SwitchBatch, units: Units, *, grows: bool, keys: np.ndarray) -> tuple[Candidates, np.ndarray]:
        """See ``CounterpartFinder.find``."""
        coded = unit_strings(batch, units)
        names, numbers = coded.dictionary.to_pylist(), coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        known = read_pairs(self.classes) if self.classes else {}
        kinds = [known.get(name) or known.get(name.lower()) or "other" for name in names]
        written = read_scheme(self.scheme)

        def lookup(name: str) -> Weighted:
            found = transliterated(name, written)
            return ((found, 1.0),) if found and found != name else ()

        one = np.isin(np.array(kinds, dtype=object), self.transliterate)[numbers] if names else np.zeros(0, bool)
        which = np.flatnonzero(one)
        code = batch.languages.index(self.script) + 1
        parts = [chosen_entries(batch, which, code, names, numbers[which], lookup, keys[which])]
        other = (
            np.flatnonzero(np.isin(np.array(kinds, dtype=object), self.translate)[numbers] & ~one) if names else which
        )
        if len(other):
            linked, _ = AlignmentCounterparts().find(batch, units.take(other), grows=grows, keys=keys[other])
            parts.append(linked.moved(other[linked.unit]))
        found = Candidates.join(parts)
        reasons = np.full(len(units), REASON["no_counterpart"], np.int64)
        reasons[found.unit] = 0
        return found, reasons


def transliterated(word: str, scheme: Mapping[str, str]) -> str:
    """The word letter by letter, longest match first; letters that the scheme lacks stay. Case is not kept.

    >>> transliterated("xemx", {"x": "ش", "e": "", "m": "م"})
    'شمش'
    """
    out, at, text = [], 0, word.lower()
    longest = max(map(len, scheme), default=1)
    while at < len(text):
        for size in range(min(longest, len(text) - at), 0, -1):
            if text[at : at + size] in scheme:
                out.append(scheme[text[at : at + size]])
                break
        else:
            size = 1
            out.append(text[at])
        at += size
    return "".join(out)


def read_scheme(name: str) -> Mapping[str, str]:
    """The letters of a named scheme or of a file."""
    return _SCHEMES[name] if name in _SCHEMES else read_pairs(name)


@cached_while_unchanged(8)
def read_pairs(path: str) -> Mapping[str, str]:
    """First column to second column of a TSV file.

    Raises:
        InputError: A line that has not two columns.
    """
    found = {}
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        if line.strip():
            parts = line.split("\t")
            if len(parts) != 2 or not parts[0]:
                raise InputError(f"{line!r} has not two columns", where=f"{path}:{number}", valid="one<TAB>other")
            found[parts[0]] = parts[1].strip()
    return found

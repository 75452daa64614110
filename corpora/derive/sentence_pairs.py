"""Sentence pairs translated in different ways, to see what the way of translating does to a model."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar, Literal

import pyarrow as pa

from spanferry.corpora.derive.base import refused
from spanferry.corpora.errors import ConfigError
from spanferry.corpora.multiway import Direction, MultiRow
from spanferry.corpora.schema import Translation
from spanferry.corpora.stored.records import Record

Way = Literal["independent", "joint", "round_trip"]
WAYS: tuple[Way, ...] = ("independent", "joint", "round_trip")
_BATCH = 256


@dataclass(frozen=True)
class SentencePairs:
    """Premise and hypothesis translated independently, jointly, or there and back; the way is a column.

    Independently: two texts, two translations. Jointly: one text with a separator in it, so that the model chooses the
    same words for both; where the separator does not come back exactly once, or leaves nothing beside it, the record
    is rejected. Round trip: translated independently into ``into`` and back, so it stays in the source language.

    Attributes:
        into: The language to translate into, or through.
        ways: The ways of translating that are used.
        source: The language to translate from; empty: the row's first.
        premise: The first text field.
        hypothesis: The second text field.
        separator: What stands between the two in the joint way.
        translators: (source, target) language to a translator; the flow gives it.
    """

    name: ClassVar[str] = "sentence-pairs"
    paper: ClassVar[str] = "Translation Artifacts in Cross-lingual Transfer Learning (Artetxe et al. 2020, EMNLP)"
    differs: ClassVar[str] = "the joint way passes both sentences as one text with a separator; the model is yours"
    task: ClassVar[str] = "text-classification"
    local: ClassVar[bool] = True
    needs: ClassVar[frozenset[str]] = frozenset()
    min_languages: ClassVar[int] = 1

    into: str = ""
    ways: tuple[Way, ...] = WAYS
    source: str = ""
    premise: str = "premise"
    hypothesis: str = "hypothesis"
    separator: str = " | "
    translators: Callable[[str, str], Any] | None = None

    def __post_init__(self) -> None:
        if not self.into:
            raise ConfigError("sentence-pairs needs a language to translate into", hint="--set options.into=es")
        if not self.separator.strip():
            raise ConfigError("the separator can't be white space", hint='--set options.separator=" | "')

    def translations(self, languages: Sequence[str]) -> list[Direction]:
        """See ``TranslatingDerivation.translations``."""
        source = self.source or languages[0]
        return [(source, self.into), *([(self.into, source)] if "round_trip" in self.ways else [])]

    @property
    def schema(self) -> pa.Schema:
        """See ``Derivation.schema``. ``through`` is the language between, for a round trip."""
        names = ("id", "premise", "hypothesis", "label", "lang", "way", "through")
        return pa.schema([(name, pa.string()) for name in names])

    def derive(self, rows: Iterable[MultiRow]) -> Iterator[Record]:
        """See ``Derivation.derive``.

        Reasons: ``sentence_pairs:no_field``, ``sentence_pairs:separator``, ``translate:<reason>`` of the translator.
        """
        stream = iter(rows)
        while batch := list(islice(stream, _BATCH)):
            found = {way: self._way(way, batch) for way in self.ways}
            for i, row in enumerate(batch):
                for way in self.ways:
                    yield (
                        found[way][i] if self._fields(row) else refused(row, "sentence_pairs:no_field", part=f"_{way}")
                    )

    def _way(self, way: Way, rows: Sequence[MultiRow]) -> list[Record]:
        sources = [self.source or row.languages[0] for row in rows]
        texts = [self._fields(row) or ("", "") for row in rows]
        joined = [(self.separator.join(pair),) if way == "joint" else pair for pair in texts]
        items = [(text, lang, self.into) for pair, lang in zip(joined, sources, strict=True) for text in pair]
        found = self._translate(items)
        if way == "round_trip":
            back = self._translate([(t.text, into, lang) for t, (_, lang, into) in zip(found, items, strict=True)])
            found = [a if a.reason or a.truncated else b for a, b in zip(found, back, strict=True)]
        left = iter(found)
        return [
            self._record(row, way, lang, [next(left) for _ in pair])
            for row, lang, pair in zip(rows, sources, joined, strict=True)
        ]

    def _record(self, row: MultiRow, way: Way, source: str, found: Sequence[Translation]) -> Record:
        lang = source if way == "round_trip" else self.into
        part = f"_{way}-{self.into}"
        failed = next((t.reason or "truncated" for t in found if t.reason or t.truncated), None)
        if failed or any(not t.text.strip() for t in found):
            return refused(row, f"translate:{failed or 'empty_output'}", part=part)
        texts = [t.text for t in found]
        if way == "joint":
            mark = self.separator.strip()
            texts = [piece.strip() for piece in texts[0].split(mark)]
            if len(texts) != 2 or not all(texts):
                return refused(row, "sentence_pairs:separator", part=part, translation=found[0].text)
            # After the separator the model thinks itself inside a sentence.
            originals = self._fields(row) or ("", "")
            texts = [t[0].upper() + t[1:] if o[0].isupper() else t for t, o in zip(texts, originals, strict=True)]
        values = {
            "premise": texts[0],
            "hypothesis": texts[1],
            "label": None if (label := next(iter(row.examples.values())).label) is None else str(label),
            "lang": lang,
            "way": way,
            "through": self.into if way == "round_trip" else None,
        }
        return Record(f"{row.id}{part}", values, row.split)

    def _translate(self, items: Sequence[tuple[str, str, str]]) -> list[Translation]:
        """One translation per (text, source, target), each distinct one once."""
        if self.translators is None:
            raise ConfigError("sentence-pairs needs a translator", hint="--translator MODEL")
        wanted: dict[tuple[str, str], dict[str, None]] = {}
        for text, source, target in items:
            if text.strip():
                wanted.setdefault((source, target), {})[text] = None
        known: dict[tuple[str, str, str], Translation] = {}
        for (source, target), texts in wanted.items():
            translations = self.translators(source, target).translate(list(texts), source, target)
            known |= {(text, source, target): t for text, t in zip(texts, translations, strict=True)}
        return [known.get(item, Translation("")) for item in items]

    def _fields(self, row: MultiRow) -> tuple[str, str] | None:
        example = row.examples.get(self.source or row.languages[0])
        texts = example.texts if example else {}
        if not texts.get(self.premise, "").strip() or not texts.get(self.hypothesis, "").strip():
            return None
        return texts[self.premise], texts[self.hypothesis]

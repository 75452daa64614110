"""The matrix language frame: content words may be replaced, the words that hold the sentence together may not."""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from spanferry.corpora.errors import ConfigError, MissingExtraError
from spanferry.corpora.switching.batches.arrays import fields, lists
from spanferry.corpora.switching.batches.base import Candidates, Units
from spanferry.corpora.switching.batches.batch import SwitchBatch
from spanferry.corpora.switching.constraints.equivalence import EquivalenceConstraint

_CONTENT = frozenset({"NOUN", "PROPN", "ADJ", "ADV", "NUM", "INTJ", "X", "SYM", "CD", "FW", "RP", "UH", "VBN", "VBG"})
_CONTENT_BEGINS = ("NN", "JJ", "RB")
_FINITE = frozenset({"AUX", "VERB", "MD", "VB", "VBD", "VBP", "VBZ"})


@dataclass(frozen=True)
class MatrixConstraint:
    """Content words and phrases may be replaced; determiners, auxiliaries, prepositions, finite verbs never alone.

    The matrix language frame (Myers-Scotton, 1993) by tags, without a tree: a unit may be switched iff a noun,
    adjective, adverb, number, interjection, foreign word or participle is in it, and no finite verb or auxiliary. Tags
    are universal ones or those of the Penn treebank. A row without tags gets the equivalence constraint instead, which
    is in the report.

    Attributes:
        tags: ``meta:KEY``: a list of tags, one per word, in the row's ``meta``; ``spacy:PIPELINE``: a pipeline of
            spaCy, by name or directory; empty: no tags.
    """

    name: ClassVar[str] = "matrix"

    tags: str = "meta:pos"

    def __post_init__(self) -> None:
        kind, _, what = self.tags.partition(":")
        if self.tags and (kind not in ("meta", "spacy") or not what):
            raise ConfigError(
                f"can't take tags from {self.tags!r}",
                valid="meta:KEY, spacy:PIPELINE, or empty",
                hint="--set constraint.tags=meta:pos",
            )
        if kind == "spacy":
            _pipeline(what)

    def allowed(self, batch: SwitchBatch, units: Units, candidates: Candidates) -> np.ndarray:
        """See ``Constraint.allowed``."""
        content, finite, tagged = self.marks(batch)
        with_content, with_finite = (np.r_[0, np.cumsum(marks)] for marks in (content, finite))
        first, last = units.first[candidates.unit], units.last[candidates.unit]
        by_tag: np.ndarray = (with_content[last] > with_content[first]) & (with_finite[last] == with_finite[first])
        known = tagged[units.item[candidates.unit]]
        if known.all():
            return by_tag
        return np.where(known, by_tag, EquivalenceConstraint().allowed(batch, units, candidates))

    def marks(self, batch: SwitchBatch) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Content words and finite verbs of the matrix language, (n_words,), and items that have tags, (n_items,)."""
        content, finite = np.zeros(batch.n_words, bool), np.zeros(batch.n_words, bool)
        tagged = np.zeros(len(batch.item_row), bool)
        kind, _, what = self.tags.partition(":")
        if not self.tags:
            return content, finite, tagged
        found = _from_meta(batch, what) if kind == "meta" else _from_spacy(batch, what)
        for item, tags in enumerate(found):
            begin, end = batch.item_words[item], batch.item_words[item + 1]
            if tags is None or len(tags) != end - begin:
                continue
            tagged[item] = True
            content[begin:end] = [tag in _CONTENT or tag.startswith(_CONTENT_BEGINS) for tag in tags]
            finite[begin:end] = [tag in _FINITE for tag in tags]
        return content, finite, tagged


def _from_meta(batch: SwitchBatch, key: str) -> list[list[str] | None]:
    metas = fields(lists(batch.table.column("examples"))[1])["meta"]
    found: list[list[str] | None] = []
    for item, meta in enumerate(metas.take(pa.array(batch.cell[batch.item_row])).to_pylist()):
        tags: Any = json.loads(meta or "{}").get(key)
        if isinstance(tags, dict):
            tags = tags.get(batch.field_names[batch.item_field[item]])
        found.append([str(tag).upper() for tag in tags] if isinstance(tags, list) else None)
    return found


def _from_spacy(batch: SwitchBatch, name: str) -> list[list[str] | None]:
    from spacy.tokens import Doc

    nlp = _pipeline(name)
    strings = batch.word_strings().to_pylist()
    docs = []
    for begin, end in zip(batch.item_words[:-1], batch.item_words[1:], strict=True):
        spaces = [bool(batch.words.start[w + 1] > batch.words.end[w]) for w in range(begin, end - 1)] + [False]
        docs.append(Doc(nlp.vocab, words=strings[begin:end], spaces=spaces[: end - begin]))
    return [[_tag(token) for token in nlp(doc)] for doc in docs]


def _tag(token: Any) -> str:
    if token.tag_ in ("VBN", "VBG") or token.morph.get("VerbForm") == ["Part"]:
        return "VBN"
    return str(token.pos_)


@lru_cache(maxsize=2)
def _pipeline(name: str) -> Any:
    import spacy

    try:
        return spacy.load(name)
    except OSError as error:
        raise MissingExtraError(
            f"no spaCy pipeline {name!r}", hint=f"python -m spacy download {name}, or --set constraint.tags=meta:pos"
        ) from error

"""CoNLL: a token and its tag on each line.

As it stands, ``OUT/<split>.iob`` and ``OUT/rejected.iob`` are what other tools take without any option:
``spacy convert OUT/train.iob .`` knows them by their suffix. With ``comments``, ``OUT/<split>.conll`` holds in comments
what the columns can't: ``id``, ``text`` (the raw text, so that the reader gets every offset back), ``label``, ``meta``
and ``scores``. A row without translation is written as its source, with its language in ``lang``.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from spanferry.corpora.schema import Pair
from spanferry.corpora.stored.base import WriteReport, lost_attributes, refuse_loss, subject
from spanferry.corpora.stored.flat import tagged_tokens
from spanferry.corpora.text.tags import Scheme
from spanferry.corpora.writers.lines import write_lines


@dataclass(frozen=True)
class ConllWriter:
    """Writes tagged tokens: those the example has, else words, cut where a span starts or ends inside one.

    Attributes:
        scheme: ``iob2``, ``iob1`` or ``bioes``.
        comments: Whether to write the comments, which only our reader and that of CoNLL-U know; without them the text
            between tokens is lost.
        allow_loss: Leaves out what tags can't hold (overlapping and discontinuous spans, relations, further fields),
            and counts it, instead of stopping.
    """

    name: ClassVar[str] = "conll"
    holds: ClassVar[frozenset[str]] = frozenset({"scores"})

    scheme: Scheme = "iob2"
    comments: bool = False
    allow_loss: bool = False

    def write(self, batches: Iterable[list[Pair]], out: Path) -> WriteReport:
        """See ``Writer.write``."""
        return write_lines(batches, out, ".conll" if self.comments else ".iob", self._lines)

    def _lines(self, pair: Pair, lost: Counter[str]) -> Iterator[str]:
        example = subject(pair)
        tokens, tags, missing = tagged_tokens(example, self.scheme)
        missing["label_space"] = sum(len(span.label.split()) != 1 for span in example.spans)
        missing = +missing
        # A rejected row is there to be looked at; it must not stop the writing.
        if not self.allow_loss and pair.kept:
            refuse_loss(missing, example.id, self.name, self.name)
        lost.update(missing + lost_attributes(example.spans))
        if self.comments:
            yield _comment("id", example.id)
            if pair.target is None:
                yield _comment("lang", example.lang)
            yield _comment("text", example.text)
            if example.label is not None:
                yield _comment("label", str(example.label))
            if example.meta:
                yield f"# meta_json = {json.dumps(dict(example.meta))}"
            if pair.scores:
                yield f"# scores_json = {json.dumps(dict(pair.scores))}"
            if pair.reasons:
                yield f"# reasons_json = {json.dumps(list(pair.reasons))}"
        for (start, end), tag in zip(tokens, tags, strict=True):
            yield f"{example.text[start:end]}\t{'_'.join(tag.split())}"
        yield ""


def _comment(key: str, value: str) -> str:
    """The comment as it is, or as JSON where the line could not be read back."""
    if value == value.strip() and not any(c in "\t\n\r" for c in value):
        return f"# {key} = {value}"
    return f"# {key}_json = {json.dumps(value)}"

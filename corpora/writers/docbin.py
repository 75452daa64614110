"""spaCy's ``DocBin``: ``<split>.spacy``, as ``spacy train`` takes it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from spanferry.corpora.files import publish, work_folder
from spanferry.corpora.schema import Example, Pair, Span
from spanferry.corpora.stored.base import (
    REJECTED,
    WriteReport,
    group_of,
    lost_attributes,
    refuse_loss,
    replayable,
    subject,
    survey,
)
from spanferry.corpora.stored.flat import cut_tokens, disjoint

_KNOWLEDGE_BASE = "kb_id"  # the attribute that a span of spaCy has too


@dataclass(frozen=True)
class DocBinWriter:
    """Writes documents of the first text field: its tokens, its spans as a span group and as entities, its label.

    Tokens are cut where a span starts or ends inside one. Entities do not overlap: of those that do the longest stays,
    and all are in the span group. The documents of a split are in memory until its file is written.

    Attributes:
        group: The span group that holds all spans; ``sc`` is what spaCy's span categoriser reads.
        allow_loss: Leaves out other fields' spans, relations, parts of discontinuous spans, white space at spans' ends.
    """

    name: ClassVar[str] = "docbin"
    holds: ClassVar[frozenset[str]] = frozenset({"overlap"})

    group: str = "sc"
    allow_loss: bool = False

    def write(self, batches: Iterable[list[Pair]], out: Path) -> WriteReport:
        """See ``Writer.write``."""
        import spacy
        from spacy.tokens import DocBin

        lost: Counter[str] = Counter()
        vocab = spacy.blank("xx").vocab
        with work_folder(out) as folder, replayable(batches, folder) as rows:
            groups = survey(rows).groups()
            new = folder / "new"
            new.mkdir()
            for group, _, _ in groups:
                own = (pair for batch in rows for pair in batch if group_of(pair) == group)
                file = DocBin(store_user_data=True)
                for doc in self._documents(own, vocab, lost):
                    file.add(doc)
                _write(file, new / f"{group}.spacy")
            publish(new, out, index=f"{REJECTED}.spacy")
        counts = {group: count for group, _, count in groups}
        return WriteReport(counts, dict(sorted(lost.items())), tuple(sorted(f"{group}.spacy" for group in counts)))

    def _documents(self, pairs: Iterable[Pair], vocab: Any, lost: Counter[str]) -> Iterator[Any]:
        for pair in pairs:
            example = subject(pair)
            field = next(iter(example.texts))
            spans = [span for span in example.spans if span.field == field]
            doc, found = self._document(example, field, spans, vocab)
            missing = Counter(
                discontinuous=sum(bool(span.fragments) for span in spans),
                fields=len(example.spans) - len(spans),
                relations=len(example.relations),
                white_space=len(spans) - found,
            )
            if not self.allow_loss and pair.kept:
                refuse_loss(+missing, example.id, "docbin", self.name)
            others = [s for s in spans if set(s.attributes) - {_KNOWLEDGE_BASE}]
            lost.update(+missing + lost_attributes(others))
            yield doc

    def _document(self, example: Example, field: str, spans: list[Span], vocab: Any) -> tuple[Any, int]:
        """The document, and how many of the spans are in it as they are."""
        from spacy.tokens import Doc

        text = example.texts[field]
        words, spaces = _spaced(text, cut_tokens(example, field, spans))
        doc = Doc(vocab, words=words, spaces=spaces, user_data={"id": example.id, "lang": example.lang})
        made = {
            id(span): doc.char_span(
                span.start, span.end, label=span.label, kb_id=str(span.attributes.get(_KNOWLEDGE_BASE, ""))
            )
            for span in spans
        }
        whole = [span for span in spans if made[id(span)] is not None]
        doc.spans[self.group] = [made[id(span)] for span in whole]
        doc.ents = [made[id(span)] for span in disjoint(whole)]
        if example.label is not None:
            doc.cats = {str(example.label): 1.0}
        return doc, len(whole)


def _spaced(text: str, tokens: list[tuple[int, int]]) -> tuple[list[str], list[bool]]:
    """Words, and whether a blank follows each: as spaCy has it, any other white space is a word of its own."""
    words: list[str] = []
    spaces: list[bool] = []
    at = 0
    for start, end in [*tokens, (len(text), len(text))]:
        gap = text[at:start]
        if gap.startswith(" ") and words:
            spaces[-1], gap = True, gap[1:]
        if gap:
            words.append(gap)
            spaces.append(False)
        if start < end:
            words.append(text[start:end])
            spaces.append(False)
        at = end
    return words, spaces


def _write(file: Any, path: Path) -> None:
    # The strings of a DocBin are a set, whose order differs from process to process.
    file.strings = dict.fromkeys(sorted(file.strings))
    path.write_bytes(file.to_bytes())

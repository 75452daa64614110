"""SQuAD JSON: ``OUT/<split>.json`` and ``OUT/rejected.json``, which the reader ``squad`` takes back.

Questions in a row about the same context share a paragraph, those in a row of the same title an article. A row without
translation is written as its source. A rejected question has its ``reasons`` beside it.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, TextIO

from spanferry.corpora.errors import OutputError
from spanferry.corpora.schema import ANSWER, CONTEXT, QUESTION, Example, Pair
from spanferry.corpora.stored.base import WriteReport, group_of, lost_attributes, refuse_loss, subject
from spanferry.corpora.writers.lines import split_files

_MARK = "is_impossible"


@dataclass(frozen=True)
class SquadWriter:
    """Writes questions with their contexts and answers; spans that carry the label ``answer`` are the answers.

    Attributes:
        version: What the files say they are: ``1.1``, or ``v2.0``, in which ``is_impossible`` marks a question whose
            source has no answer; ``auto``: ``v2.0`` if there is such a question or the data has the mark.
        allow_loss: Leaves out what SQuAD can't hold (spans with other labels or outside the context, relations, the
            gaps of discontinuous spans, in ``1.1`` that a question has no answer), and counts it, instead of stopping;
            a row of other fields is then a context without a question.
    """

    name: ClassVar[str] = "squad"
    holds: ClassVar[frozenset[str]] = frozenset({"overlap", "fields"})

    version: Literal["auto", "1.1", "v2.0"] = "auto"
    allow_loss: bool = False

    def write(self, batches: Iterable[list[Pair]], out: Path) -> WriteReport:
        """See ``Writer.write``.

        Raises:
            OutputError: A kept row has no question or no context.
        """
        lost: Counter[str] = Counter()
        with split_files(batches, out, ".json") as (rows, opened, counts):
            second = self.version == "v2.0" or (
                self.version == "auto" and any(_is_marked(pair) for batch in rows for pair in batch)
            )
            files = {group: _File(file, "v2.0" if second else "1.1") for group, file in opened.items()}
            for batch in rows:
                for pair in batch:
                    self._add(files[group_of(pair)], pair, second, lost)
            for file in files.values():
                file.close()
        return WriteReport(counts, dict(sorted(lost.items())), tuple(sorted(f"{group}.json" for group in counts)))

    def _add(self, file: "_File", pair: Pair, second: bool, lost: Counter[str]) -> None:
        example = subject(pair)
        if not {QUESTION, CONTEXT} <= set(example.texts):
            if pair.kept and not self.allow_loss:
                raise OutputError(
                    f"the format {self.name} needs the fields {QUESTION!r} and {CONTEXT!r}, this row has"
                    f" {', '.join(example.texts)}",
                    where=example.id,
                    hint="--set output.options.squad.allow_loss=true makes the text a context without a question",
                )
            example = replace(example, texts={QUESTION: "", CONTEXT: example.text})
        answers = [span for span in example.spans if span.field == CONTEXT and span.label == ANSWER]
        missing = Counter(
            fields=len(example.spans) - len(answers),
            relations=len(example.relations),
            discontinuous=sum(bool(span.fragments) for span in answers),
            unanswerable=int(not second and _is_unanswerable(pair)),
        )
        if pair.kept and not self.allow_loss:
            refuse_loss(missing, example.id, self.name, self.name)
        lost.update(+missing + lost_attributes(s for s in example.spans if s not in answers))
        question: dict[str, Any] = {
            **{key: value for key, value in example.meta.items() if key not in ("title", _MARK)},
            "id": example.id,
            QUESTION: example.texts[QUESTION],
            "answers": [
                {**span.attributes, "text": example.quote(span), "answer_start": span.start} for span in answers
            ],
        }
        if second:
            # An answer that found no place in the translation does not make the question unanswerable.
            question[_MARK] = _is_unanswerable(pair)
        if pair.reasons:
            question["reasons"] = list(pair.reasons)
        file.add(_title(example), example.texts[CONTEXT], question)


def _is_unanswerable(pair: Pair) -> bool:
    """Whether a question has no answer in the source."""
    has_context = CONTEXT in pair.source.texts
    return has_context and not any(span.field == CONTEXT and span.label == ANSWER for span in pair.source.spans)


def _is_marked(pair: Pair) -> bool:
    return _MARK in pair.source.meta or (pair.kept and _is_unanswerable(pair))


class _File:
    """One file, written question by question."""

    def __init__(self, stream: TextIO, version: str) -> None:
        self.stream = stream
        self.version = "1.1" if version == "auto" else version
        self.place: tuple[str, str] | None = None  # title and context of the open paragraph
        stream.write('{"data": [')

    def add(self, title: str, context: str, question: dict[str, Any]) -> None:
        """The next question; a new title or context ends the paragraph or article before it."""
        if self.place == (title, context):
            self.stream.write(",\n")
        else:
            self._leave(title)
            self.stream.write(f'{{"context": {_dumped(context)}, "qas": [\n')
        self.place = (title, context)
        self.stream.write(_dumped(question))

    def _leave(self, title: str) -> None:
        if self.place is None:
            self.stream.write(f'\n{{"title": {_dumped(title)}, "paragraphs": [\n')
        elif self.place[0] == title:
            self.stream.write("]},\n")
        else:
            self.stream.write(f']}}]}},\n{{"title": {_dumped(title)}, "paragraphs": [\n')

    def close(self) -> None:
        """Ends what is open."""
        # Last, because only now it is known whether a question had no answer.
        self.stream.write(f'{"]" if self.place is None else "]}]}]"}, "version": {json.dumps(self.version)}}}\n')


def _title(example: Example) -> str:
    title = example.meta.get("title", "")
    return title if isinstance(title, str) else ""


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)

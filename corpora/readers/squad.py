"""SQuAD 1.1 and 2.0: questions, contexts and answers with character offsets."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from spanferry.corpora.errors import InputError, RowError
from spanferry.corpora.readers.base import BadRow, FileReader, bad_row
from spanferry.corpora.readers.rows import Unit, code_points
from spanferry.corpora.readers.text import read_lines
from spanferry.corpora.schema import ANSWER, CONTEXT, QUESTION, Example, Span, validate

_KNOWN = {"id", "question", "answers"}


@dataclass(frozen=True)
class SquadReader(FileReader):
    """Reads ``{"data": [{"title", "paragraphs": [{"context", "qas": [{"id", "question", "answers"}]}]}]}``.

    One example for each question, with the fields ``question`` and ``context`` and one span ``answer`` in the context
    for each different answer; a question of SQuAD 2.0 that has no answer has no span. ``title``, ``is_impossible`` and
    other keys of a question are kept in ``meta``. A question whose answer is not where it says it is, is a bad row
    ``bad_offsets``. The file is one JSON value and is held in memory as a whole.

    Attributes:
        offsets: What ``answer_start`` counts: Unicode code points, UTF-16 units or UTF-8 bytes.
        encoding: Of the file.
    """

    name: ClassVar[str] = "squad"

    offsets: Unit = "codepoint"
    encoding: str = "utf-8"

    def read(self) -> Iterator[Example | BadRow]:
        """See ``Reader.read``.

        Raises:
            InputError: The file is missing, empty, not in its encoding, no JSON, or not laid out as SQuAD is.
        """
        number = 0
        for title, context, question in self._questions():
            number += 1
            given = question.get("id")
            name = str(given) if isinstance(given, (str, int)) and str(given) else str(number)
            try:
                yield self._example(name, title, context, question)
            except RowError as error:
                # What is not valid Unicode must still be text that can be stored.
                raw = json.dumps(question, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
                yield bad_row(error, name, f"{self.path}: question {number}", raw, self.rows_split)
        if not number:
            raise InputError("no question in it", where=str(self.path), hint="is this the right file?")

    def _questions(self) -> Iterator[tuple[Any, Any, Mapping[str, Any]]]:
        try:
            tree = json.loads("\n".join(line for _, line in read_lines(self.path, self.encoding)))
        except (ValueError, RecursionError) as error:
            raise InputError(
                f"not JSON ({error})", where=str(self.path), hint="--set read.format=jsonl reads one object a line"
            ) from error
        data = tree.get("data") if isinstance(tree, Mapping) else None
        for i, article in enumerate(self._list(data, "data")):
            for j, paragraph in enumerate(self._list(article.get("paragraphs"), f"data[{i}].paragraphs")):
                for question in self._list(paragraph.get("qas"), f"data[{i}].paragraphs[{j}].qas"):
                    yield article.get("title"), paragraph.get("context"), question

    def _list(self, value: Any, place: str) -> Sequence[Mapping[str, Any]]:
        if isinstance(value, Sequence) and all(isinstance(item, Mapping) for item in value):
            return value
        raise InputError(
            f"{place} is no list of objects",
            where=str(self.path),
            valid='{"data": [{"paragraphs": [{"context": …, "qas": [{"id", "question", "answers"}]}]}]}',
            hint="--set read.format=NAME picks another reader",
        )

    def _example(self, name: str, title: Any, context: Any, question: Mapping[str, Any]) -> Example:
        texts = {QUESTION: question.get("question"), CONTEXT: context}
        for key, text in texts.items():
            if not isinstance(text, str):
                raise RowError("no_text", f"{key!r} holds {text!r}, not a text")
        # Widths of other units need valid characters, so this comes before the offsets.
        example = validate(Example(name, self.lang, texts, split=self.rows_split))
        answers = question.get("answers") or ()
        if not isinstance(answers, Sequence) or not all(isinstance(answer, Mapping) for answer in answers):
            raise RowError("bad_span", "'answers' is no list of objects")
        convert = code_points(str(context), self.offsets)
        ranges: dict[tuple[int, int], dict[str, Any]] = {}
        for answer in answers:
            more = {key: value for key, value in answer.items() if key not in ("text", "answer_start")}
            ranges.setdefault(_range(answer, str(context), convert), {}).update(more)
        spans = tuple(Span(a, b, ANSWER, f"s{i}", CONTEXT, (), m) for i, ((a, b), m) in enumerate(ranges.items()))
        meta = {key: value for key, value in question.items() if key not in _KNOWN}
        meta |= {"title": title} if title is not None else {}
        return validate(Example(name, self.lang, example.texts, spans, meta=meta, split=self.rows_split))


def _range(answer: Mapping[str, Any], context: str, convert: Any) -> tuple[int, int]:
    start, text = answer.get("answer_start"), answer.get("text")
    if not isinstance(start, int) or isinstance(start, bool) or not isinstance(text, str) or not text:
        raise RowError("bad_span", f"an answer has answer_start {start!r} and text {text!r}")
    try:
        first = convert(start)
    except KeyError:
        first = -1
    covered = context[first : first + len(text)] if first >= 0 else ""
    if covered != text:
        raise RowError(
            "bad_offsets",
            f"answer_start {start} covers {covered!r}, the answer says {text!r}",
            hint="--set read.options.offsets=codepoint|utf16|byte",
        )
    return first, first + len(text)

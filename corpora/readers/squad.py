"""SQuAD 1.1 and 2.0: questions, contexts and answers with character offsets."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from spanferry.corpora.errors import InputError, RowError
from spanferry.corpora.readers.common.base import Draft, FileReader, Note
from spanferry.corpora.readers.common.encodings import check_decoded
from spanferry.corpora.readers.common.json_values import dump_raw, parse_json
from spanferry.corpora.readers.common.label_keys import check_consumed, unpacked
from spanferry.corpora.readers.common.text import read_lines
from spanferry.corpora.readers.qa_rows import OTHER_OFFSETS
from spanferry.corpora.schema import ANSWER, CONTEXT, QUESTION, Example, Span, validate
from spanferry.corpora.text.offsets import UNITS, Unit, code_points

__all__ = ["ANSWER", "CONTEXT", "QUESTION", "SquadReader"]

_KNOWN = {"id", "question", "answers"}


@dataclass(frozen=True)
class SquadReader(FileReader):
    """Reads ``{"data": [{"title", "paragraphs": [{"context", "qas": [{"id", "question", "answers"}]}]}]}``.

    One example for each question, with the fields ``question`` and ``context`` and one span ``answer`` in the context
    for each different answer; a question of SQuAD 2.0 that has no answer has no span. ``title``, ``is_impossible`` and
    other keys of a question are kept in ``meta``; ``plausible_answers`` are left out: their offsets would be wrong
    beside a translated context. A question whose answer is not where it says it is, is a bad row
    ``bad_offsets``. The file is one JSON value and is held in memory as a whole.

    Attributes:
        offsets: What ``answer_start`` counts: Unicode code points, UTF-16 units or UTF-8 bytes.
        ignore: Keys of a question that may hold what looks like labels and are passed over.
        encoding: Encoding of the file.
    """

    name: ClassVar[str] = "squad"

    offsets: Unit = "codepoint"
    ignore: tuple[str, ...] = ()
    encoding: str = "utf-8"

    def _rows(self) -> Iterator[Draft | Note]:
        number = 0
        for title, context, question in self._questions():
            number += 1
            given = question.get("id")
            name = str(given) if isinstance(given, (str, int)) and str(given) else str(number)
            made = partial(self._example, name, title, context, question)
            yield Draft(name, f"{self.path}: question {number}", partial(dump_raw, question), self.rows_split, made)
            for key in OTHER_OFFSETS:
                if question.get(key):
                    yield Note(f"{key!r} is left out: its offsets would be wrong beside a translated context")
            if any(isinstance(a, Mapping) and set(a) - {"text", "answer_start"} for a in _answers(question) or ()):
                yield Note("keys of answers other than 'text' and 'answer_start' are left out")
        if not number:
            raise InputError("no question in it", where=str(self.path), hint="is this the right file?")

    def _questions(self) -> Iterator[tuple[Any, Any, Mapping[str, Any]]]:
        try:
            tree = parse_json("\n".join(line for _, line in read_lines(self.path, self.encoding)))
        except RowError as error:
            raise InputError(
                error.message, where=str(self.path), hint="--set read.format=jsonl reads one object a line"
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
            f"{place} is not a list of objects",
            where=str(self.path),
            valid='{"data": [{"paragraphs": [{"context": …, "qas": [{"id", "question", "answers"}]}]}]}',
            hint="--set read.format=NAME picks another reader",
        )

    def _example(self, name: str, title: Any, context: Any, question: Mapping[str, Any]) -> Example:
        texts = {QUESTION: question.get("question"), CONTEXT: context}
        for key, text in texts.items():
            if not isinstance(text, str):
                raise RowError("no_text", f"{key!r} holds {text!r:.60}, not a text")
            check_decoded(text, self.encoding)
        # Widths of other units need valid characters, so this comes before the offsets.
        example = validate(Example(name, self.lang, texts, split=self.rows_split))
        answers = _answers(question)
        if not isinstance(answers, Sequence) or not all(isinstance(answer, Mapping) for answer in answers):
            raise RowError("bad_span", "'answers' is not a list of objects")
        convert = code_points(str(context), self.offsets)
        ranges: dict[tuple[int, int], dict[str, Any]] = {}
        for answer in answers:
            more = {key: value for key, value in answer.items() if key not in ("text", "answer_start")}
            ranges.setdefault(_range(answer, str(context), convert), {}).update(more)
        spans = tuple(Span(a, b, ANSWER, f"s{i}", CONTEXT, (), m) for i, ((a, b), m) in enumerate(ranges.items()))
        check_consumed(question, {*_KNOWN, *OTHER_OFFSETS}, self.ignore, name)
        meta = {key: value for key, value in question.items() if key not in (*_KNOWN, *OTHER_OFFSETS)}
        meta |= {"title": title} if title is not None else {}
        return validate(Example(name, self.lang, example.texts, spans, meta=meta, split=self.rows_split))


def _answers(question: Mapping[str, Any]) -> Any:
    answers = question.get("answers") or ()
    if isinstance(answers, Mapping):
        answers = unpacked(answers)
        answers = () if isinstance(answers, Mapping) and not any(answers.values()) else answers
    return answers


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
            hint=_fitting(context, start, text),
        )
    return first, first + len(text)


def _fitting(context: str, start: int, text: str) -> str:
    """The unit in which ``start`` is the start of ``text``, as a hint."""
    for unit in UNITS:
        try:
            first = code_points(context, unit)(start)
        except KeyError:
            continue
        if first >= 0 and context.startswith(text, first):
            return f"--set read.options.offsets={unit}"
    return "no declared unit of the offsets fits"

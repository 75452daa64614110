"""Rows in the hub's layout of SQuAD: a question, a context, and answers as columns."""

from collections.abc import Mapping
from typing import Any

from spanferry.corpora.errors import RowError
from spanferry.corpora.readers.common.label_keys import unpacked
from spanferry.corpora.readers.common.rows import RowKeys

QUESTION, CONTEXT, ANSWER, ANSWERS = "question", "context", "answer", "answers"
QA_COLUMNS = (QUESTION, CONTEXT, ANSWERS)
# Further offsets into the same context: they would be wrong beside a translated one.
OTHER_OFFSETS = ("plausible_answers",)


def squad_answers(row: Mapping[str, Any], keys: RowKeys) -> dict[str, Any] | None:
    """The row in the keys of all rows if it is laid out as ``{"question", "context", "answers"}``, else None.

    Raises:
        RowError: ``bad_span``: the answers are not texts with offsets.
    """
    if not all(isinstance(row.get(key), str) for key in (QUESTION, CONTEXT)) or ANSWERS not in row or keys.fields:
        return None
    answers = unpacked(row[ANSWERS]) or []
    if isinstance(answers, Mapping) and not any(answers.values()):
        answers = []
    if not isinstance(answers, list) or not all(isinstance(one, Mapping) for one in answers):
        raise RowError("bad_span", f"{ANSWERS!r} holds no list of texts and offsets")
    plain = {k: v for k, v in row.items() if k not in (*QA_COLUMNS, *OTHER_OFFSETS)}
    plain["texts"] = {QUESTION: row[QUESTION], CONTEXT: row[CONTEXT]}
    spans = [
        {keys.start: start, keys.end: _end(start, text, keys), keys.span_label: ANSWER, "field": CONTEXT, "quote": text}
        for start, text in dict.fromkeys((one.get("answer_start"), one.get("text")) for one in answers)
    ]
    return {**plain, keys.spans: spans}


def _end(start: Any, text: Any, keys: RowKeys) -> int:
    if not isinstance(start, int) or not isinstance(text, str) or not text:
        raise RowError("bad_span", f"an answer has answer_start {start!r:.60} and text {text!r:.60}")
    width = {"utf16": len(text.encode("utf-16-le")) // 2, "byte": len(text.encode())}.get(keys.offsets, len(text))
    return start + width - keys.inclusive

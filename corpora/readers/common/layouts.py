"""Rows in layouts of other tools, in the keys that all readers of rows share.

Texts and tokens under other keys, labels one level down, labels in brackets within the text (MASSIVE), relations that
name spans by their ends (Prodigy) or their place, spans that count tokens (GLiNER, SpERT).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any

from spanferry.corpora.errors import RowError
from spanferry.corpora.readers.common.label_keys import (
    SPAN_KEYS,
    TEXT_KEYS,
    TOKEN_KEYS,
    known_keys,
    looks_like_spans,
    unpacked,
)
from spanferry.corpora.readers.common.rows import RowKeys, spans_key
from spanferry.corpora.schema import TEXT
from spanferry.corpora.text.detokenise import detokenise

TOKENS = "tokens"
_LABEL, _INTENT = "label", "intent"
_GLINER = "tokenized_text"
_ANNOTATED = "annot_utt"
_BRACKET = re.compile(r"\[([^\[\]:]+):([^\[\]]+)\]")
# Names of the ends and the label of a relation: ours, doccano's, others'.
_RELATION_KEYS = (
    ("head", "tail", "label"),
    ("from_id", "to_id", "type"),
    ("from", "to", "label"),
    ("head", "tail", "type"),
)


def known_layout(row: dict[str, Any], keys: RowKeys) -> dict[str, Any]:
    """The row with its texts, tokens, labels and relations under the keys that all readers share.

    Only what is unambiguous is moved: one key of texts, one of tokens, one list of spans.

    Raises:
        RowError: ``bad_offsets``: labels in brackets that do not stand in the text of the row.
    """
    row = _with_text(_with_tokens(_from_pieces(row, keys)), keys)
    row = _with_label(_with_answers(row), keys)
    for key in SPAN_KEYS:
        inner = row.get(key)
        if not isinstance(inner, Mapping):
            continue
        held = [k for k, v in inner.items() if not isinstance(v, Mapping) and looks_like_spans(v)]
        if len(held) == 1 and not looks_like_spans(inner):
            rest = {k: v for k, v in inner.items() if k != held[0] and v not in (None, [], {}, "")}
            row = {**row, key: inner[held[0]], **({f"{key}_other": rest} if rest else {})}
    marked = isinstance(row.get(_ANNOTATED), str) and _ANNOTATED not in keys.ignore
    if marked and isinstance(row.get(keys.text), str) and row.get(keys.spans) is None:
        row = _from_brackets(row, keys)
    if row.get("relations"):
        row = _with_relations(row, keys)
    return row


def counts_tokens(row: Mapping[str, Any], keys: RowKeys) -> bool:
    """Whether the spans of a row can only count its tokens: it has no text, and its tokens have no offsets."""
    tokens = row.get(TOKENS)
    has_text = isinstance(row.get(keys.text), str) or isinstance(row.get("texts"), Mapping) or bool(keys.fields)
    strings = isinstance(tokens, list) and bool(tokens) and all(isinstance(token, str) for token in tokens)
    return strings and not has_text and looks_like_spans(row.get(spans_key(row, keys)))


def from_token_spans(row: Mapping[str, Any], keys: RowKeys, lang: str, declared: bool) -> dict[str, Any]:
    """A row whose spans count tokens, as one with a text and character offsets.

    Args:
        row: The row.
        keys: Of the row; ``inclusive`` says whether an end is the span's last token.
        lang: The language of a row that does not say.
        declared: Whether the user said that offsets count tokens.

    Raises:
        RowError: ``token_offsets``: nobody said so; ``bad_offsets``: a span outside the tokens.
    """
    tokens, key = row[TOKENS], spans_key(row, keys)
    inclusive = keys.inclusive
    if not declared:
        if _GLINER not in row:
            raise RowError(
                "token_offsets",
                f"the row has tokens and no text, so the spans in {key!r} seem to count tokens",
                hint="--set read.options.offsets=token reads them so; with --set read.options.end=inclusive where an "
                "end is the span's last token",
            )
        inclusive = True
    own = row.get(keys.lang)
    text, ranges = detokenise(tokens, own if isinstance(own, str) and own else lang)
    spans = []
    for given in unpacked(row[key]):
        for span in known_keys(given, keys.start, keys.end, keys.span_label):
            if isinstance(span, Sequence) and len(span) == 3:
                span = dict(zip((keys.start, keys.end, keys.span_label), span, strict=True))
            # A list column of Arrow holds one type: numbers stand as strings beside the label.
            start, end = (_number(span.get(k)) if isinstance(span, Mapping) else None for k in (keys.start, keys.end))
            last = end + inclusive if isinstance(end, int) else -1
            if not isinstance(start, int) or not 0 <= start < last <= len(tokens):
                raise RowError(
                    "bad_offsets",
                    f"a span has the offsets ({start!r:.30}, {end!r:.30}) among {len(tokens)} tokens",
                    hint=f"--set read.options.end={'exclusive' if inclusive else 'inclusive'}",
                )
            spans.append({**span, keys.start: ranges[start][0], keys.end: ranges[last - 1][1]})
    rest = {k: v for k, v in row.items() if k not in (key, _GLINER)}
    return {**rest, keys.text: text, TOKENS: [list(pair) for pair in ranges], keys.spans: spans}


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


def character_keys(keys: RowKeys) -> RowKeys:
    """The keys of a row that ``from_token_spans`` made."""
    return replace(keys, offsets="codepoint", inclusive=False)


def _with_tokens(row: dict[str, Any]) -> dict[str, Any]:
    if row.get(TOKENS) is not None:
        return row
    found = [key for key in TOKEN_KEYS if _is_words(row.get(key))]
    if len(found) != 1:
        return row
    kept = {key: value for key, value in row.items() if key != found[0] or key == _GLINER}
    return {**kept, TOKENS: row[found[0]]}


def _from_pieces(row: dict[str, Any], keys: RowKeys) -> dict[str, Any]:
    """The pieces of ``{"data": [{"text"}, {"text", "entity"}]}`` (SNIPS) as one text with spans."""
    pieces = row.get("data")
    if not isinstance(pieces, list) or not pieces or keys.text in row or keys.spans in row:
        return row
    if not all(isinstance(p, Mapping) and isinstance(p.get("text"), str) for p in pieces):
        return row
    starts = list(accumulate((len(p["text"]) for p in pieces), initial=0))
    spans = [
        {keys.start: a, keys.end: b, keys.span_label: piece["entity"]}
        for piece, a, b in zip(pieces, starts, starts[1:], strict=False)
        if piece.get("entity") is not None
    ]
    rest = {key: value for key, value in row.items() if key != "data"}
    return {keys.text: "".join(p["text"] for p in pieces), **rest, keys.spans: spans}


def _with_answers(row: dict[str, Any]) -> dict[str, Any]:
    """A question whose one answer stands in the row itself, in the hub's layout of SQuAD."""
    answer, start = row.get("answer"), row.get("answer_start")
    if "answers" in row or not {"question", "context"} <= set(row) or not isinstance(answer, str):
        return row
    if not isinstance(start, int):
        return row
    rest = {key: value for key, value in row.items() if key not in ("answer", "answer_start", "answer_end")}
    return {**rest, "answers": [{"text": answer, "answer_start": start}]}


def _with_label(row: dict[str, Any], keys: RowKeys) -> dict[str, Any]:
    """A row whose label stands under ``intent``, or was the one that was accepted among Prodigy's options."""
    if keys.label != _LABEL or row.get(_LABEL) is not None:
        return row
    accepted = row.get("accept")
    if isinstance(row.get("options"), list) and isinstance(accepted, list) and len(accepted) == 1:
        return {**{k: v for k, v in row.items() if k not in ("options", "accept")}, _LABEL: accepted[0]}
    if isinstance(row.get(_INTENT), str):
        return {**{k: v for k, v in row.items() if k != _INTENT}, _LABEL: row[_INTENT]}
    return row


def _is_words(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(word, str) for word in value)


def _with_text(row: dict[str, Any], keys: RowKeys) -> dict[str, Any]:
    if keys.text != TEXT or keys.fields or TEXT in row or "texts" in row or {"question", "context"} <= set(row):
        return row
    found = [key for key in TEXT_KEYS if isinstance(row.get(key), str)]
    if len(found) != 1:
        return row
    return {TEXT: row[found[0]], **{key: value for key, value in row.items() if key != found[0]}}


def _from_brackets(row: dict[str, Any], keys: RowKeys) -> dict[str, Any]:
    """The slots of ``wake me at [time : nine am]`` as spans of the plain text."""
    parts: list[str] = []
    spans, length, at = [], 0, 0
    marked: str = row[_ANNOTATED]
    for match in _BRACKET.finditer(marked):
        before, label, quote = marked[at : match.start()], match[1].strip(), match[2].strip()
        start = length + len(before)
        length, at = start + len(quote), match.end()
        parts += [before, quote]
        spans.append({keys.start: start, keys.end: length, keys.span_label: label})
    text = "".join([*parts, marked[at:]])
    if text != row[keys.text]:
        raise RowError(
            "bad_offsets",
            f"without its brackets {_ANNOTATED!r} is {text!r:.80}, and the text is {row[keys.text]!r:.80}",
            hint=f"--set read.options.ignore={_ANNOTATED}",
        )
    return {**{key: value for key, value in row.items() if key != _ANNOTATED}, keys.spans: spans}


def _with_relations(row: dict[str, Any], keys: RowKeys) -> dict[str, Any]:
    relations, key = row["relations"], spans_key(row, keys)
    spans = unpacked(row.get(key))
    if not isinstance(relations, list) or not all(isinstance(r, Mapping) for r in relations):
        return row
    named = [dict(s) if isinstance(s, Mapping) else s for s in spans] if isinstance(spans, list) else []
    own = any(isinstance(span, Mapping) and span.get("id") is not None for span in named)
    by_place = any("head_span" in r or any(isinstance(r.get(end), int) for end in ("head", "from")) for r in relations)
    places: dict[Any, str] = {}
    for i, span in enumerate(named):
        if isinstance(span, dict):
            if by_place and not own:
                span["id"] = f"s{i}"
            places.setdefault((span.get(keys.start), span.get(keys.end)), str(span.get("id")))
    made = [_relation(relation, places, own, keys) for relation in relations]
    return {**row, **({key: named} if named else {}), "relations": made}


def _relation(relation: Mapping[str, Any], places: Mapping[Any, str], own: bool, keys: RowKeys) -> Any:
    if isinstance(relation.get("head_span"), Mapping) and isinstance(relation.get("child_span"), Mapping):
        ends = [
            places.get((relation[end].get(keys.start), relation[end].get(keys.end)))
            for end in ("head_span", "child_span")
        ]
        return {"head": ends[0], "tail": ends[1], "label": relation.get("label")}
    for names in _RELATION_KEYS:
        if all(name in relation for name in names):
            head, tail, label = (relation[name] for name in names)
            if all(isinstance(end, int) and not isinstance(end, bool) for end in (head, tail)):
                head, tail = (str(end) if own else f"s{end}" for end in (head, tail))
            return {"head": head, "tail": tail, "label": label}
    return relation

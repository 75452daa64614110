"""Labels under keys of other tools: which values look like spans, and the same spans in the keys of ours.

The names are those of spaCy (``entities``, ``ents``), Prodigy (``spans``), doccano (``label``, ``labels``,
``entities``, ``annotations``), Label Studio's JSON-MIN (``label`` with ``labels`` in each), transformers
(``entity_group``) and Rasa (``entities`` with ``entity``).
"""

import ast
import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from spanferry.corpora.errors import RowError

SPAN_KEYS = ("spans", "entities", "ents", "label", "labels", "annotations", "ner", "mentions", "slots", "extractions")
TAG_KEYS = ("ner_tags", "tags", "ner", "labels", "label", "slots")
# Texts and tokens are looked for under these where a row has no ``text`` and no ``tokens``.
TEXT_KEYS = (
    "text",
    "data",
    "sentence",
    "utterance",
    "utt",
    "content",
    "document",
    "full_text",
    "source_text",
    "raw_text",
)
TOKEN_KEYS = ("tokens", "words", "token", "tokenized_text", "sentence")
STARTS = (
    "start",
    "start_offset",
    "startOffset",
    "start_char",
    "char_start",
    "start_position",
    "start_pos",
    "begin",
    "beginOffset",
    "offset",
    "from",
    "answer_start",
)
ENDS = (
    "end",
    "end_offset",
    "endOffset",
    "end_char",
    "char_end",
    "end_position",
    "end_pos",
    "exclusive_end",
    "stop",
    "to",
    "answer_end",
)
RANGES = ("span", "offsets", "range", "position")
LABELS = (
    "label",
    "labels",
    "extraction_class",
    "type",
    "entity",
    "entity_group",
    "entity_type",
    "entity_label",
    "tag",
    "category",
    "class",
    "slot",
)
_LENGTH = "length"
_LONGEST = 6  # values of one span that is a list
# Stretches of a text that are not labels: sentences and tokens of spaCy's ``Doc.to_json``.
_NO_LABELS = frozenset({"sents", "sentences", "tokens"})
# Offsets under keys that are not read, but show that something is labelled.
_HINTED_RANGES = (*RANGES, "pos", "char_spans", "token_spans", "indices")
_MOST_LEVELS = 6  # that are looked into for labels
# Coreference: lists of mentions, by their offsets or as numbers of words.
_GROUPS = frozenset({"clusters", "coref", "coreference", "coref_clusters", "chains"})
# What our own writers put beside a row; its offsets belong to the row's source.
_OURS = frozenset({"source", "projections", "switches"})
# A key called so holds labels, whatever they look like; under the others classes of the whole text are usual.
_ALWAYS = frozenset(SPAN_KEYS) - {"label", "labels"} | {"annotation"}


def looks_like_spans(value: Any) -> bool:
    """Whether ``value`` holds offsets and what they stand for: a list of spans, also as columns or a JSON string."""
    value = unpacked(value)
    return isinstance(value, list) and bool(value) and all(map(_looks_like_span, value))


def unpacked(value: Any) -> Any:
    """A list of spans as a list, where it is a string of one or a mapping of columns; else the value itself.

    The string may be JSON, or what Python prints of a list, as tables have it that pandas wrote.
    """
    if isinstance(value, str) and value.lstrip()[:1] == "[":
        read = _listed(value)
        return value if read is None else read
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Mapping) and value and all(isinstance(v, (list, tuple)) for v in value.values()):
        if len({len(v) for v in value.values()}) == 1 and {*STARTS, *ENDS} & set(value):
            return [dict(zip(value, row, strict=True)) for row in zip(*value.values(), strict=True)]
        # {"PER": [[0, 3]], "LOC": []}: spans by label
        if all(isinstance(pair, (list, tuple)) and _is_range(pair) for v in value.values() for pair in v):
            return [[*pair, label] for label, pairs in value.items() for pair in pairs]
    return value


def known_keys(span: Any, start: str, end: str, label: str) -> list[Any]:
    """``span`` with ``start``, ``end`` and ``label`` under these keys, once for each label it has.

    A span that has these keys, or that none of the known names describes, is returned as it is.
    """
    if isinstance(span, Sequence) and not isinstance(span, str) and len(span) == 3 and isinstance(span[0], str):
        if _is_range(span[1:]):
            return [[span[1], span[2], span[0]]]  # (label, start, end)
        return [span]
    if not isinstance(span, Mapping):
        return [span]
    made = dict(span)
    _unfold_extraction(made)
    _unfold_range(made, start, end)
    for key, names in ((start, STARTS), (end, ENDS), (label, LABELS)):
        if key in made:
            continue
        found = [name for name in names if name in made]
        if len(found) == 1 or (found and key != label):
            made[key] = made.pop(found[0])
    if made.get(end) is None and _is_number(made.get(start)) and _is_number(made.get(_LENGTH)):
        made[end] = made[start] + made.pop(_LENGTH)
    several = made.get(label)
    if isinstance(several, list) and several and all(isinstance(one, str) for one in several):
        return [{**made, label: one} for one in several]
    return [made]


def spacy_row(value: Any) -> Any:
    """``(text, {"entities": […]})``, as spaCy's training data was written, as a mapping; else the value itself."""
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], dict):
        return {**value[1], "text": value[0]}
    return value


def check_consumed(row: Mapping[str, Any], used: set[str], ignore: Sequence[str], where: str) -> None:
    """Makes sure that no key of ``row`` that nobody read holds what looks like labels.

    Raises:
        RowError: ``unread_labels``: one does; the message names it and the options that help.
    """
    flat = _flat_span(row)
    if flat is not None and flat not in used and flat not in ignore:
        raise RowError(
            "unread_labels",
            f"{flat!r} is the start of a span, and nothing reads it",
            where=where,
            valid="a list of {start, end, label} under one key",
            hint=f"--set read.options.ignore={flat} passes it over",
        )
    for key, value in row.items():
        if key in used or key in ignore or key in _NO_LABELS:
            continue
        if key in _GROUPS and isinstance(value, list) and any(map(_is_container, value)):
            raise RowError(
                "unread_labels",
                f"{key!r} holds {len(value)} groups of mentions, and nothing reads it",
                where=where,
                valid="relations between spans: {head, tail, label}",
                hint=f"--set read.options.ignore={key} passes it over",
            )
        if looks_like_spans(value):
            raise RowError(
                "unread_labels",
                f"{key!r} holds what looks like {len(unpacked(value))} labels, and nothing reads it",
                where=where,
                hint=(f"--set read.options.spans_key={key} reads it, " if all(map(_is_plain, unpacked(value))) else "")
                + f"--set read.options.ignore={key} passes it over",
            )
        if _names_labels(key, value) or (key not in _OURS and _holds_spans(value)):
            raise RowError(
                "unread_labels",
                f"{key!r} holds {value!r:.60}, which nothing reads",
                where=where,
                valid="[start, end, label] or {start, end, label}, with character offsets",
                hint=f"--set read.options.ignore={key} passes it over",
            )


def _names_labels(key: str, value: Any) -> bool:
    value = unpacked(value)
    if key in _ALWAYS:
        return bool(value) and isinstance(value, (str, list, Mapping))
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return key in SPAN_KEYS and (bool(value) if isinstance(value, Mapping) else any(map(_is_container, inner)))


def _holds_spans(value: Any, level: int = 0) -> bool:
    """Whether a value has spans somewhere in it."""
    if level > _MOST_LEVELS or not isinstance(value, (list, Mapping)):
        return False
    if isinstance(value, Mapping) and (_looks_like_span(value) or any(_is_edges(value.get(k)) for k in _HINTED_RANGES)):
        return True
    inner = value.values() if isinstance(value, Mapping) else value
    return looks_like_spans(value) or any(_holds_spans(item, level + 1) for item in inner)


def _flat_span(row: Mapping[str, Any]) -> str | None:
    """A key of the start of a span that stands in the row itself, ``subj_start`` beside ``subj_end``."""
    for key in row:
        if key.endswith("_start") and _is_number(row[key]):
            name = key.removesuffix("_start")
            if _is_number(row.get(f"{name}_end")) or isinstance(row.get(name), str):
                return key
    return None


def _is_container(value: Any) -> bool:
    return isinstance(value, (list, Mapping))


def _looks_like_span(item: Any) -> bool:
    if isinstance(item, Mapping):
        if isinstance(item.get("char_interval"), Mapping):
            return True
        if any(_is_edges(item.get(key)) for key in RANGES):
            return True
        return any(_like_number(item.get(k)) for k in STARTS) and (
            any(_like_number(item.get(k)) for k in (*ENDS, _LENGTH)) or isinstance(item.get("text"), str)
        )
    if isinstance(item, (list, tuple)) and 3 <= len(item) <= _LONGEST:
        numbers = [_like_number(value) for value in item]
        pairs = any(a and b for a, b in pairwise(numbers))
        return pairs and any(isinstance(value, str) and not value.isdigit() for value in item)
    return False


def _is_plain(item: Any) -> bool:
    """Whether what looks like a span is one that is read where its key is named."""
    return isinstance(item, Mapping) or len(item) == 3


def _unfold_extraction(span: dict[str, Any]) -> None:
    """Puts what langextract nests, ``{"char_interval": {"start_pos", "end_pos"}}``, under the keys of a span."""
    interval = span.get("char_interval")
    if isinstance(interval, Mapping):
        del span["char_interval"]
        span.update(interval)
        if "extraction_text" in span and "text" not in span:
            span["text"] = span.pop("extraction_text")


def _unfold_range(span: dict[str, Any], start: str, end: str) -> None:
    """Puts the edges of ``{"span": [0, 3]}`` and ``{"offsets": [[0, 3], [5, 8]]}`` under their keys."""
    if start in span or end in span or not any(_is_edges(span.get(key)) for key in RANGES):
        return
    key = next(key for key in RANGES if _is_edges(span.get(key)))
    edges = span.pop(key)
    parts = [edges] if _is_range(edges) else edges
    span[start], span[end] = parts[0][0], parts[-1][1]
    if len(parts) > 1:
        span["fragments"] = [list(part) for part in parts]
    if isinstance(quotes := span.get("text"), list):
        del span["text"]
        if len(quotes) == len(parts) == 1:
            span["quote"] = quotes[0]


def _is_edges(value: Any) -> bool:
    if not isinstance(value, (list, tuple)) or not value:
        return False
    return _is_range(value) or all(isinstance(part, (list, tuple)) and _is_range(part) for part in value)


def _like_number(value: Any) -> bool:
    """Whether a value is an offset, or what tables and JavaScript make of one: ``3.0``, ``"3"``."""
    text = isinstance(value, str) and value.isascii() and value.isdigit()
    return text or _is_number(value) or (isinstance(value, float) and value.is_integer())


def _listed(value: str) -> list[Any] | None:
    try:
        read = json.loads(value)
    except (ValueError, RecursionError):
        try:
            read = ast.literal_eval(value.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return None
    return read if isinstance(read, list) else None


def _is_range(pair: Sequence[Any]) -> bool:
    return len(pair) == 2 and all(map(_is_number, pair))


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)

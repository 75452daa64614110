"""Labels under keys of other tools: which values look like spans, and the same spans in the keys of ours.

The names are those of spaCy (``entities``, ``ents``), Prodigy (``spans``), doccano (``label``, ``labels``,
``entities``, ``annotations``), Label Studio's JSON-MIN (``label`` with ``labels`` in each), transformers
(``entity_group``) and Rasa (``entities`` with ``entity``).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from spanferry.corpora.errors import RowError

SPAN_KEYS = ("spans", "entities", "ents", "label", "labels", "annotations", "ner", "mentions", "slots")
TAG_KEYS = ("ner_tags", "tags", "ner", "labels", "label")
STARTS = ("start", "start_offset", "startOffset", "start_char", "begin", "beginOffset", "from", "answer_start")
ENDS = ("end", "end_offset", "endOffset", "end_char", "stop", "to", "answer_end")
LABELS = ("label", "labels", "type", "entity", "entity_group", "entity_type", "tag", "category", "class")


def looks_like_spans(value: Any) -> bool:
    """Whether ``value`` holds offsets and what they stand for: a list of spans, also as columns or a JSON string."""
    value = unpacked(value)
    return isinstance(value, list) and bool(value) and all(map(_looks_like_span, value))


def unpacked(value: Any) -> Any:
    """A list of spans as a list, where it is a JSON string of one or a mapping of columns; else the value itself."""
    if isinstance(value, str) and value.lstrip()[:1] == "[":
        try:
            read = json.loads(value)
        except (ValueError, RecursionError):
            return value
        return read if isinstance(read, list) else value
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
    for key, names in ((start, STARTS), (end, ENDS), (label, LABELS)):
        if key in made:
            continue
        found = [name for name in names if name in made]
        if len(found) == 1 or (found and key != label):
            made[key] = made.pop(found[0])
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
    for key, value in row.items():
        if key in used or key in ignore or not looks_like_spans(value):
            continue
        raise RowError(
            "unread_labels",
            f"{key!r} holds what looks like {len(unpacked(value))} labels, and nothing reads it",
            where=where,
            hint=f"--set read.options.spans_key={key} reads it, --set read.options.ignore={key} passes it over",
        )


def _looks_like_span(item: Any) -> bool:
    if isinstance(item, Mapping):
        return any(_is_number(item.get(k)) for k in STARTS) and (
            any(_is_number(item.get(k)) for k in ENDS) or isinstance(item.get("text"), str)
        )
    if isinstance(item, (list, tuple)) and len(item) == 3:
        return any(_is_range([v for i, v in enumerate(item) if i != at]) and isinstance(item[at], str) for at in (0, 2))
    return False


def _is_range(pair: Sequence[Any]) -> bool:
    return len(pair) == 2 and all(map(_is_number, pair))


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)

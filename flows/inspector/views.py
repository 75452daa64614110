"""A row as the browser gets it. Here, and only here, offsets become UTF-16 units, and UTF-16 units offsets again."""

from collections.abc import Mapping, Sequence
from typing import Any

from spanferry.corpora.review.decisions import RowState
from spanferry.corpora.schema import Example, Pair, Span
from spanferry.corpora.stored.switched import SWITCHES
from spanferry.corpora.text.offsets import code_points, in_unit
from spanferry.flows.inspector.asked import pairs, place, string
from spanferry.flows.inspector.edits import Edit, Refused, current
from spanferry.flows.inspector.languages import direction, hidden_characters


def pair_view(pair: Pair, state: RowState) -> dict[str, Any]:
    """Texts, spans on both sides and what was decided, as JSON values; every ``start`` and ``end`` in UTF-16 units."""
    now = current(pair, state)
    projections = {p.source_span_id: p for p in pair.projections}
    sources = {span.id: span for span in pair.source.spans}
    spans = []
    for name, verdict in now.items():
        decision = state.verdicts[name][0] if name in state.verdicts else None
        projection = projections.get(name)
        where = verdict.as_span()
        source = sources.get(name)
        spans.append(
            {
                "id": name,
                "field": verdict.field,
                "label": verdict.label or (source.label if source else ""),
                "source": _span(source, pair.source) if source else None,
                "target": _span(where, pair.target) if where and pair.target else None,
                "score": projection.score if projection and projection.span else None,
                "method": projection.method if projection else "",
                "reason": projection.reason if projection else None,
                "decision": decision and {"id": decision.id, "action": decision.action, "who": decision.who},
            }
        )
    return {
        "id": pair.source.id,
        "split": pair.source.split,
        "label": pair.source.label,
        "kept": pair.kept,
        "reasons": list(pair.reasons),
        "source": _side(pair.source),
        "target": _side(pair.target) if pair.target else None,
        "switches": _switches(pair.target) if pair.target else [],
        "spans": spans,
        "scores": [[name, value] for name, value in pair.scores.items()],
        "row": state.row and {"id": state.row.id, "action": state.row.action, "who": state.row.who},
        "flagged": state.flagged,
        "skipped": state.skipped,
        "version": state.version,
        "signature": pair.signature,
    }


def wish_of(pair: Pair, asked: Mapping[str, Any]) -> Edit:
    """What the browser asks for, in code points.

    Raises:
        Refused: It is no such thing, or an offset lies outside the text or inside a character.
    """
    strings = {key: string(asked, key, "") for key in ("action", "span", "label", "quote")}
    strings["field"] = string(asked, "field", "text") or "text"
    fragments = pairs(asked, "fragments")
    places = [place(asked.get(key), key) for key in ("start", "end")] + [edge for part in fragments for edge in part]
    text = pair.target.texts.get(strings["field"], "") if pair.target else ""
    try:
        convert = code_points(text, "utf16")
        start, end, *rest = [None if p is None else convert(p) for p in places]
    except KeyError as error:
        raise Refused(f"{error.args[0]} lies outside the text or inside a character") from error
    parts = tuple((a, b) for a, b in zip(rest[::2], rest[1::2], strict=True) if a is not None and b is not None)
    return Edit(**strings, start=start, end=end, fragments=parts)


def _switches(example: Example) -> list[dict[str, Any]]:
    """The stretches of a code-switched text that are in another language."""
    found = []
    for switch in example.meta.get(SWITCHES) or ():
        text = example.texts[switch["field"]]
        if switch["lang"] and 0 <= switch["start"] < switch["end"] <= len(text):
            convert = in_unit(text, "utf16")
            where = {"start": convert(switch["start"]), "end": convert(switch["end"]), "fragments": []}
            about = {key: switch[key] for key in ("field", "lang", "unit", "counterpart", "source_text")}
            found.append({**about, "place": where})
    return found


def _side(example: Example) -> dict[str, Any]:
    return {
        "lang": example.lang,
        "dir": direction(example.lang),
        "texts": [
            {"field": name, "text": text, "hidden": hidden_characters(text)} for name, text in example.texts.items()
        ],
    }


def _span(span: Span, example: Example) -> dict[str, Any]:
    text = example.texts[span.field]
    convert = in_unit(text, "utf16")
    return {
        "start": convert(span.start),
        "end": convert(span.end),
        "fragments": [[convert(a), convert(b)] for a, b in span.fragments],
        "quote": span.quote(text),
    }


def matrix_view(
    source: str, target: str, ranges: Sequence[Sequence[tuple[int, int]]], rows: Sequence[Sequence[float]]
) -> dict[str, Any]:
    """An alignment as words with their places and a table of probabilities, (n_source_words, n_target_words)."""
    sides = []
    for text, words in zip((source, target), ranges, strict=True):
        convert = in_unit(text, "utf16")
        sides.append([{"text": text[a:b], "start": convert(a), "end": convert(b)} for a, b in words])
    return {"source": sides[0], "target": sides[1], "rows": [[round(float(p), 3) for p in row] for row in rows]}


SHOWN_WORDS = 40  # of each side; a larger table does not fit a window


def cropped(view: Mapping[str, Any], source: int | None, target: int | None) -> dict[str, Any]:
    """The part of an alignment around a span, and ``cut``: whether it is only a part.

    Args:
        view: Of ``matrix_view``.
        source: Where the span begins in the source, in UTF-16 units; None: at the beginning.
        target: Where it begins in the target; None: where the source word is most likely aligned.
    """
    words, others, rows = view["source"], view["target"], view["rows"]
    down = _window(len(words), _word_at(words, source or 0))
    if target is not None or not (words and others):
        middle = _word_at(others, target or 0)
    else:
        row = rows[_word_at(words, source or 0)]
        middle = row.index(max(row))
    across = _window(len(others), middle)
    return {
        "source": words[down],
        "target": others[across],
        "rows": [row[across] for row in rows[down]],
        "cut": max(len(words), len(others)) > SHOWN_WORDS,
    }


def _word_at(words: Sequence[Mapping[str, Any]], offset: int) -> int:
    return next((i for i, word in enumerate(words) if word["end"] > offset), max(0, len(words) - 1))


def _window(count: int, middle: int) -> slice:
    first = max(0, min(middle - SHOWN_WORDS // 2, count - SHOWN_WORDS))
    return slice(first, first + SHOWN_WORDS)

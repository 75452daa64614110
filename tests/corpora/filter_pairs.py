"""Pairs for the tests of filters, from texts with spans written inline: ``See [Anna|person] in [Bonn|place].``"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from spanferry.corpora.filters import build, decide, score
from spanferry.corpora.schema import Example, Pair, Projection, Span


def parse(inline: str) -> tuple[str, tuple[Span, ...]]:
    """The plain text and its spans (``s0``, ``s1`` … in order of their opening brackets)."""
    text: list[str] = []
    spans: dict[int, Span] = {}
    open_: list[tuple[int, int]] = []
    place = count = 0
    while place < len(inline):
        char = inline[place]
        if char == "[":
            open_.append((len(text), count))
            count += 1
        elif char == "|" and open_:
            end = inline.index("]", place)
            start, number = open_.pop()
            spans[number] = Span(start, len(text), inline[place + 1 : end], f"s{number}")
            place = end
        else:
            text.append(char)
        place += 1
    return "".join(text), tuple(spans[i] for i in sorted(spans))


def example(inline: str, lang: str, **more: Any) -> Example:
    text, spans = parse(inline)
    return Example(more.pop("id", "row"), lang, {"text": text}, spans, **more)


def pair(
    source: str,
    target: str | None,
    *,
    langs: str = "en-es",
    scores: Sequence[float] = (),
    ids: Sequence[str] = (),
    **more: Any,
) -> Pair:
    """A pair whose target spans belong to the source's in order, or to those named in ``ids``."""
    source_lang, target_lang = langs.split("-")
    one = example(source, source_lang, **more)
    if target is None:
        return Pair(one, None)
    other = example(target, target_lang, **more)
    if ids:
        other = replace(other, spans=tuple(replace(s, id=i) for s, i in zip(other.spans, ids, strict=True)))
    placed: Mapping[str, Span] = {s.id: s for s in other.spans}
    projections = tuple(
        Projection(s.id, placed.get(s.id), scores[i] if i < len(scores) else 0.9, "test")
        for i, s in enumerate(one.spans)
    )
    return Pair(one, other, projections)


def reasons(kind: str, *pairs: Pair, **options: Any) -> list[list[str]]:
    """The decisions of one filter."""
    filters = build([{"kind": kind, **options}])
    return decide(filters, score(filters, pairs))

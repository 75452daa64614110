"""``span_fidelity``: right translations pass, other words under the label do not, and what can't be judged is left."""

from pathlib import Path

import numpy as np
import pytest

from spanferry.corpora import filters as filtering
from spanferry.corpora.readers import open_reader
from spanferry.corpora.schema import Example, Pair, Projection, Span
from spanferry.projectors.filters.span_fidelity import SpanFidelity, span_scores
from spanferry.projectors.pipeline.jobs import project


def pair(source: str, target: str, lang: str = "es") -> Pair:
    """A pair of two texts that are one span each."""
    span = Span(0, len(source), "x", "s0")
    placed = Span(0, len(target), "x", "s0")
    return Pair(
        Example("1", "en", {"text": source}, (span,)),
        Example("1", lang, {"text": target}, (placed,)),
        (Projection("s0", placed, 0.9, "default", None),),
    )


RIGHT = [
    ("European Union", "Unión Europea", "es"),
    ("European Union", "Europäische Union", "de"),
    ("European Union", "l'Union européenne", "fr"),
    ("the Netherlands", "los Países Bajos", "es"),
    ("Member States", "Mitgliedstaaten", "de"),
    ("Dutch", "niederländischen", "de"),
    ("tomorrow morning", "mañana por la mañana", "es"),
    ("Barack Obama", "Barack Obama", "de"),
    ("Moscow", "Москва", "ru"),
    ("Germany", "德国", "zh"),
    ("Japan", "日本", "ja"),
    ("2026-03-14", "2026-03-14", "it"),
    ("Ponnambalam", "Ponnambalam", "tr"),
]
WRONG = [
    ("European Union", "Ingeniería", "es"),
    ("Member States", "Wirtschaft", "de"),
    ("Italy", "Schweden", "de"),
    ("tomorrow morning", "el coche rojo", "es"),
    ("water", "房子", "zh"),
    ("Moscow", "собака", "ru"),
    ("Peter", "yesterday", "fr"),
]


@pytest.mark.parametrize(("source", "target", "lang"), RIGHT)
def test_right_words_pass(source: str, target: str, lang: str) -> None:
    [score] = span_scores(pair(source, target, lang)).values()
    assert score is not None and score >= 0.3
    assert _reasons(pair(source, target, lang)) == []


@pytest.mark.parametrize(("source", "target", "lang"), WRONG)
def test_other_words_are_rejected(source: str, target: str, lang: str) -> None:
    assert _reasons(pair(source, target, lang)) == ["span_fidelity:low"]


@pytest.mark.parametrize(
    ("one", "lang"),
    [(pair("Berlin", "เบอร์ลิน", "th"), "no table"), (pair("★", "★"), "no words")],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_can_not_be_judged_is_not(one: Pair, lang: str) -> None:
    assert all(score is None for score in span_scores(one).values())
    assert _reasons(one) == [], lang


def test_the_threshold_is_no_part_of_the_scores() -> None:
    strict, mild = SpanFidelity(low=0.9), SpanFidelity(low=0.0)
    assert strict.signature == mild.signature and strict.threshold_signature != mild.threshold_signature
    rows = [pair(*row) for row in RIGHT + WRONG]
    assert strict.score(rows) == mild.score(rows)


@pytest.mark.gold
@pytest.mark.parametrize("lang", ["es", "de"])
def test_words_of_other_spans_score_below_the_right_ones(gold: Path, lang: str) -> None:
    """Human translations of Europarl, and the same with the words of another span of the label put under it."""
    folder = gold / "europarl-ner"
    sides = [
        list(open_reader(folder / f"{code}-europarl.test.conll02", lang=code, format="conll").read())
        for code in ("en", lang)
    ]
    pairs = project(*sides, source="en", target=lang, filters=[])
    quotes = [
        (p.source.quote({s.id: s for s in p.source.spans}[t.id]), p.target.quote(t))
        for p in pairs
        if p.target
        for t in p.target.spans
    ]
    shifted = [(source, quotes[(i + 37) % len(quotes)][1]) for i, (source, _) in enumerate(quotes)]
    damaged = [(s, t) for (s, t), (_, own) in zip(shifted, quotes, strict=True) if t.casefold() != own.casefold()]
    scores = [
        np.array([next(iter(span_scores(pair(*row, lang)).values())) or 0.0 for row in rows])
        for rows in (quotes, damaged)
    ]
    below = (scores[0][:, None] > scores[1]).mean() + 0.5 * (scores[0][:, None] == scores[1]).mean()
    assert below > 0.93


def _reasons(one: Pair) -> list[str]:
    filters = [SpanFidelity()]
    [reasons] = filtering.decide(filters, filtering.score(filters, [one]))
    return reasons

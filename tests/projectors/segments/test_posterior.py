"""The posterior segment: mass, edges, and scores that other methods can use."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import spanferry.projectors.segments.posterior
from spanferry.corpora.errors import ConfigError
from spanferry.corpora.schema import Span
from spanferry.corpora.text.words import words
from spanferry.projectors.base import Alignment, ProjectionInput
from spanferry.projectors.segments.features import NAMES
from spanferry.projectors.segments.posterior import SegmentScorer, SegmentWeights, covered, learned_weights

# Mass alone: one sure link is worth five nats.
PLAIN = SegmentWeights.of({"links_in": 5.0, "links_out": -5.0, "words": -0.5})


def align(source: str, target: str, links: dict[tuple[int, int], float]) -> tuple[ProjectionInput, Alignment]:
    given_words = words(source), words(target)
    probabilities = np.zeros((len(given_words[0]), len(given_words[1])), np.float32)
    for link, probability in links.items():
        probabilities[link] = probability
    return ProjectionInput("e", source, target, (), "en", "xx"), Alignment(*given_words, probabilities)


def best(
    source: str, target: str, links: dict[tuple[int, int], float], quote: str, weights: SegmentWeights = PLAIN
) -> str | None:
    item, alignment = align(source, target, links)
    start = source.index(quote)
    segment = SegmentScorer(item, alignment, weights).best((start, start + len(quote)), 1)[0]
    if segment.score <= 0:
        return None
    return target[alignment.target_words[segment.start][0] : alignment.target_words[segment.end - 1][1]]


def test_gaps_are_bridged_where_the_mass_is_worth_it() -> None:
    crossed = {(0, 2): 0.9, (1, 0): 0.9, (2, 3): 0.9}
    target = "política de cohesión funciona"
    assert best("cohesion policy works", target, crossed, "cohesion policy") == "política de cohesión"
    links = {(0, 0): 0.9, (1, 2): 0.9, (2, 3): 0.9}
    assert best("a b c", "x y z w", links, "a b") == "x y z"
    assert best("a b c", "x y z w", {**links, (2, 1): 0.95}, "a b") in ("x", "z")


def test_a_word_that_belongs_elsewhere_stays_out() -> None:
    links = {(0, 0): 0.9, (1, 1): 0.8, (2, 1): 0.5}
    assert best("a b c", "x y", links, "c") is None
    assert best("a b c", "x y", links, "b c") == "y"


@pytest.mark.parametrize(
    ("source", "target", "links", "quote", "plain", "learned"),
    [
        (
            "in Geneva now",
            "en Ginebra financiada",
            {(0, 0): 0.9, (1, 1): 0.9, (1, 2): 0.3},
            "Geneva",
            "Ginebra financiada",
            "Ginebra",
        ),
        (
            "they said Union policy",
            "dicen la política",
            {(1, 0): 0.9, (2, 1): 0.2, (3, 2): 0.9},
            "Union policy",
            "la política",
            "política",
        ),
        (
            "so Bug comes",
            'doch "Bug" kommt',
            {(0, 0): 0.9, (1, 1): 0.15, (1, 2): 0.9, (1, 3): 0.15, (2, 4): 0.9},
            "Bug",
            '"Bug"',
            "Bug",
        ),
        (
            "we see the house",
            "on voit la maison",
            {(0, 0): 0.9, (1, 1): 0.9, (2, 2): 0.6, (3, 3): 0.9},
            "the house",
            "la maison",
            "la maison",
        ),
    ],
)
def test_edges(source: str, target: str, links: dict, quote: str, plain: str, learned: str) -> None:
    assert best(source, target, links, quote) == plain
    assert best(source, target, links, quote, learned_weights()) == learned


def test_the_article_belongs_to_a_clause_but_not_to_a_name() -> None:
    source, target = (
        "Surgery was safe and helped all old patients",
        "La cirugía fue segura y ayudó a todos los pacientes",
    )
    links = {(0, 1): 0.9, (1, 2): 0.9, (2, 3): 0.9, (3, 4): 0.9, (4, 5): 0.9, (5, 7): 0.9, (6, 8): 0.3, (7, 9): 0.9}
    assert best(source, target, links, "Surgery", learned_weights()) == "cirugía"
    assert best(source, target, links, source, learned_weights()) == target


def test_spelling_decides_between_equals() -> None:
    links = {(0, 0): 0.5, (0, 1): 0.5}
    weights = SegmentWeights.of({"links_in": 5.0, "words": -3.0, "spelling": 1.0})
    assert best("Brussels", "xyz Bruselas", links, "Brussels", weights) == "Bruselas"


def test_both_directions_are_read_where_there_are_both() -> None:
    item, alignment = align("a b", "x y", {(0, 0): 0.9, (1, 1): 0.9})
    made = SegmentWeights.of({"made_in": 1.0}, {"makes_in": 3.0})
    ranges = [alignment.target_words[0]]
    assert SegmentScorer(item, alignment, made).scores((0, 1), ranges) == pytest.approx([2.7])
    both = replace(alignment, forward=alignment.probabilities / 2, backward=alignment.probabilities)
    assert SegmentScorer(item, both, made).scores((0, 1), ranges) == pytest.approx([0.45])


def test_nothing_is_said_where_no_word_is_linked() -> None:
    item, alignment = align("Aa Bb", "Xx Yy", {(0, 0): 0.9})
    assert SegmentScorer(item, alignment).best((3, 5), 3) == []


def test_scores_agree_with_the_segments() -> None:
    item, alignment = align("a Big b", "x y z w", {(0, 0): 0.9, (1, 2): 0.7, (1, 1): 0.2, (2, 3): 0.6})
    scorer = SegmentScorer(item, alignment)
    segments = scorer.best((2, 5), 10)
    assert len(segments) == 8  # all there are of four words with a link to the span
    ranges = [(alignment.target_words[s.start][0], alignment.target_words[s.end - 1][1]) for s in segments]
    assert scorer.scores((2, 5), ranges) == pytest.approx([s.score for s in segments])
    assert [s.score for s in segments] == sorted((s.score for s in segments), reverse=True)
    assert sum(s.probability for s in segments) < 1.0


def test_a_word_covered_in_part_counts_in_part() -> None:
    item, alignment = align("Big", "wxyz", {(0, 0): 0.8})
    whole, half, none = SegmentScorer(item, alignment, PLAIN).scores((0, 3), [(0, 4), (0, 2), (4, 4)])
    assert whole == pytest.approx(3.5)
    assert half == pytest.approx(whole / 2)
    assert none == 0.0


def test_no_alignment_has_no_opinion() -> None:
    item, alignment = align("a b", "x y", {(0, 0): 0.9})
    failed = SegmentScorer(item, Alignment((), (), np.zeros((0, 0), np.float32), reason="too_long"))
    assert failed.scores((0, 1), [(0, 1), (2, 3)]).tolist() == [0.0, 0.0]
    assert failed.best((0, 1), 3) == []
    scorer = SegmentScorer(item, alignment)
    assert scorer.scores((1, 2), [(0, 1)]).tolist() == [0.0]  # a blank
    assert scorer.scores((0, 1), []).shape == (0,)
    assert scorer.best((1, 2), 3) == []


def test_covered_asks_for_a_shared_code_point() -> None:
    ranges = words("ab cd ef")
    assert covered(ranges, (1, 4)).tolist() == [True, True, False]
    assert covered(ranges, (2, 3)).tolist() == [False, False, False]


@given(
    st.lists(st.lists(st.floats(0, 1, width=16), min_size=5, max_size=5), min_size=3, max_size=3),
    st.integers(0, 2),
)
def test_the_best_segment_is_the_best_of_all(rows: list[list[float]], word: int) -> None:
    item, alignment = align("a Big Tall", "x Y , z w", {})
    alignment = Alignment(alignment.source_words, alignment.target_words, np.array(rows, np.float32))
    span = alignment.source_words[word]
    scorer = SegmentScorer(item, alignment)
    own = alignment.probabilities[word]
    n = len(alignment.target_words)
    every = [(k, m) for k in range(n) for m in range(k + 1, n + 1) if own[k:m].astype(float).sum() >= 0.05]
    ranges = [(alignment.target_words[k][0], alignment.target_words[m - 1][1]) for k, m in every]
    found = scorer.best(span, 1)
    assert bool(found) == bool(every)
    if found:
        assert found[0].score == pytest.approx(max(scorer.scores(span, ranges)), abs=2e-6)
        assert 0.0 < found[0].probability < 1.0


def test_the_span_itself_is_not_looked_at() -> None:
    item, alignment = align("a b", "x y", {(0, 0): 0.9})
    with_span = replace(item, spans=(Span(0, 1, "X", "s"),))
    found, same = (SegmentScorer(i, alignment).best((0, 1), 3) for i in (item, with_span))
    assert found == same


def test_the_weights_name_every_feature_and_their_data() -> None:
    path = Path(spanferry.projectors.segments.posterior.__file__).with_name("segment_weights.json")
    tables = json.loads(path.read_text(encoding="utf-8"))
    assert set(tables["directed"]) == set(tables["links"]) == set(NAMES)
    assert "half of europarl-es" in tables["fitted_on"]
    with pytest.raises(ConfigError, match="links_inn"):
        SegmentWeights.of({"links_inn": 1.0})
    assert SegmentWeights.of({"words": 1.0}).digest != SegmentWeights.of({"words": 2.0}).digest

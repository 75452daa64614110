"""The posterior segment: mass, edges, and scores that other methods can use."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.schema import Span
from corpora.words import words
from projectors.base import Alignment, ProjectionInput
from projectors.posterior import SegmentSettings, best_segments, covered, evidence, segment_scores

PLAIN = SegmentSettings(outside=1.0, bias=0.1, case=0.0, punctuation=0.0, function=0.0, copy=0.0)


def align(source: str, target: str, links: dict[tuple[int, int], float]) -> tuple[ProjectionInput, Alignment]:
    given_words = words(source), words(target)
    probabilities = np.zeros((len(given_words[0]), len(given_words[1])), np.float32)
    for link, probability in links.items():
        probabilities[link] = probability
    return ProjectionInput("e", source, target, (), "en", "xx"), Alignment(*given_words, probabilities)


def best(
    source: str, target: str, links: dict[tuple[int, int], float], quote: str, settings: SegmentSettings = PLAIN
) -> str | None:
    item, alignment = align(source, target, links)
    start = source.index(quote)
    found = evidence(item, alignment, (start, start + len(quote)), settings)
    assert found is not None
    segment = best_segments(item, alignment, found, 1, settings)[0]
    if segment.score <= 0:
        return None
    return target[alignment.target_words[segment.start][0] : alignment.target_words[segment.end - 1][1]]


def test_gaps_are_bridged_where_the_mass_is_worth_it() -> None:
    links = {(0, 0): 0.9, (1, 2): 0.9, (2, 3): 0.9}
    assert (
        best(
            "cohesion policy works",
            "política de cohesión funciona",
            {(0, 2): 0.9, (1, 0): 0.9, (2, 3): 0.9},
            "cohesion policy",
        )
        == "política de cohesión"
    )
    assert best("a b c", "x y z w", links, "a b") == "x y z"
    assert best("a b c", "x y z w", {**links, (2, 1): 0.95}, "a b") in ("x", "z")


def test_a_word_that_belongs_elsewhere_stays_out() -> None:
    links = {(0, 0): 0.9, (1, 1): 0.8, (2, 1): 0.5}
    assert best("a b c", "x y", links, "c") is None
    assert best("a b c", "x y", links, "b c") == "y"


def test_half_of_a_compound_can_be_had() -> None:
    links = {(0, 0): 0.5, (1, 0): 0.5}
    assert best("Union law", "Unionsrecht", links, "Union") is None
    assert best("Union law", "Unionsrecht", links, "Union", SegmentSettings()) == "Unionsrecht"


@pytest.mark.parametrize(
    ("source", "target", "links", "quote", "plain", "edged"),
    [
        (
            "in Geneva now",
            "en Ginebra financiada",
            {(1, 1): 0.9, (1, 2): 0.3},
            "Geneva",
            "Ginebra financiada",
            "Ginebra",
        ),
        ("said Union policy", "la política", {(1, 0): 0.2, (2, 1): 0.9}, "Union policy", "la política", "política"),
        ("so Bug comes", '"Bug" kommt', {(1, 0): 0.3, (1, 1): 0.9, (1, 2): 0.3}, "Bug", '"Bug"', "Bug"),
        ("see the house", "voir la maison", {(1, 1): 0.3, (2, 2): 0.9}, "the house", "la maison", "la maison"),
    ],
)
def test_edges(source: str, target: str, links: dict, quote: str, plain: str, edged: str) -> None:
    assert best(source, target, links, quote) == plain
    assert best(source, target, links, quote, SegmentSettings(copy=0.0)) == edged


def test_spelling_decides_between_equals() -> None:
    links = {(0, 0): 0.5, (0, 1): 0.5}
    settings = SegmentSettings(copy=0.3, bias=0.6)
    assert best("Brussels", "xyz Bruselas", links, "Brussels", settings) == "Bruselas"


def test_scores_agree_with_the_segments() -> None:
    item, alignment = align("a Big b", "x y z w", {(0, 0): 0.9, (1, 2): 0.7, (1, 1): 0.2, (2, 3): 0.6})
    settings = SegmentSettings()
    found = evidence(item, alignment, (2, 5), settings)
    assert found is not None
    segments = best_segments(item, alignment, found, 10, settings)
    assert len(segments) == 10  # all there are of four words
    ranges = [(alignment.target_words[s.start][0], alignment.target_words[s.end - 1][1]) for s in segments]
    scores = segment_scores(item, alignment, (2, 5), ranges)
    assert scores == pytest.approx([settings.sharpness * s.score for s in segments])
    assert [s.score for s in segments] == sorted((s.score for s in segments), reverse=True)


def test_a_word_covered_in_part_counts_in_part() -> None:
    item, alignment = align("Big", "wxyz", {(0, 0): 0.8})
    whole, half, none = segment_scores(item, alignment, (0, 3), [(0, 4), (0, 2), (4, 4)], PLAIN)
    assert whole == pytest.approx(PLAIN.sharpness * 0.7)
    assert half == pytest.approx(whole / 2)
    assert none == 0.0


def test_no_alignment_has_no_opinion() -> None:
    item, alignment = align("a b", "x y", {(0, 0): 0.9})
    failed = Alignment((), (), np.zeros((0, 0), np.float32), reason="too_long")
    assert segment_scores(item, failed, (0, 1), [(0, 1), (2, 3)]).tolist() == [0.0, 0.0]
    assert segment_scores(item, alignment, (1, 2), [(0, 1)]).tolist() == [0.0]  # a blank
    assert segment_scores(item, alignment, (0, 1), []).shape == (0,)
    assert evidence(item, alignment, (1, 2), PLAIN) is None


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
    settings, span = SegmentSettings(copy=0.0), alignment.source_words[word]
    found = evidence(item, alignment, span, settings)
    assert found is not None
    segment = best_segments(item, alignment, found, 1, settings)[0]
    every = [(a[0], b[1]) for k, a in enumerate(alignment.target_words) for b in alignment.target_words[k:]]
    assert settings.sharpness * segment.score == pytest.approx(
        max(segment_scores(item, alignment, span, every, settings))
    )
    assert 0.0 < segment.probability < 1.0


def test_span_fields_are_not_needed() -> None:
    item, alignment = align("a b", "x y", {(0, 0): 0.9})
    with_span = ProjectionInput("e", item.source_text, item.target_text, (Span(0, 1, "X", "s"),), "en", "xx")
    a, b = (evidence(i, alignment, (0, 1), PLAIN) for i in (item, with_span))
    assert a is not None and b is not None and np.array_equal(a.gain, b.gain)

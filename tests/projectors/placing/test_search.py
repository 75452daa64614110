"""The joint choice: relations kept, best sum, no dependence on order."""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanferry.projectors.placing.search import choose, compatible

ranges = st.tuples(st.integers(0, 12), st.integers(1, 6)).map(lambda t: (t[0], t[0] + t[1]))
scores = st.integers(-40, -1).map(lambda i: i / 4)
candidate_lists = st.lists(st.tuples(ranges, scores).map(lambda t: (*t[0], t[1])), max_size=5)
problems = st.lists(st.tuples(ranges, candidate_lists), max_size=5)


def picked(problem, chosen):
    return [None if c is None else row[c] for (_, row), c in zip(problem, chosen, strict=True)]


def solve(problem, **options):
    return choose([span for span, _ in problem], [row for _, row in problem], **options)


def total(picks, absent):
    return sum(absent if p is None else p[2] for p in picks)


def legal(problem, picks):
    placed = [(span, p[:2]) for (span, _), p in zip(problem, picks, strict=True) if p is not None]
    return all(compatible(a, b, x, y) for (a, x), (b, y) in itertools.combinations(placed, 2))


@pytest.mark.parametrize(
    ("spans", "candidates", "expected"),
    [
        ([], [], []),
        ([(0, 3)], [[]], [None]),
        ([(0, 3)], [[(5, 9, -1.0), (0, 3, -0.5)]], [1]),
        # Both want (0, 4); the one that loses less moves.
        ([(0, 3), (4, 7)], [[(0, 4, -0.1), (5, 9, -5.0)], [(0, 4, -0.2), (5, 9, -1.0)]], [0, 1]),
        # Nested stays nested although the inner one alone would rather stand outside.
        ([(0, 9), (4, 7)], [[(0, 9, -0.1)], [(10, 12, -0.1), (2, 5, -3.0)]], [0, 1]),
        # Equal spans stay equal.
        ([(0, 9), (0, 9)], [[(0, 9, -1.0), (1, 9, -0.9)], [(0, 9, -1.0), (1, 9, -2.0)]], [0, 0]),
        # Crossing spans are free.
        ([(0, 5), (3, 8)], [[(0, 2, -1.0)], [(4, 6, -1.0)]], [0, 0]),
        # Nothing fits: one of them is left out, the worse one.
        ([(0, 3), (4, 7)], [[(0, 4, -2.0)], [(0, 4, -1.0)]], [None, 0]),
        # Ties: the earlier range.
        ([(0, 3)], [[(6, 9, -1.0), (2, 4, -1.0), (2, 3, -1.0)]], [2]),
    ],
)
def test_choose(spans, candidates, expected):
    assert choose(spans, candidates) == expected


def test_absent_is_a_threshold():
    assert choose([(0, 3)], [[(0, 3, -2.0)]], absent=-1.0) == [None]
    assert choose([(0, 3)], [[(0, 3, -2.0)]], absent=-3.0) == [0]


@given(problems, st.sampled_from([-1e4, -5.0]))
@settings(max_examples=150, deadline=None)
def test_is_the_best_legal_choice(problem, absent):
    picks = picked(problem, solve(problem, absent=absent))
    assert len(picks) == len(problem)
    assert legal(problem, picks)
    everything = itertools.product(*[[None, *row] for _, row in problem])
    best = max(total(option, absent) for option in everything if legal(problem, option))
    assert total(picks, absent) == pytest.approx(best)


@given(problems, st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_order_of_spans_and_candidates_is_nothing(problem, rng):
    before = picked(problem, solve(problem))
    order = list(range(len(problem)))
    rng.shuffle(order)
    shuffled = []
    for i in order:
        row = list(problem[i][1])
        rng.shuffle(row)
        shuffled.append((problem[i][0], row))
    after = picked(shuffled, solve(shuffled))
    assert sorted(zip([problem[i] for i in order], after, strict=True), key=str) == sorted(
        zip(problem, before, strict=True), key=str
    )


def test_a_hundred_spans_that_all_conflict():
    rng = random.Random(5)
    spans = [(10 * i, 10 * i + 6) for i in range(100)]
    candidates = [
        sorted({(a := max(0, 10 * i + rng.randint(-30, 30)), a + rng.randint(3, 12)) for _ in range(8)})
        for i in range(100)
    ]
    scored = [[(a, b, -rng.random() * 8) for a, b in row] for row in candidates]
    chosen = choose(spans, scored)
    picks = [None if c is None else row[c] for row, c in zip(scored, chosen, strict=True)]
    assert legal(list(zip(spans, scored, strict=True)), picks)
    assert sum(p is not None for p in picks) >= 90
    assert choose(spans, scored) == chosen


def test_many_spans_with_one_wish():
    spans = [(3 * i, 3 * i + 2) for i in range(300)]
    chosen = choose(spans, [[(0, 4, -1.0 - i), (4, 8, -2.0 - i)] for i in range(300)])
    assert [i for i, c in enumerate(chosen) if c is not None] == [0, 1]

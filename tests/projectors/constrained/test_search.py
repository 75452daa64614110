"""The search of constrained decoding from inside: what one pass shows of other pairs of places."""

import numpy as np
import pytest

from spanferry.corpora.schema import Span
from spanferry.projectors.base import ProjectionInput
from spanferry.projectors.constrained.candidates import CLOSE
from spanferry.projectors.constrained.job import Effort
from spanferry.projectors.constrained.projector import ConstrainedProjector
from spanferry.projectors.constrained.search import Forcer, _State, search
from spanferry.translators.families import read_vocabulary

SOURCE = "Yesterday the old captain of the ship sold his small house in Boston to my sister."
TARGET = "Ayer el viejo capitán del barco vendió su pequeña casa en Boston a mi hermana."


@pytest.fixture(scope="module")
def forcer(model):
    return Forcer(model.raw, len(read_vocabulary(model.directory, "target")))


def job_span():
    start = SOURCE.index("his small house")
    return (Span(start, start + 15, "X", "s0"),)


@pytest.fixture(scope="module")
def job(model):
    (job,) = ConstrainedProjector(model)._jobs(ProjectionInput("e", SOURCE, TARGET, job_span(), "en", "es"))
    return job


@pytest.fixture
def state(forcer, job):
    """After the passes that open and close, before any whole one."""
    state = _State(job, forcer.score([(source, job.target) for source in job.contrast_sources], job.prefix), Effort())
    state.open(None)
    for opening in job.places.opens:
        end = min(opening + job.bound + 1, job.n_pieces)
        (opened,) = forcer.score([(job.source, job.opened(opening, end))], job.prefix)
        state.close(opening, end, opened)
    return state


def whole(forcer, job, pair):
    return forcer.score([(job.source, job.closed(*pair))], job.prefix)[0]


def test_a_whole_pass_shows_other_pairs(forcer, job, state):
    best = state.ranked()[0]
    state.add_exact(best, whole(forcer, job, best))
    assert state.estimate_via(best, best) == pytest.approx(state.exact[best])
    off: dict[str, list[float]] = {"alike": [], "before": []}
    for pair in state.ranked()[1:30]:
        true = float(whole(forcer, job, pair).sum(dtype=np.float64))
        if pair[1] == best[1]:
            off["alike"].append(abs(state.estimate_via(best, pair) - true))
        off["before"].append(abs(state.estimates[pair] - true))
    # Of pairs that close in the same place it shows more than the passes before did of any.
    assert len(off["alike"]) >= 3 and np.median(off["alike"]) < 1.0
    assert np.median(off["alike"]) < np.median(off["before"])


def test_only_those_that_could_still_win_are_scored(forcer, job, state):
    order = []
    state.select_finalists()
    while state.finalists:
        if order:
            assert all(state.upper_bound(pair) >= max(state.exact.values()) for pair in state.finalists)
        order += state.finalists
        for pair in state.finalists:
            state.add_exact(pair, whole(forcer, job, pair))
        state.select_finalists()
    assert order[0] == state.ranked()[0] and len(set(order)) == len(order) < len(state.estimates) / 2
    best = max(state.exact.values())
    near = [pair for pair in state.ranked()[:40] if state.estimates[pair] >= state.estimates[order[0]] - 6.0]
    assert all(pair in state.exact or state.upper_bound(pair) < best for pair in near)
    # The best of all is among them.
    (full,) = search(forcer, [job], Effort(full=True))
    assert (full[0].opening, full[0].closing) == max(state.exact, key=state.exact.get)


def test_one_that_stands_alone_is_not_scored(state):
    first, second = state.ranked()[:2]
    state.markers[first] = -0.1
    state.estimates[first] = state.estimates[second] + state.effort.alone + 0.1
    state.select_finalists()
    assert not state.finalists
    # It is, where the model all but rules its markers out.
    state.markers[first] = -2.0
    state.select_finalists()
    assert state.finalists == [first]


class Fails(Forcer):
    """Whole passes fail."""

    def score(self, rows, prefix):
        found = super().score(rows, prefix)
        return [f[:0] if CLOSE in target else f for (_, target), f in zip(rows, found, strict=True)]


def test_where_whole_passes_fail_the_estimates_stand(model, job):
    (found,) = search(Fails(model.raw, 100), [job], Effort())
    assert len(found) > 5 and not any(pair.exact for pair in found)
    assert job.places.starts[job.places.opens.index(found[0].opening)] == TARGET.index("su pequeña")


def test_no_more_are_scored_than_there_may_be(forcer, job):
    for most in (1, 2, 3):
        (found,) = search(
            forcer,
            [job],
            Effort(finalists=most, alone=100.0, close=100.0, error_other_closing=100.0, error_same_closing=100.0),
        )
        assert sum(pair.exact for pair in found) == most


def test_other_spans_tell_what_the_target_has_without_a_marker(forcer, model, job):
    start = SOURCE.index("Boston")
    spans = (*job_span(), Span(start, start + 6, "X", "s1"))
    first, second = ConstrainedProjector(model)._jobs(ProjectionInput("e", SOURCE, TARGET, spans, "en", "es"))
    assert first.contrast_sources == (first.source, second.source) and second.contrast_sources == (
        second.source,
        first.source,
    )
    assert job.contrast_sources == (job.source, job.plain) and first.source == job.source
    bare = forcer.score([(source, first.target) for source in (*first.contrast_sources, first.plain)], first.prefix)
    states = [_State(first, bare[:2], Effort()), _State(second, bare[1::-1], Effort())]
    np.testing.assert_array_equal(states[0].plain, states[1].plain)
    # Nearer to what the source without markers gives than what the marked one does.
    off = [np.abs(known - bare[2]).mean() for known in (states[0].plain, bare[0])]
    assert off[0] < off[1] / 2


def test_full_keeps_no_tails(forcer, job):
    bare = forcer.score([(source, job.target) for source in job.contrast_sources], job.prefix)
    state = _State(job, bare, Effort(full=True))
    pair = (job.places.opens[0], job.places.closes[-1])
    state.add_exact(pair, whole(forcer, job, pair))
    assert set(state.exact) == {pair} and not state.tails

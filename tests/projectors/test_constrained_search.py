"""The search of constrained decoding from inside: what one pass tells of other pairs of places."""

import numpy as np
import pytest

from corpora.schema import Span
from projectors.base import ProjectionInput
from projectors.constrained import ConstrainedProjector
from projectors.constrained_job import Effort
from projectors.constrained_search import Forcer, _State, search
from translators.families import read_vocabulary

SOURCE = "Yesterday the old captain of the ship sold his small house in Boston to my sister."
TARGET = "Ayer el viejo capitán del barco vendió su pequeña casa en Boston a mi hermana."


@pytest.fixture(scope="module")
def forcer(model):
    return Forcer(model.raw, len(read_vocabulary(model.directory, "target")))


@pytest.fixture(scope="module")
def job(model):
    start = SOURCE.index("his small house")
    item = ProjectionInput("e", SOURCE, TARGET, (Span(start, start + 15, "X", "s0"),), "en", "es")
    (job,) = ConstrainedProjector(model)._jobs(item)
    return job


@pytest.fixture
def state(forcer, job):
    """After the passes that open and close, before any whole one."""
    effort = Effort().thorough()
    plain, marked = forcer.score([(job.plain, job.target), (job.source, job.target)], job.prefix)
    state = _State(job, plain, effort)
    state.open(marked, None, effort)
    for opening in job.places.opens:
        end = min(opening + job.bound + 1, job.n_pieces)
        (opened,) = forcer.score([(job.source, job.opened(opening, end))], job.prefix)
        state.close(opening, end, opened)
    return state


def whole(forcer, job, pair):
    return forcer.score([(job.source, job.closed(*pair))], job.prefix)[0]


def test_a_whole_pass_tells_of_other_pairs(forcer, job, state):
    best = state.ranked()[0]
    state.whole(best, whole(forcer, job, best))
    assert state.by(best, best) == pytest.approx(state.exact[best])
    off: dict[str, list[float]] = {"alike": [], "before": []}
    for pair in state.ranked()[1:30]:
        true = float(whole(forcer, job, pair).sum(dtype=np.float64))
        if pair[1] == best[1]:
            off["alike"].append(abs(state.by(best, pair) - true))
        off["before"].append(abs(state.estimates[pair] - true))
    # Of pairs that close in the same place it tells more than the passes before did of any.
    assert len(off["alike"]) >= 3 and np.median(off["alike"]) < 1.0
    assert np.median(off["alike"]) < np.median(off["before"])


def test_only_those_that_could_still_win_are_scored(forcer, job, state):
    effort = Effort().thorough()
    first = state.ranked()[:2]
    for pair in first:
        state.whole(pair, whole(forcer, job, pair))
    state.contenders = state.ranked()[2:]
    state.contend(effort)
    least = max(state.exact.values()) - effort.doubt
    assert all(max(state.by(known, pair) for known in first) >= least for pair in state.finalists)
    assert len(state.finalists) < len(state.contenders) / 2
    # The best of all is among them or was scored already.
    (full,) = search(forcer, [job], Effort(full=True))
    assert (full[0].opening, full[0].closing) in {*first, *state.finalists}


def test_full_keeps_no_tails(forcer, job):
    state = _State(job, forcer.score([(job.plain, job.target)], job.prefix)[0], Effort(full=True))
    pair = (job.places.opens[0], job.places.closes[-1])
    state.whole(pair, whole(forcer, job, pair))
    assert set(state.exact) == {pair} and not state.tails

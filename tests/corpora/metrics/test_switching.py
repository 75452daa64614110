import pytest

from spanferry.corpora.metrics import switching as m
from spanferry.corpora.metrics.switching_corpus import SwitchingStatistics, bin_of, edges


def tags(text: str) -> list[str]:
    """Letters as tags; U is a token that belongs to no language."""
    return [m.INDEPENDENT if t == "U" else t for t in text.split()]


A = tags("E E H H U U H H E E E H H")
B = tags("E H E H E H")
D = tags("E E E F F H E E U")


@pytest.mark.parametrize(
    ("metric", "a", "b", "d"),
    [
        ("cmi", 45.4545, 50, 37.5),
        ("cmi_with_switches", 36.3636, 66.667, 37.5),
        ("m_index", 0.983607, 1, 0.566667),
        ("i_index", 0.3, 1, 0.428571),
        ("spf", 0.3, 1, 0.428571),
        ("language_entropy", 0.994030, 1, 1.298795),
        ("span_entropy", 1.5, 0, 1.5),
        ("burstiness", -0.536675, -1, None),
        ("memory", -0.5, None, None),
    ],
)
def test_published_vectors(metric: str, a: float, b: float | None, d: float | None) -> None:
    for sequence, expected in ((A, a), (B, b), (D, d)):
        found = SwitchingStatistics().add(sequence).summary()[metric]
        if metric in ("burstiness", "memory") and sequence is D:
            continue
        assert found == (None if expected is None else pytest.approx(expected, abs=5e-4 if expected > 1 else 5e-7))


def test_the_functions_agree_with_the_stream() -> None:
    assert (m.switches(A), m.runs(A)) == (3, [2, 4, 3, 2])
    assert m.cmi(A) == pytest.approx(45.4545, abs=1e-4)
    assert m.cmi_with_switches(B) == pytest.approx(66.667, abs=1e-3)
    assert m.switch_fraction(A) == pytest.approx(0.3)
    assert m.m_index({"E": 5, "F": 2, "H": 1}) == pytest.approx(0.566667, abs=1e-6)
    assert m.language_entropy({"E": 5, "F": 2, "H": 1}) == pytest.approx(1.298795, abs=1e-6)
    assert m.span_entropy([2, 4, 3, 2]) == 1.5
    assert m.burstiness([2, 4, 3, 2]) == pytest.approx(-0.536675, abs=1e-6)
    assert m.burstiness([1, 1, 1]) == -1
    assert m.memory([2, 4, 3, 2]) == pytest.approx(-0.5)
    assert m.memory([1, 1, 1, 1]) is None


def test_a_final_run_of_one_counts_and_independent_tokens_do_not_switch() -> None:
    assert m.runs(tags("E E U H")) == [2, 1]
    assert m.switches(tags("E U E")) == 0
    assert m.cmi(tags("U U")) == 0 and m.cmi_with_switches([]) == 0
    assert m.switch_fraction(tags("E U")) is None


def test_corpus_cmi_with_and_without_changes_between_utterances() -> None:
    corpus = [tags("E E H E"), tags("H H H"), tags("H E H H H")]
    assert m.corpus_cmi(corpus) == pytest.approx(94.7222, abs=1e-4)
    assert m.corpus_cmi(corpus, delta=False) == pytest.approx(78.0556, abs=1e-4)
    found = SwitchingStatistics().add_all(corpus).summary()
    assert found["corpus_cmi"] == pytest.approx(94.7222, abs=1e-4)
    assert found["corpus_cmi_without_delta"] == pytest.approx(78.0556, abs=1e-4)


def test_the_index_of_a_corpus_runs_over_the_stream() -> None:
    found = SwitchingStatistics().add_all([tags("E E"), tags("H H")]).summary()
    assert found["i_index"] == pytest.approx(1 / 3) and found["spf"] == 0


def test_distributions_by_languages() -> None:
    found = SwitchingStatistics().add_all([A.copy(), tags("E E"), tags("E F"), tags("U")])
    assert {name: g.utterances for name, g in found.groups.items()} == {"E+H": 1, "E": 1, "E+F": 1, "none": 1}
    assert found.groups["E+H"].histograms["cmi"][4] == 1 and sum(found.histograms["spf"]) == 3
    assert edges("cmi", 4) == (0, 25, 50, 75, 100)
    assert (bin_of(0.3, "spf"), bin_of(1.0, "spf"), bin_of(29.999, "cmi")) == (3, 9, 2)


def test_total_variation() -> None:
    assert m.total_variation([1, 1], [10, 10]) == 0
    assert m.total_variation([1, 0], [0, 3]) == 1
    assert m.total_variation([3, 1], [1, 1]) == pytest.approx(0.25)
    with pytest.raises(ValueError, match="without any count"):
        m.total_variation([0, 0], [1, 1])

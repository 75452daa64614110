"""How much is switched, and into which of several languages."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.metrics.switching import total_variation
from spanferry.corpora.metrics.switching_corpus import SwitchingStatistics
from spanferry.corpora.multiway import MultiRow
from spanferry.corpora.switching.languages import Policy
from spanferry.corpora.switching.samplers.cmi import CmiSampler
from spanferry.corpora.switching.samplers.histogram import HistogramSampler
from spanferry.corpora.switching.samplers.matching import match
from spanferry.corpora.switching.samplers.probability import ProbabilitySampler
from spanferry.corpora.switching.tagged import read_language_tags
from spanferry.corpora.switching.units.chunk import DocumentUnits
from spanferry.corpora.switching.units.span import SpanUnits
from tests.corpora.switching_rows import done, row, switched, switcher, table

WORDS = ("we", "saw", "many", "old", "trees", "near", "rivers", "and", "some", "quiet", "birds", "sang")


def rows(count: int, lengths: Sequence[int] = (6, 8, 10, 12), langs: Sequence[str] = ("es",)) -> list[MultiRow]:
    """Rows whose words are linked one to one; those of another language have its tag in front."""
    found = []
    for i in range(count):
        own = [WORDS[(i + k) % 12] for k in range(lengths[i % len(lengths)])]
        links = " ".join(f"{k}-{k}" for k in range(len(own)))
        others = [(lang, " ".join(f"{lang}{w}" for w in own), [], links) for lang in langs]
        found.append(row(f"r{i}", ("en", " ".join(own), []), *others))
    return found


def test_cross_and_ratio_are_rates() -> None:
    given = rows(600)
    found = done(given, sampler=ProbabilitySampler(ratio=0.6, cross=0.4))
    switched_rows = sum(bool(s) for s in found.kept["switches"].to_pylist())
    units = found.counts["switched"] / found.counts["units"]
    assert 0.55 < switched_rows / 600 < 0.65 and units == pytest.approx(0.24, abs=0.02)
    assert done(given, sampler=ProbabilitySampler(ratio=0.0)).counts["switched"] == 0


def test_a_target_cmi_is_met_on_average_and_to_a_step_in_each_row() -> None:
    values = np.array(done(rows(800), sampler=CmiSampler(target=25)).kept["cmi"].to_pylist())
    assert values.mean() == pytest.approx(25, abs=0.5)
    # A word of six is 16.7 per cent.
    assert (np.abs(values - 25) <= 100 / 6).all()
    far = done(rows(100, [3]), sampler=CmiSampler(target=25, tolerance=5))
    assert far.kept.num_rows == 0 and far.rejected["reasons"].to_pylist() == [["sampler:cmi"]] * 100


@pytest.mark.parametrize(
    ("measure", "shares", "least"),
    [
        ("cmi", (2.0, 0, 1.0, 4.0, 2.0, 1.0, 0, 0, 0, 0), 400),
        # No three words of six or eight are between 40 and 50 per cent.
        ("cmi", (0, 0, 0, 0, 1.0, 0, 0, 0, 0, 0), 250),
        ("spf", (1.0, 2.0, 3.0, 2.0, 1.0, 0.5, 0, 0, 0, 0), 400),
    ],
)
def test_a_target_histogram_is_met(measure: str, shares: tuple[float, ...], least: int) -> None:
    sampler = HistogramSampler(measure=measure, shares=shares)
    found = done(rows(500), sampler=sampler)
    statistics = SwitchingStatistics(10).add_all(found.kept["langs"].to_pylist())
    assert total_variation(statistics.histograms[measure], shares) < 0.01
    assert found.kept.num_rows + found.rejected.num_rows == 500 and found.kept.num_rows >= least
    assert all(why == ["sampler:histogram"] for why in found.rejected["reasons"].to_pylist())


def test_matching_is_as_large_as_can_be() -> None:
    # Rows by the bins that they reach: 1, 1 2, 1 2 3.
    reachable = np.array([1] * 40 + [3] * 30 + [7] * 30, np.uint64)
    keys = np.arange(100, dtype=np.uint64)[::-1]
    shares = np.array([1.0, 1.0, 1.0])
    found = match(reachable, keys, shares)
    assert Counter(found.tolist()) == {0: 30, 1: 30, 2: 30, -1: 10}
    assert all(b < 0 or int(mask) >> int(b) & 1 for mask, b in zip(reachable, found, strict=True))
    # Bin 2 holds 30 rows at most, so half of the corpus is all there can be.
    assert Counter(match(reachable, keys, np.array([0.25, 0.25, 0.5])).tolist()) == {0: 15, 1: 15, 2: 30, -1: 40}
    # A bin that one row reaches is left out where its share is small.
    scarce, names = np.array([3] * 199 + [4], np.uint64), np.arange(200, dtype=np.uint64)
    assert (match(scarce, names, np.array([0.5, 0.48, 0.02])) >= 0).sum() == 50
    assert Counter(match(scarce, names, np.array([0.5, 0.48, 0.02]), 0.02).tolist())[-1] <= 2
    order = np.random.default_rng(1).permutation(100)
    assert (match(reachable[order], keys[order], shares) == found[order]).all()


def test_a_histogram_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="no histogram to meet"):
        HistogramSampler(shares=(0.0, 0.0))
    with pytest.raises(ConfigError, match="no row can be brought to a CMI of 75 to 100"):
        done(rows(20), sampler=HistogramSampler(shares=(1.0, 1.0, 0.0, 1.0)))


@pytest.mark.gold
@pytest.mark.parametrize("corpus", ["cs-hinglish-top", "cs-ud-arabizi"])
@pytest.mark.parametrize("measure", ["cmi", "spf"])
def test_within_five_hundredths_of_a_human_corpus(gold: Path, corpus: str, measure: str) -> None:
    human = SwitchingStatistics(10)
    for number, tags in enumerate(read_language_tags(gold / corpus)):
        if number < 1500:
            human.add(tags)
    shares = tuple(float(count) for count in human.histograms[measure])
    found = done(rows(1000, [7, 9, 12, 12]), sampler=HistogramSampler(measure=measure, shares=shares))
    ours = SwitchingStatistics(10).add_all(found.kept["langs"].to_pylist())
    assert total_variation(ours.histograms[measure], human.histograms[measure]) < 0.05
    assert found.kept.num_rows > 500


def languages_of(policy: Policy, copies: int = 1) -> list[set[str]]:
    found = switched(rows(30, [8], ("de", "es", "fr")), languages=("de", "es", "fr"), policy=policy, copies=copies)
    return [{s["lang"] for s in r["switches"]} for r in found]


def test_languages_by_unit_row_and_copy() -> None:
    assert sum(len(langs) == 3 for langs in languages_of("unit")) > 20
    by_row = languages_of("row")
    assert all(len(langs) == 1 for langs in by_row) and set.union(*by_row) == {"de", "es", "fr"}
    each = languages_of("each")
    assert each == [{"de"}, {"es"}, {"fr"}] * 30
    # Three copies are in three languages, in an order of the row's own.
    copies = languages_of("row", copies=3)
    assert all(set.union(*copies[k : k + 3]) == {"de", "es", "fr"} for k in range(0, 90, 3))
    assert len({tuple(map(tuple, copies[k : k + 3])) for k in range(0, 90, 3)}) > 3


def test_a_language_that_all_units_have_and_each_once() -> None:
    text, labels = "Anna met Maria", [("Anna", "P"), ("Maria", "P")]
    one = row(
        "r",
        ("en", text, labels),
        ("de", "Änne traf Marie", [("Änne", "P"), ("Marie", "P")], ""),
        ("es", "Ana vio a María", [("Ana", "P"), ("María", "P")], ""),
        ("fr", "Anne la vit", [("Anne", "P")], ""),
    )
    found = done([one], languages=("de", "es", "fr"), unit=SpanUnits(), policy="row_all", copies=3, unswitched="reject")
    assert set(found.kept["text"].to_pylist()) == {"Änne met Marie", "Ana met María"}
    assert found.rejected["reasons"].to_pylist() == [["switch:no_language"]]


def test_fields_in_different_languages() -> None:
    from spanferry.corpora.schema import Example

    def texts(lang: str) -> dict[str, str]:
        return {name: f"{lang} {name}" for name in ("question", "a", "b", "c")}

    langs = ("en", "de", "es", "fr")
    one = MultiRow("r", {lang: Example("r", lang, texts(lang)) for lang in langs})
    found = switched([one], languages=langs[1:], unit=DocumentUnits(), policy="field")[0]
    assert len({found[name].split()[0] for name in ("question", "a", "b", "c")}) == 4
    assert len(found["tokens"]) == 8


def test_bins_given_by_copy_are_those_of_the_rows() -> None:
    given, sampler = rows(40), HistogramSampler(shares=(1.0, 1.0, 1.0, 0))
    whole = switcher(sampler=sampler)
    masks, keys = whole.reachable(table(given))
    bins = sampler.assign(masks.ravel(), keys.ravel()).reshape(masks.shape)
    halves = [whole.switch(table(given[a:b]), bins[:, a:b]).kept for a, b in ((0, 15), (15, 40))]
    together = whole.switch(table(given), bins).kept
    assert together.num_rows > 20 and [r for half in halves for r in half.to_pylist()] == together.to_pylist()

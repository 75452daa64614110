"""Constrained decoding with a real model: candidates, search, reasons."""

import itertools
import math
import re

import pytest

from spanferry.corpora.errors import ConfigError, ModelError
from spanferry.corpora.schema import Span
from spanferry.corpora.text.words import words
from spanferry.projectors.base import ProjectionInput, Projector
from spanferry.projectors.constrained.candidates import length_bound, marked, places, without_brackets
from spanferry.projectors.constrained.projector import ConstrainedProjector
from spanferry.projectors.placing.search import compatible


def item(source, target, *quotes, target_lang="es", **more):
    """An input whose spans are the first occurrences of ``quotes``."""
    spans = tuple(Span(source.index(q), source.index(q) + len(q), "X", f"s{i}") for i, q in enumerate(quotes))
    return ProjectionInput("e", source, target, spans, "en", target_lang, **more)


EVERYDAY = [
    (
        item("Tom lives in Boston with his brother.", "Tom vive en Boston con su hermano.", "Tom", "Boston"),
        ["Tom", "Boston"],
    ),
    (
        item("Mary gave me an old book yesterday.", "Mary me dio un libro viejo ayer.", "an old book", "yesterday"),
        ["un libro viejo", "ayer"],
    ),
    (
        item("I met Tom 😀 in Boston [yesterday].", "Me encontré con Tom 😀 en Boston [ayer].", "Tom", "Boston"),
        ["Tom", "Boston"],
    ),
]


@pytest.mark.parametrize(
    ("text", "pieces", "starts", "ends"),
    [
        # Opening and closing positions with their code points; a full stop opens nothing but may close.
        ("Tom vive.", [(0, 3), (4, 6), (6, 8), (8, 9)], {0: 0, 1: 4}, {1: 3, 3: 8, 4: 9}),
        # Words inside one piece share its edges; the one with letters gives the place.
        ("«Tom» ve", [(0, 4), (4, 5), (6, 8)], {0: 1, 2: 6}, {1: 4, 2: 5, 3: 8}),
        # Any character of a script without spaces, where the pieces allow it.
        ("我住北京", [(0, 1), (1, 2), (2, 4)], {0: 0, 1: 1, 2: 2}, {1: 1, 2: 2, 3: 4}),
        # Several pieces for one character are never parted.
        ("½ 😀", [(0, 1), (0, 1), (0, 1), (2, 3)], {0: 0, 3: 2}, {3: 1, 4: 3}),
        # A combining mark stays with its letter.
        ("e\u0301 a", [(0, 1), (1, 2), (3, 4)], {0: 0, 2: 3}, {2: 2, 3: 4}),
        # A blank that is a piece of its own belongs to the word after it: the marker goes before the blank.
        ("Un té.", [(0, 2), (2, 3), (3, 4), (4, 5), (5, 6)], {0: 0, 1: 3}, {1: 2, 4: 5, 5: 6}),
        ("", [], {}, {}),
    ],
)
def test_places(text, pieces, starts, ends):
    found = places(text, words(text), pieces)
    assert dict(zip(found.opens, found.starts, strict=True)) == starts
    assert dict(zip(found.closes, found.ends, strict=True)) == ends


def test_marked_source():
    assert marked("I met Tom.", 6, 9) == "I met [ Tom ]."
    assert marked("see [1] now", 0, 3) == "[ see ] (1) now"
    assert marked("a b c", 1, 4) == "a[ b ]c"
    assert without_brackets("[x] 😀 [y]") == "(x) 😀 (y)"


def test_length_bound_goes_by_the_share_of_the_source():
    assert length_bound((0, 25), 100, 40) == 38
    assert length_bound((0, 100), 100, 40) == 128


def test_everyday_sentences(model):
    projector = ConstrainedProjector(model)
    assert isinstance(projector, Projector)
    found = projector.project([given for given, _ in EVERYDAY])
    for (given, expected), projections in zip(EVERYDAY, found, strict=True):
        assert [p.source_span_id for p in projections] == [s.id for s in given.spans]
        assert [p.span and p.span.quote(given.target_text) for p in projections] == expected
        assert all(0.3 < p.score <= 1 and p.method == "constrained" and p.reason is None for p in projections)


def test_a_span_in_a_wrong_translation_is_doubtful(model):
    right, wrong = ConstrainedProjector(model).nbest(
        [
            item("Tom lives in Boston.", "Tom vive en Boston.", "Boston"),
            item("Tom lives in Boston.", "Me gusta mucho el chocolate con leche.", "Boston"),
        ]
    )
    assert math.exp(right[0].candidates[0][2]) > 0.9
    assert math.exp(wrong[0].candidates[0][2]) < math.exp(right[0].candidates[0][2])


def test_nbest_is_a_distribution(model):
    for fast, full in zip(
        ConstrainedProjector(model, keep=1000).nbest([given for given, _ in EVERYDAY]),
        ConstrainedProjector(model, search="full", keep=1000).nbest([given for given, _ in EVERYDAY]),
        strict=True,
    ):
        for listed in (*fast, *full):
            logprobs = [c[2] for c in listed.candidates]
            assert logprobs == sorted(logprobs, reverse=True)
            assert sum(map(math.exp, logprobs)) == pytest.approx(1, abs=0.01)
            assert len({c[:2] for c in listed.candidates}) == len(listed.candidates)
        assert [f.candidates[0][:2] for f in fast] == [f.candidates[0][:2] for f in full]
        # What both scored whole they scored alike.
        assert fast[0].candidates[0][2] == pytest.approx(full[0].candidates[0][2], abs=0.1)


def test_the_vocabulary_of_the_language_finds_what_all_of_it_does(model):
    given = [given for given, _ in EVERYDAY]
    cheap, dear = (ConstrainedProjector(model, vocabulary=v).nbest(given) for v in ("language", "all"))
    for one, other in zip(itertools.chain(*cheap), itertools.chain(*dear), strict=True):
        assert one.candidates[0][:2] == other.candidates[0][:2]
        assert math.exp(one.candidates[0][2]) == pytest.approx(math.exp(other.candidates[0][2]), abs=0.1)


def test_what_was_looked_at_does_not_hang_on_the_size_of_a_call(model, monkeypatch):
    given = [given for given, _ in EVERYDAY]
    together = ConstrainedProjector(model).nbest(given)
    monkeypatch.setattr("spanferry.translators.engine.scoring.ENCODED_BYTES", 4096)
    assert ConstrainedProjector(model).nbest(given) == together


def test_full_has_every_pair_of_places(model):
    """Also those that the marked source changes nothing about."""
    given = item("Tom lives in Boston with his sister Mary.", "Tom vive en Boston con su hermana María.", "Boston")
    listed = ConstrainedProjector(model, search="full", keep=1000).nbest([given])[0][0].candidates
    begins = [match.start() for match in re.finditer(r"\w+", given.target_text)]
    ends = [match.end() for match in re.finditer(r"\w+", given.target_text)]
    assert {start for start, _, _ in listed} == set(begins)
    assert {(a, b) for a in begins for b in ends if a < b <= a + len("Boston con")} <= {c[:2] for c in listed}


def test_full_scores_are_those_of_the_marked_target(model):
    """The difference of two log-posteriors is that of the scores of the two marked targets."""
    given = item("Tom lives in Boston.", "Tom vive en Boston.", "Boston")
    listed = ConstrainedProjector(model, search="full").nbest([given])[0][0].candidates[:2]
    source = model.encode_source("Tom lives in [ Boston ].", "en", "es")
    pieces, ranges = model.pieces(given.target_text, "es", side="target")
    totals = []
    for start, end, _ in listed:
        opening = next(i for i, r in enumerate(ranges) if r[1] > start)
        closing = next((i for i, r in enumerate(ranges) if r[0] >= end), len(pieces))
        target = [
            *model.target_prefix("es"),
            *pieces[:opening],
            "▁[",
            *pieces[opening:closing],
            "▁]",
            *pieces[closing:],
        ]
        totals.append(sum(model.raw.score_batch([source], [target])[0].log_probs))
    assert listed[0][2] - listed[1][2] == pytest.approx(totals[0] - totals[1], abs=0.01)


def test_neither_order_nor_company_matters(model):
    projector = ConstrainedProjector(model)
    together = projector.project([given for given, _ in EVERYDAY])
    for (given, _), expected in zip(EVERYDAY, together, strict=True):
        for order in itertools.permutations(range(len(given.spans))):
            other = ProjectionInput(
                given.id, given.source_text, given.target_text, tuple(given.spans[i] for i in order), "en", "es"
            )
            found = projector.project([other])[0]
            assert [(p.source_span_id, p.span) for p in found] == [
                (expected[i].source_span_id, expected[i].span) for i in order
            ]
    assert projector.project([given for given, _ in EVERYDAY]) == together


def test_nested_and_equal_spans(model):
    source, target = "Mary gave me an old book yesterday.", "Mary me dio un libro viejo ayer."
    found = ConstrainedProjector(model).project([item(source, target, "an old book", "book", "book")])[0]
    assert [p.span.quote(target) for p in found] == ["un libro viejo", "libro", "libro"]


def test_given_words_bound_the_candidates(model):
    target = "Tom vive en Boston."
    given = item("Tom lives in Boston.", target, "Boston", target_words=((0, 8), (9, 19)))
    found = ConstrainedProjector(model).nbest([given])[0][0]
    assert {c[:2] for c in found.candidates} <= {(0, 8), (9, 19), (0, 19)}


SCRIPTS = "é e\u0301 👩‍👩‍👧 北京 ภาษาไทย क्षेत्र עברית ﷺ ½ [x] \u200b \ufeff ｶﾅ"


@pytest.mark.parametrize("target", [SCRIPTS, "😀", "[", "...", "】", "\u0301", "a\nb\tc   d"])
def test_any_target(model, target):
    given = item(f"Tom {SCRIPTS}", target, "Tom", "北京", "é")
    found = ConstrainedProjector(model).project([given])[0]
    assert [p.source_span_id for p in found] == ["s0", "s1", "s2"]
    for p in found:
        assert (p.span is None) == (p.reason is not None) == (p.score == 0.0)
        assert p.span is None or p.span.quote(target).strip() == p.span.quote(target) != ""
        assert p.reason in (None, "no_candidate", "conflict")


def test_a_hundred_spans(model):
    source = target = "Tom " * 100
    spans = [Span(4 * i, 4 * i + 3, "X", f"s{i}") for i in range(100)]
    given = ProjectionInput("e", source, target, tuple(spans), "en", "es")
    found = ConstrainedProjector(model, openings=2, finalists=2).project([given])[0]
    assert [p.source_span_id for p in found] == [f"s{i}" for i in range(100)]
    assert {p.reason for p in found} <= {None, "conflict"}
    placed = [(s, p.span) for s, p in zip(spans, found, strict=True) if p.span is not None]
    assert len(placed) >= 10
    for (a, x), (b, y) in itertools.combinations(placed, 2):
        assert compatible((a.start, a.end), (b.start, b.end), (x.start, x.end), (y.start, y.end))


@pytest.mark.parametrize(
    ("source", "target", "reason"),
    [
        ("Tom sleeps.", "", "empty_target"),
        ("Tom sleeps.", " \n", "empty_target"),
        ("Tom " + "sleeps " * 3000, "Tom duerme.", "too_long"),
        ("Tom sleeps.", "duerme " * 3000, "too_long"),
        ("Tom \ud800 sleeps.", "Tom duerme.", "bad_unicode"),
        ("Tom sleeps.", "Tom \ud800 duerme.", "bad_unicode"),
        ("Tom sleeps.", "]", "no_candidate"),
    ],
)
def test_reasons(model, source, target, reason):
    good = item("Tom sleeps.", "Tom duerme.", "Tom")
    found = ConstrainedProjector(model).project([good, item(source, target, "Tom"), good])
    assert [p.reason for row in found for p in row] == [None, reason, None]


def test_an_input_without_spans(model):
    assert ConstrainedProjector(model).project([item("Tom sleeps.", "Tom duerme.")]) == [[]]
    assert ConstrainedProjector(model).project([]) == []


def test_a_language_the_model_lacks(model):
    with pytest.raises(ModelError):
        ConstrainedProjector(model).project([item("Tom sleeps.", "Tom hefur sofið.", "Tom", target_lang="is")])


@pytest.mark.parametrize(
    "options", [{"search": "slow"}, {"vocabulary": "some"}, {"openings": 0}, {"finalists": 0}, {"keep": 0}]
)
def test_bad_options(model, options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        ConstrainedProjector(model, **options)


def test_every_option_is_in_the_signature(model):
    made = [{}, {"search": "full"}, {"vocabulary": "all"}, {"openings": 5}, {"finalists": 5}, {"keep": 5}]
    signatures = {ConstrainedProjector(model, **options).signature for options in made}
    assert len(signatures) == len(made)
    assert all(model.signature in s for s in signatures)


def test_a_model_without_markers_says_so(model, monkeypatch):
    assert "markers:unknown" not in ConstrainedProjector(model).signature
    monkeypatch.setattr(model, "marker_aware", False)
    assert "markers:unknown" in ConstrainedProjector(model).signature


def test_words_that_begin_with_a_blank_piece_are_found(model):
    given = item("The title of the book is nice.", "El título del libro es bonito.", "title")
    found = ConstrainedProjector(model).project([given])[0][0]
    assert found.span is not None and found.span.quote(given.target_text) == "título"


def test_edges_without_counterpart_cost(model):
    given = item("She likes the sea.", "A ella le gusta el mar.", "sea")
    (plain,), (weighed,) = (ConstrainedProjector(model, edges=e).nbest([given])[0] for e in (0.0, 1.5))
    assert plain == weighed, "the n-best lists are the model's own"
    assert ConstrainedProjector(model, edges=50.0).project([given])[0][0].span.quote(given.target_text) == "mar"
    with pytest.raises(ConfigError, match="edges=-1"):
        ConstrainedProjector(model, edges=-1.0)

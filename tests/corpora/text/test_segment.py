import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanferry.corpora.schema import Example, Projection, Relation, Span, Translation
from spanferry.corpora.text.segment import reassemble, segment


def cut(text, lang="en", spans=(), limit=10_000, mode="sentence"):
    return segment(Example("x", lang, {"text": text}, tuple(spans)), length=len, limit=limit, mode=mode)


@pytest.mark.parametrize(
    ("lang", "sentences"),
    [
        ("en", ["One sentence only"]),
        ("en", ["Dr. J. Smith met Mrs. Lee at 3 p.m. on Monday.", "They left."]),
        ("en", ["See No. 5, e.g. the U.S. report, vs. Fig. 3!", "Why?", "“Because.”", "So…"]),
        ("en", ["It cost 3.50 dollars.", "Visit example.com now."]),
        ("en", ["He asked (why?) and left.", "She stayed."]),
        ("de", ["Am 3. Mai kam Hr. Weiß, z. B. mit Prof. Groß.", "Er ging."]),
        ("es", ["¿Quién es el Sr. Díaz?", "¡Él!", "Vive en Sevilla."]),
        ("fr", ["M. Dupont et Mme. Durand sont là.", "« Oui. »", "Bien !"]),
        ("ru", ["Он пришёл.", "Она ушла?"]),
        ("ar", ["من هو؟", "هو هنا."]),
        ("hi", ["यह एक है।", "वह दो है।"]),
        ("qq", ["Unknown tongue.", "Still cut."]),
        ("th", ["สวัสดีครับ"]),
    ],
)
def test_sentences(lang, sentences):
    assert [s.text for s in cut(" ".join(sentences), lang)] == sentences


@pytest.mark.parametrize("lang", ["zh", "ja", "zh-Hant", "yue"])
def test_sentences_without_spaces(lang):
    assert [s.text for s in cut("我在北京。你呢？「好。」他說。", lang)][:2] == ["我在北京。", "你呢？"]


def test_paragraphs_are_cut_and_their_white_space_is_in_no_segment():
    found = cut("  Title\n\n\tFirst. Second.\r\n- item ", "en")
    assert [s.text for s in found] == ["Title", "First.", "Second.", "- item"]
    assert [(s.start, s.end, s.index) for s in found] == [(2, 7, 0), (10, 16, 1), (17, 24, 2), (26, 32, 3)]


def test_mode_none_takes_each_field_whole():
    example = Example("x", "en", {"question": "Who? Me.", "context": " A. B. ", "empty": " \n"})
    found = segment(example, length=len, limit=100, mode="none")
    assert [(s.field, s.text, s.index) for s in found] == [("question", "Who? Me.", 0), ("context", "A. B.", 0)]


def test_a_span_across_sentences_joins_them():
    text = "One is here. Two is there. Three is not."
    found = cut(text, spans=[Span(4, 16, "X", "a"), Span(27, 32, "Y", "b")])
    assert [s.text for s in found] == ["One is here. Two is there.", "Three is not."]
    assert [(s.text[p.start : p.end], p.id) for s in found for p in s.spans] == [
        ("is here. Two", "a"),
        ("Three", "b"),
    ]


def test_a_span_beyond_the_limit_is_split_but_shorter_ones_still_join():
    text = "One is here. Two is there. Three is not."
    spans = [Span(0, 39, "ARG", "a"), Span(4, 16, "X", "a#0")]
    found = cut(text, spans=spans, limit=30)
    assert [s.text for s in found] == ["One is here. Two is there.", "Three is not."]
    assert [[(p.id, s.text[p.start : p.end]) for p in s.spans] for s in found] == [
        [("a##0", "One is here. Two is there."), ("a#0", "is here. Two")],
        [("a##1", "Three is not")],
    ]


def test_fragments_are_split_with_their_sentences():
    text = "One is here. Two is there."
    span = Span(0, 25, "X", "d", fragments=((0, 3), (7, 11), (20, 25)))
    found = cut(text, spans=[span], limit=14)
    assert found[0].spans == (Span(0, 11, "X", "d#0", fragments=((0, 3), (7, 11))),)
    assert found[1].spans == (Span(7, 12, "X", "d#1"),)


def test_a_sentence_beyond_the_limit_says_so():
    found = cut("Short. " + "Long " * 50 + "end.", limit=20)
    assert [s.reason for s in found] == [None, "source_too_long"]


def test_single_sentences_do_not_load_spacy():
    code = (
        "import sys; from spanferry.corpora.schema import Example; from spanferry.corpora.text.segment import segment\n"
        "for text in ('Mr. Lee paid 3.50 at 5 p.m. on e.g. Monday.', 'No stop', 'Why?!'):\n"
        "    assert len(segment(Example('x', 'en', {'text': text}), length=len, limit=99)) == 1\n"
        "print('spacy' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"


def test_many_spans_in_a_long_text():
    text = "Ann saw Bob. " * 800
    spans = [Span(i * 13 + a, i * 13 + a + 3, "PER") for i in range(800) for a in (0, 8)]
    example = Example("x", "en", {"text": text}, (*spans, Span(0, len(text), "DOC"))).with_span_ids()
    parts = segment(example, length=len, limit=50)
    assert len(parts) == 800 and sum(len(p.spans) for p in parts) == 2400
    pair = reassemble(example, parts, upper(parts), same_place(parts), target_lang="es")
    assert {pair.target.quote(s) for s in pair.target.spans if s.label == "PER"} == {"ANN", "BOB"}
    assert pair.projections[-1].span.end == len(text) - 1


def test_three_thousand_tokens_are_cut_without_trouble():
    assert len(cut("A word or two. " * 1500, limit=40)) == 1500


# Reassembly: an upper-casing translator that keeps lengths, and projections that know the answer.


def upper(parts):
    return [Translation(s.text.upper(), tuple(s.text.split()), -1.0) for s in parts]


def same_place(parts, score=0.5):
    return [[Projection(p.id, replace(p, label="?"), score, "copy") for p in s.spans] for s in parts]


def test_reassembled_text_spans_and_relations():
    text = "Ann is here. Bob is there.\n\nEve is not."
    spans = (Span(0, 3, "PER", "a"), Span(13, 16, "PER", "b"), Span(28, 31, "PER", "e"))
    example = Example("x", "en", {"text": text}, spans, (Relation("a", "e", "knows"), Relation("a", "b", "sees")))
    parts = segment(example, length=len, limit=100)
    moved = same_place(parts)
    moved[2] = [Projection("e", None, 0.0, "copy", "no_match")]
    pair = reassemble(example, parts, upper(parts), moved, target_lang="es", signature="sig")
    assert pair.target.texts == {"text": text.upper()}
    assert [(pair.target.quote(s), s.label, s.id) for s in pair.target.spans] == [
        ("ANN", "PER", "a"),
        ("BOB", "PER", "b"),
    ]
    assert pair.projections[2] == Projection("e", None, 0.0, "copy", "no_match")
    assert pair.target.relations == (Relation("a", "b", "sees"),)
    assert (pair.target.lang, pair.kept, pair.signature, pair.scores) == ("es", True, "sig", {"mt_score": -1.0})


def test_the_parts_of_a_split_span_become_one_with_the_lowest_score():
    text = "One is here. Two is there. Three is not."
    example = Example("x", "en", {"text": text}, (Span(4, 32, "ARG", "a"),))
    parts = segment(example, length=len, limit=14)
    assert [p.id for s in parts for p in s.spans] == ["a#0", "a#1", "a#2"]
    moved = same_place(parts)
    moved[1] = [replace(moved[1][0], score=0.25, method="markers")]
    pair = reassemble(example, parts, upper(parts), moved, target_lang="es")
    assert pair.projections == (Projection("a", Span(4, 32, "ARG", "a"), 0.25, "copy+markers"),)
    assert pair.target.quote(pair.target.spans[0]) == "IS HERE. TWO IS THERE. THREE"
    moved[1] = [Projection("a#1", None, 0.0, "copy", "no_match")]
    pair = reassemble(example, parts, upper(parts), moved, target_lang="es")
    assert pair.projections == (Projection("a", None, 0.0, "copy", "split_part:no_match"),)


def test_a_discontinuous_split_span_keeps_its_fragments():
    text = "One is here. Two is there."
    example = Example("x", "en", {"text": text}, (Span(0, 25, "X", "d", fragments=((0, 3), (20, 25))),))
    parts = segment(example, length=len, limit=14)
    pair = reassemble(example, parts, upper(parts), same_place(parts), target_lang="es")
    assert pair.target.spans == (Span(0, 25, "X", "d", fragments=((0, 3), (20, 25))),)


@pytest.mark.parametrize(
    ("translation", "reasons"),
    [
        (Translation("", reason="model_error"), ("translate:model_error",)),
        (Translation(" "), ("translate:empty_translation",)),
    ],
)
def test_a_failed_segment_rejects_the_row_and_keeps_it(translation, reasons):
    example = Example("x", "en", {"text": "Ann left. Bob too."}, (Span(0, 3, "PER", "a"), Span(10, 13, "PER", "b")))
    parts = segment(example, length=len, limit=100)
    pair = reassemble(example, parts, [upper(parts)[0], translation], same_place(parts), target_lang="es")
    assert (pair.kept, pair.reasons, pair.target, pair.source) == (False, reasons, None, example)
    assert [(p.source_span_id, p.span, p.reason) for p in pair.projections] == [
        ("a", None, reasons[0]),
        ("b", None, reasons[0]),
    ]


def test_a_segment_that_is_too_long_rejects_the_row_whatever_its_translation_says():
    example = Example("x", "en", {"text": "Ann " * 20})
    parts = segment(example, length=len, limit=10)
    pair = reassemble(example, parts, [Translation("algo")], [[]], target_lang="es")
    assert (pair.reasons, pair.target) == (("translate:source_too_long",), None)


def test_truncated_is_rejected_but_kept_whole():
    example = Example("x", "en", {"text": "Ann left."}, (Span(0, 3, "PER", "a"),))
    parts = segment(example, length=len, limit=100)
    pair = reassemble(example, parts, [Translation("ANN", truncated=True)], same_place(parts), target_lang="es")
    assert (pair.kept, pair.reasons) == (False, ("translate:truncated",))
    assert pair.target.quote(pair.target.spans[0]) == "ANN"


def test_a_projection_outside_its_segment_is_not_taken():
    example = Example("x", "en", {"text": "Ann left. Bob too."}, (Span(0, 3, "PER", "a"),))
    parts = segment(example, length=len, limit=100)
    wrong = [[Projection("a", Span(0, 99, "PER", "a"), 0.9, "copy")], []]
    pair = reassemble(example, parts, upper(parts), wrong, target_lang="es")
    assert pair.projections == (Projection("a", None, 0.0, "copy", "bad_offsets"),)


def test_a_span_of_white_space_only_still_has_its_projection():
    example = Example("x", "en", {"text": "Ann left.  Bob too."}, (Span(9, 11, "GAP", "g"),))
    parts = segment(example, length=len, limit=12)
    pair = reassemble(example, parts, upper(parts), same_place(parts), target_lang="es")
    assert pair.projections == (Projection("g", None, 0.0, "none", "no_segment"),)


@pytest.mark.parametrize(
    ("source", "lang", "target_lang", "joined"),
    [
        ("A. B.\n\nC.", "en", "zh", "A.B.\n\nC."),
        ("好。好。", "zh", "en", "好。 好。"),
        ("好。好。", "zh", "ja", "好。好。"),
        ("One. Two.  Three.", "en", "de", "ONE. TWO.  THREE."),
    ],
)
def test_blanks_between_sentences_follow_the_target(source, lang, target_lang, joined):
    example = Example("x", lang, {"text": source.replace("A.", "Aa.").replace("B.", "Bb.").replace("C.", "Cc.")})
    parts = segment(example, length=len, limit=100)
    pair = reassemble(example, parts, upper(parts), same_place(parts), target_lang=target_lang)
    assert pair.target.text == joined.replace("A.", "AA.").replace("B.", "BB.").replace("C.", "CC.")


alphabet = st.sampled_from([*"ab.!? \n\t。？अ।й#é", "e\u0301", "😀", "👩‍👧", "Dr. ", "北", "\u2028", "שלום", "3. "])
texts = st.lists(alphabet, min_size=1, max_size=40).map("".join)


@st.composite
def documents(draw):
    fields = {name: draw(texts) for name in draw(st.sampled_from([("text",), ("question", "context")]))}
    spans = []
    for _ in range(draw(st.integers(0, 5))):
        field = draw(st.sampled_from(list(fields)))
        edges = sorted(
            draw(
                st.lists(st.integers(0, len(fields[field])), min_size=2, max_size=6, unique=True)
                if len(fields[field]) > 1
                else st.just([0, 1])
            )
        )
        pairs = tuple(zip(edges[::2], edges[1::2], strict=False))
        spans.append(Span(pairs[0][0], pairs[-1][1], "L", "", field, pairs if len(pairs) > 1 else ()))
    return Example("x", draw(st.sampled_from(["en", "zh", "hi", "th", "de"])), fields, tuple(spans)).with_span_ids()


def pieces(span):
    return span.fragments or ((span.start, span.end),)


@settings(deadline=None, max_examples=200)
@given(documents(), st.integers(1, 60), st.sampled_from(["sentence", "none"]))
def test_cutting_and_joining_loses_nothing(example, limit, mode):
    parts = segment(example, length=lambda t: len(t.encode()), limit=limit, mode=mode)
    for part in parts:
        assert part.text == example.texts[part.field][part.start : part.end] == part.text.strip() != ""
        assert (part.reason == "source_too_long") == (len(part.text.encode()) > limit)
    for field, text in example.texts.items():
        at = 0
        for part in (p for p in parts if p.field == field):
            assert part.start >= at and not text[at : part.start].strip()
            at = part.end
        assert not text[at:].strip()
    covered = {s.id: "" for s in example.spans}
    for part in parts:
        for span in part.spans:
            key = span.id if span.id in covered else span.id.rstrip("0123456789").rstrip("#")
            covered[key] += "".join(part.text[a:b] for a, b in pieces(span))
    for span in example.spans:
        wanted = "".join(example.texts[span.field][a:b] for a, b in pieces(span))
        assert "".join(covered[span.id].split()) == "".join(wanted.split())

    parts = [replace(p, reason=None) for p in parts]
    echo = [Translation(p.text) for p in parts]
    pair = reassemble(example, parts, echo, same_place(parts), target_lang=example.lang)
    assert [p.source_span_id for p in pair.projections] == [s.id for s in example.spans]
    moved = {p.source_span_id: p.span for p in pair.projections}
    for span, projection in zip(example.spans, pair.projections, strict=True):
        if projection.span is None:
            assert projection.reason == "no_segment"
        else:
            quotes = [
                "".join(e.texts[s.field][a:b] for a, b in pieces(s)).split()
                for e, s in ((example, span), (pair.target, moved[span.id]))
            ]
            assert "".join(quotes[0]) == "".join(quotes[1])
            assert (projection.span.label, projection.span.id) == ("L", span.id)

"""Spans in scripts without spaces, and where prepositions and articles are written together with their words."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from spanferry.corpora.schema import Span
from spanferry.corpora.text.word_breaks import dictionaries, words_of
from spanferry.projectors.aligners.lexical.aligner import LexicalAligner
from spanferry.projectors.aligners.mixture import MixtureAligner
from spanferry.projectors.base import ProjectionInput
from spanferry.projectors.methods.default import DefaultProjector

# Of each language: what a sentence is made of, (English, its own), and how the parts follow each other.
PLACES = ("Shanghai", "Paris", "Haifa")
GRAMMARS = {
    "zh": (
        [("my sister", "我姐姐"), ("the doctor", "医生"), ("the old king", "老国王")],
        [("works", "工作"), ("sleeps", "睡觉")],
        ["上海", "巴黎", "海法"],
        "{who}在{where}{does}。",
    ),
    "ja": (
        [("my sister", "私の姉"), ("the doctor", "医者"), ("the old king", "老いた王")],
        [("works", "働く"), ("sleeps", "眠る")],
        ["上海", "パリ", "ハイファ"],
        "{who}は{where}で{does}。",
    ),
    "th": (
        [("my sister", "พี่สาวของฉัน"), ("the doctor", "หมอ"), ("the old king", "กษัตริย์ชรา")],
        [("works", "ทำงาน"), ("sleeps", "นอนหลับ")],
        ["เซี่ยงไฮ้", "ปารีส", "ไฮฟา"],
        "{who}{does}ที่{where}",
    ),
    "ar": (
        [("my sister", "أختي"), ("the doctor", "الطبيب"), ("the old king", "الملك العجوز")],
        [("works", "يعمل"), ("sleeps", "ينام")],
        ["شنغهاي", "باريس", "حيفا"],
        "{does} {who} في {where}.",
    ),
    "he": (
        [("my sister", "אחותי"), ("the doctor", "הרופא"), ("the old king", "המלך הזקן")],
        [("works", "עובד"), ("sleeps", "ישן")],
        ["שנגחאי", "פריז", "חיפה"],
        "{who} {does} ב{where}.",
    ),
    "hi": (
        [("my sister", "मेरी बहन"), ("the doctor", "डॉक्टर"), ("the old king", "बूढ़ा राजा")],
        [("works", "काम करता है"), ("sleeps", "सोता है")],
        ["शंघाई", "पेरिस", "हाइफ़ा"],
        "{who} {where} में {does}।",
    ),
}


def corpus(language: str) -> tuple[list[ProjectionInput], list[list[str]]]:
    """Sentences, and what their spans (person, place) are in the other language."""
    people, verbs, places, order = GRAMMARS[language]
    inputs, expected = [], []
    for who, does, where in product(people, verbs, zip(PLACES, places, strict=True)):
        source = f"{who[0].capitalize()} {does[0]} in {where[0]}."
        target = order.format(who=who[1], does=does[1], where=where[1])
        start = source.index(where[0])
        spans = (Span(0, len(who[0]), "PER", "s0"), Span(start, start + len(where[0]), "LOC", "s1"))
        inputs.append(ProjectionInput(f"{language}{len(inputs)}", source, target, spans, "en", language))
        expected.append([who[1], ("ב" if language == "he" else "") + where[1]])
    return inputs, expected


@pytest.mark.parametrize("language", sorted(GRAMMARS))
def test_spans_are_whole_words_with_offsets_of_the_text(language: str) -> None:
    inputs, expected = corpus(language)
    projector = DefaultProjector().fit(inputs)
    found = [
        [p.span and item.target_text[p.span.start : p.span.end] for p in own]
        for item, own in zip(inputs, projector.project(inputs), strict=True)
    ]
    assert found == expected


@pytest.mark.parametrize("language", sorted(GRAMMARS))
def test_the_same_whatever_is_beside_it(language: str) -> None:
    inputs, _ = corpus(language)
    inputs.append(replace(inputs[0], id="emoji", target_text="😀\u0301" + inputs[0].target_text + "𠀀 a1"))
    fitted = LexicalAligner().fit(inputs)
    assert fitted.state() == LexicalAligner().fit(inputs[::-1]).state()
    for item, found in zip(inputs, fitted.align(inputs), strict=True):
        (alone,) = LexicalAligner().with_state(fitted.state()).align([item])
        assert found.target_words == alone.target_words == words_of(item.target_text, language)
        assert found.links == alone.links
        np.testing.assert_array_equal(found.probabilities, alone.probabilities)


def test_strict_cuts_the_preposition() -> None:
    inputs, expected = corpus("he")
    projector = DefaultProjector(boundary="subword").fit(inputs)
    (person, place), *_ = (
        [p.span and item.target_text[p.span.start : p.span.end] for p in own]
        for item, own in zip(inputs[2:], projector.project(inputs[2:]), strict=True)
    )
    assert (person, place) == (expected[2][0], "חיפה")


@pytest.mark.parametrize(
    ("language", "order", "names"),
    [
        ("ar", "من {} إلى {}.", ["كوبنهاغن", "وينيبيغ", "برغن", "تالين"]),
        ("he", "מן {} אל {}.", ["קופנהגן", "ויניפג", "ברגן", "טאלין"]),
        ("ru", "Из {} в {}.", ["Копенгагена", "Виннипега", "Бергена", "Таллинн"]),
        ("ja", "{}から{}まで。", ["コペンハーゲン", "ウィニペグ", "ベルゲン", "タリン"]),
    ],
)
def test_names_are_known_by_their_sound(language: str, order: str, names: list[str]) -> None:
    known = dict(zip(("Copenhagen", "Winnipeg", "Bergen", "Tallinn"), names, strict=True))
    inputs = [
        ProjectionInput(f"{a}{b}", f"From {a} to {b}.", order.format(known[a], known[b]), (), "en", language)
        for a, b in (("Copenhagen", "Winnipeg"), ("Tallinn", "Bergen"))
    ]
    # Of two sentences nothing can be counted: what is linked is what sounds alike.
    for item, found in zip(inputs, LexicalAligner("none").fit(inputs).align(inputs), strict=True):
        pairs = {
            (item.source_text[slice(*found.source_words[i])], item.target_text[slice(*found.target_words[j])])
            for i, j in found.links
        }
        said = [word for word in item.source_text.strip(".").split() if word in known]
        assert {(word, known[word]) for word in said} <= pairs


def test_a_word_with_its_prefix_is_counted_with_the_word() -> None:
    texts = [
        ("the river is wide", "النهر واسع"), ("a river", "نهر"), ("the village is small", "القرية صغيرة"),
        ("a village", "قرية"), ("and the river", "والنهر"), ("the wide village", "القرية الواسعة"),
    ]  # fmt: skip
    inputs = [ProjectionInput(str(k), *pair, (), "en", "ar") for k, pair in enumerate(texts)]
    fitted = LexicalAligner("none").fit(inputs)
    unseen = ProjectionInput("u", "in the village by the river", "بالقرية بالنهر", (), "en", "ar")
    (found,) = fitted.align([unseen])
    village, river = (found.probabilities[k] for k in (2, 5))
    assert village.argmax() == 0 and river.argmax() == 1


def test_a_mixture_aligns_the_same_words() -> None:
    inputs, _ = corpus("th")
    mixture = MixtureAligner([(LexicalAligner(), 1.0), (LexicalAligner("none"), 1.0)]).fit(inputs)
    for item, found in zip(inputs, mixture.align(inputs), strict=True):
        assert found.target_words == words_of(item.target_text, "th")
    assert dictionaries() in mixture.signature and dictionaries() != ""

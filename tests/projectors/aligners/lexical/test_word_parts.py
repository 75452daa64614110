"""Words that a prior table lacks, by their parts; and Japanese words whose characters the data gives one by one."""

import numpy as np
import pytest

from spanferry.corpora.text.word_breaks import words_of
from spanferry.corpora.text.words import joined_words, words
from spanferry.projectors.aligners.lexical.aligner import LexicalAligner
from spanferry.projectors.aligners.lexical.orthography import parts_of, stem
from spanferry.projectors.base import ProjectionInput
from spanferry.translators.bundled.priors import table_from_counts


@pytest.mark.parametrize(
    ("word", "known", "parts"),
    [
        ("日本語", {"日", "本"}, ["日", "本"]),
        ("ratsbeschluß", {"rat", "beschluß", "luß"}, ["rat", "beschluß"]),
        ("kommissionspapier", {"kommission", "papier"}, ["kommission", "papier"]),
        ("eu-staat", {"eu", "staat"}, ["eu", "staat"]),
        ("e-bike", {"bike"}, ["bike"]),
        ("haus", {"haus", "ha", "us"}, []),  # too short to be two words
        ("tischtennis", {"tisch"}, []),  # the end must be known
        ("2024-05", set(), []),
        ("", set(), []),
    ],
)
def test_parts(word: str, known: set[str], parts: list[str]) -> None:
    assert (parts_of(word, known) if word else []) == parts


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("internationally", "inter"),
        ("street", "street"),
        ("学生", "学"),
        ("飲んだ", "飲"),
        ("学", "学"),
        ("リマインダー", "リマインダー"),
        ("والمدارس", "مدارس"),
    ],
)
def test_stems(word: str, expected: str) -> None:
    assert stem(word) == expected


def test_a_compound_is_believed_by_its_parts() -> None:
    table = table_from_counts({("council", "rat"): 50.0, ("decision", "beschluss"): 50.0, ("today", "heute"): 50.0})
    corpus = [ProjectionInput("e", "council decision today", "heute ratsbeschluss", (), "en", "de")]
    forward = []
    for prior in (lambda *_: table, "none"):
        (found,) = LexicalAligner(prior).fit(corpus).align(corpus)
        forward.append(found.forward)
    believed, blind = (np.asarray(way) for way in forward)
    assert believed[:2, 1].sum() > 0.75 > blind[:2, 1].sum()
    assert believed[2, 1] < blind[2, 1]


def test_japanese_words_of_several_characters() -> None:
    text = "毎日 薬 を 飲む"
    assert joined_words(text, words(text), "ja") == [[0, 1], [2], [3], [4, 5]]
    assert joined_words(text, words(text), "zh") == [[k] for k in range(6)]
    # Without spaces an ending can't be distinguished from a particle.
    together = "毎日薬を飲む"
    assert joined_words(together, words(together), "ja") == [[k] for k in range(6)]
    assert joined_words("", (), "ja") == []


def test_every_word_has_the_posteriors_of_its_unit() -> None:
    corpus = [
        ProjectionInput(str(k), source, target, (), "en", "ja", (), words(target))
        for k, (source, target) in enumerate(
            [("daily tea", "毎日 茶"), ("daily rice", "毎日 米"), ("tea now", "今 茶")]
        )
    ]
    aligned = LexicalAligner("none").fit(corpus).align(corpus)
    first = aligned[0]
    assert first.target_words == words("毎日 茶")
    assert first.forward is not None and first.backward is not None
    for way in (first.probabilities, first.forward, first.backward):
        assert way.shape == (2, 3)
        assert np.array_equal(way[:, 0], way[:, 1])
    assert first.forward[0, 0] > first.forward[1, 0]


def test_words_of_a_dictionary_are_not_joined() -> None:
    text = "明日東京で会う"
    found = words_of(text, "ja")
    assert len(found) > 3
    for given in ((), found):
        items = [ProjectionInput("a", "see you in Tokyo tomorrow", text, (), "en", "ja", (), given)]
        (alignment,) = LexicalAligner("none").fit(items).align(items)
        assert alignment.target_words == found
        assert alignment.bonds is not None and (alignment.bonds < 1.0).all()  # 1 is what ties the parts of one word

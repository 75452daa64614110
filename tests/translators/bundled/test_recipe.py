"""The recipe of the bundled model, its text: run for real on a tiny corpus, and the rules it must keep."""

import json
import random
import re
from pathlib import Path

import pytest

from spanferry.corpora.text.words import word_strings, words
from spanferry.translators.bundled.heads import link_f1, pieces_by_word, word_links
from spanferry.translators.bundled.markers import mark, phrases, wrap
from spanferry.translators.bundled.texts.clean import keep_pair, normalised
from spanferry.translators.bundled.texts.prepare import prepare
from spanferry.translators.bundled.texts.synthetic import TEMPLATES, WRITTEN, rename, synthetic_pairs
from tests.translators.bundled_corpus import rows, write_data

FORBIDDEN = "My cat sees water today."


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def prepared(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("work")
    prepare(data, out, ["es", "de"], held_out=10, synthetic=60)
    return out


def test_no_test_sentence_is_trained_on(prepared: Path) -> None:
    train = rows(prepared / "train.tsv")
    english = {normalised(source) for _, source, _ in train}
    assert normalised("My dog sees water today.") in english
    assert normalised(FORBIDDEN) not in english  # tatoeba-test, though case and punctuation differ there
    assert normalised("My dog finds gold today.") not in english  # xsid, through text-en
    assert normalised("Mi oso ve fuego hoy.") not in {normalised(target) for _, _, target in train}  # xquad
    facts = json.loads((prepared / "mix.json").read_text())
    assert facts["removed"]["tatoeba"] == {"in a test set": 5, "kept": 379}


def test_held_out_english_is_in_no_language(prepared: Path) -> None:
    train = {normalised(source) for _, source, _ in rows(prepared / "train.tsv")}
    for language in ("es", "de"):
        held = rows(prepared / f"heldout.{language}.tsv")
        assert len(held) == 10
        assert not train & {normalised(source) for source, _ in held}


def test_prepare_gives_the_same_bytes(data: Path, prepared: Path, tmp_path: Path) -> None:
    prepare(data, tmp_path, ["es", "de"], held_out=10, synthetic=60)
    for name in ("train.tsv", "heldout.es.tsv", "heldout.de.tsv", "mix.json"):
        assert (tmp_path / name).read_bytes() == (prepared / name).read_bytes()


@pytest.mark.parametrize(
    ("source", "target", "reason"),
    [
        ("I am here.", "Ich bin hier.", ""),
        ("", "Hier.", "empty"),
        ("x" * 400, "y", "too long"),
        ("Yes, of course I will do that for you.", "Ja.", "length ratio"),
        ("This is the same text.", "This is the same text!", "copy"),
        ("It is 5 o'clock now.", "Сейчас пять часов.", "characters"),
        ("1 + 1 = 2 + 3 - 3 = 2", "1 + 1 macht 2 + 3 - 3", "characters"),
        ("See pages 1, 2, 3 and 4 of it.", "Siehe die Seiten davon bitte an.", "numbers"),
        ("Would you mind if I opened the window a little?", "Würde ich das Fenster ein wenig öffnen.", "question mark"),
        ("We went there by the old road.", "We went to the end of the road with the dog.", "language"),
    ],
)
def test_keep_pair_names_the_reason(source: str, target: str, reason: str) -> None:
    assert keep_pair(source, target, "de") == reason


@pytest.mark.parametrize(
    ("source", "target", "reason"),
    [
        ("We walked along the river until it was dark.", "我们沿着河一直走到天黑。", ""),
        ("Did you see the new bridge that they built there?", "你看到他们在那里建的新桥了吗？", ""),
        ("We walked along the river until it was dark.", "Wir gingen am Fluss.", "language"),
        ("We walked along the river until it was dark.", "Мы шли вдоль реки.", "characters"),
        ("Yes.", "是的，我们昨天已经把所有的东西都带回家了。", "length ratio"),
    ],
)
def test_keep_pair_knows_chinese(source: str, target: str, reason: str) -> None:
    assert keep_pair(source, target, "zh") == reason


def test_synthetic_pairs_copy_their_slots() -> None:
    pairs = synthetic_pairs(400, "de", 1)
    assert pairs == synthetic_pairs(400, "de", 1) != synthetic_pairs(400, "de", 2)
    assert all("\0" not in source + target for source, target in pairs)
    for source, target in pairs:
        for word in source.split():
            if "@" in word or word.startswith("http"):
                assert word.rstrip(".") in target
    slots = re.compile(r"{\w+}")
    assert {len(row) for row in TEMPLATES} == {1 + len(WRITTEN)}
    assert all(len({tuple(sorted(slots.findall(text))) for text in row}) == 1 for row in TEMPLATES)


def test_rename_changes_both_sides_or_neither() -> None:
    source, target = rename("Tom is here.", "Tom está aquí.", random.Random(3))
    new = source.removesuffix(" is here.")
    assert new != "Tom" and target == f"{new} está aquí."
    assert rename("Tom saw Tom.", "Tom vio a Tom.", random.Random(3))[0] == "Tom saw Tom."
    assert rename("It is Tom's car.", "Es ist Toms Auto.", random.Random(3))[1] == "Es ist Toms Auto."


def test_phrases_are_consistent() -> None:
    found = phrases({(0, 0), (1, 2), (2, 1)}, 3)
    assert (1, 3, 1, 3) in found and (0, 3, 0, 3) in found
    assert (0, 2, 0, 3) not in found  # word 2 links into the target span


def test_wrap_moves_the_word_indices() -> None:
    text = "Ана 👍🏽 видит 北京 ."
    ranges = words(text)
    marked, moved = wrap(text, ranges, [(0, 1), (2, 5)])
    assert marked == "[ Ана ] 👍🏽 [ видит 北京 ] ."
    strings, old = word_strings(marked, words(marked)), word_strings(text, ranges)
    assert [strings[i] for i in moved] == old


def test_mark_keeps_links_between_the_same_words() -> None:
    source, target = "Ana lives in New York with 3 cats.", "Ana vive en Nueva York con 3 gatos."
    links = {(i, i) for i in range(len(words(source)))}
    for seed in range(20):
        a, b, new = mark(source, target, links, random.Random(seed))
        assert a.count("[") == a.count("]") == b.count("[") == b.count("]") > 0
        left, right = word_strings(a, words(a)), word_strings(b, words(b))
        plain = {(left[s], right[t]) for s, t in new if left[s] not in "[]"}
        assert plain == set(zip(word_strings(source, words(source)), word_strings(target, words(target)), strict=True))
        assert all((left[s] in "[]") == (right[t] in "[]") for s, t in new)


def test_head_scores_by_hand() -> None:
    import numpy as np

    pieces, owner = pieces_by_word(["ab", "c"], list)
    assert (pieces, owner) == (["a", "b", "c"], [0, 0, 1])
    attention = np.array([[0.3, 0.3, 0.4], [0.1, 0.1, 0.8]])
    assert word_links(attention, owner, [0, 1]) == {(0, 0), (1, 1)}
    assert link_f1([{(0, 0), (1, 1)}], [frozenset({(0, 0), (0, 1)})]) == 0.5

"""What ships: the files are those that were described, the model translates, and the priors can be read."""

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest

from spanferry.translators.bundled import priors
from spanferry.translators.bundled.evaluate import Model, balanced
from spanferry.translators.bundled.learn_priors import count_links, prune

WEIGHTS = Path(priors.__file__).parent / "weights"
MODEL = WEIGHTS / "mini"


@pytest.fixture(scope="module")
def model() -> Model:
    return Model(MODEL, threads=1)


def test_files_are_as_described() -> None:
    facts = json.loads((MODEL / "spanferry.json").read_text(encoding="utf-8"))
    names = {path.name for path in MODEL.iterdir()} - {"spanferry.json"}
    assert set(facts["files"]) == names >= {"model.bin", "source.spm", "target.spm", "shared_vocabulary.json"}
    for name, fact in facts["files"].items():
        content = (MODEL / name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (fact["bytes"], fact["sha256"]), name
    assert facts["source_languages"] == ["en", "es", "de"]
    assert facts["target_languages"] == ["es", "de", "fr", "nl", "zh", "en"]
    assert ["es", "de"] not in facts["directions"] and len(facts["directions"]) == 7
    assert facts["marker_aware"] is True and facts["licence"] and facts["scores"]


def test_weights_stay_small() -> None:
    total = sum(path.stat().st_size for path in WEIGHTS.rglob("*") if path.is_file())
    assert total <= 18_000_000
    tables = [path.stat().st_size for path in (WEIGHTS / "priors").glob("*.npz")]
    assert max(tables) <= 1_050_000 and sum(tables) <= 4_200_000


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("I have a dog.", "es", r"perro"),
        ("I have a dog.", "de", r"Hund"),
        ("Where is the station?", "es", r"¿Dónde.*estación\?"),
        ("Where is the station?", "de", r"Wo.*Bahnhof\?"),
        ("My sister lives in Madrid.", "es", r"hermana vive en Madrid"),
        ("My sister lives in Madrid.", "de", r"Schwester (wohnt|lebt) in Madrid"),
        ("He reads a book.", "es", r"libro"),
        ("He reads a book.", "de", r"Buch"),
        ("The house costs 350 dollars.", "es", r"casa.*350"),
        ("The house costs 350 dollars.", "de", r"Haus.*350"),
        ("My sister lives in Madrid.", "fr", r"sœur (vit|habite) à Madrid"),
        ("He reads a book.", "fr", r"livre"),
        ("My sister lives in Madrid.", "nl", r"(zus|zuster) woont in Madrid"),
        ("Where is the station?", "nl", r"Waar is het station\?"),
        ("I have a dog.", "zh", r"我.*狗"),
        ("Mi hermana vive en Madrid.", "en", r"[Mm]y sister lives in Madrid"),
        ("Tengo un perro.", "en", r"I have a dog"),
        ("Meine Schwester wohnt in Berlin.", "en", r"[Mm]y sister lives in Berlin"),
        ("Ich habe einen Hund.", "en", r"I have a dog"),
    ],
)
def test_everyday_sentences(model: Model, text: str, language: str, expected: str) -> None:
    found = model.translate([text], language)[0]
    assert re.search(expected, found), found


@pytest.mark.parametrize("language", ["es", "de", "fr", "nl"])
def test_brackets_are_carried(model: Model, language: str) -> None:
    texts = [
        "I saw [ Peter ] yesterday.",  # not John, who is Johannes in a German Bible
        "[ My sister ] is a doctor.",
        "We live in [ Berlin ].",
        "She wants to buy [ a new car ].",
        "The train leaves at [ 8:30 ].",
        "[ Tom ] doesn't like coffee.",
        "He works for [ Siemens ].",
        "Can you help me [ tomorrow ]?",
        "My father is [ seventy years old ].",
        "I left my keys in [ the kitchen ].",
    ]
    found = model.translate(texts, language)
    assert [text for text in found if not balanced(text)] == []
    inside = [text[text.index("[") + 1 : text.index("]")].strip() for text in found]
    assert (inside[0], inside[5], inside[6]) == ("Peter", "Tom", "Siemens")


def test_translating_twice_gives_the_same(model: Model) -> None:
    texts = ["Good morning.", "", "🙂", "I don't know what to do.", "Здравствуйте!"]
    assert model.translate(texts, "de") == model.translate(texts, "de")


def test_prior_round_trip_in_many_scripts(tmp_path: Path) -> None:
    counts = {("cat", "猫"): 12.0, ("cat", "ネコ"): 1.5, ("two", "שתיים"): 3.0, ("naïve", "👍🏽"): 800.0}
    table = priors.table_from_counts(counts)
    for name in ("en-ja.npz", "en-zh.npz"):
        priors.save_prior(table, tmp_path / name)
    assert (tmp_path / "en-ja.npz").read_bytes() == (tmp_path / "en-zh.npz").read_bytes()
    assert priors.available(tmp_path) == [("en", "ja"), ("en", "zh")]
    read = priors.load_prior("en", "ja", tmp_path)
    for s, t, n in zip(read.source_ids, read.target_ids, read.counts, strict=True):
        assert n == pytest.approx(counts.pop((read.source_words[s], read.target_words[t])), rel=0.033)
    assert counts == {}
    back = priors.load_prior("ja-JP", "en-GB", tmp_path)
    assert back.source_words == read.target_words and sorted(back.counts) == sorted(read.counts)
    assert len(priors.load_prior("en", "tlh", tmp_path).counts) == 0


def test_links_are_counted_over_both_directions() -> None:
    counts = count_links([("The cat", "Le chat")], [({(0, 0), (1, 1)}, {(1, 1), (1, 0)})])
    assert counts == {("the", "le"): 0.5, ("cat", "chat"): 1.0, ("cat", "le"): 0.5}
    assert prune(counts, 1.0, 0.01) == {("cat", "chat"): 1.0}


@pytest.mark.parametrize(
    ("language", "word", "expected"),
    [
        ("es", "house", "casa"),
        ("de", "house", "haus"),
        ("nl", "water", "water"),
        ("it", "house", "casa"),
        ("ar", "city", "مدينه"),  # as spanferry.corpora.text.abjad.bare has it
        ("pt", "house", "casa"),
        ("ru", "today", "сегодня"),
        ("tr", "water", "su"),
    ],
)
def test_shipped_priors_know_common_words(language: str, word: str, expected: str) -> None:
    table = priors.load_prior("en", language)
    own = table.source_ids == table.source_words.index(word)
    best = int(table.target_ids[own][np.argmax(table.counts[own])])
    assert table.target_words[best] == expected
    assert table.counts.min() >= 0.95 and table.source_ids.dtype == np.int32 and table.counts.dtype == np.float32

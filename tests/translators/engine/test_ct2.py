"""CT2Translator with the bundled model."""

import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanferry.corpora.errors import ConfigError, ModelError, RowError
from spanferry.translators.base import ScoringTranslator
from spanferry.translators.engine.ct2 import CT2Translator
from spanferry.translators.engine.limits import output_cap
from spanferry.translators.families.base import Limits

SENTENCES = [
    "I have two cats.",
    "Where is the nearest station?",
    "Tom doesn't know that Mary lives in Boston with her brother and two dogs.",
    "Good morning!",
    "The meeting starts at 10:30 on Monday.",
    "I know.",
]
SCRIPTS = [
    "Der schöne Fluß — naïve café",
    "Она живёт в Москве, а он в Киеве.",
    "היא גרה בתל אביב",
    "هي تعيش في القاهرة ﷺ",
    "他住在北京。她也是。",
    "東京タワーへ行きました。ﾃｽﾄ",
    "ฉันรักแมวมาก",
    "क्षत्रिय हिन्दी",
    "e\u0301te\u0301 a\u0308 n\u0303 कि",
    "Ｆｕｌｌ ｗｉｄｔｈ ½ ﬁne ① ㎞ …",
    "𝔘nicode 𝒮cript 👩‍👩‍👧 🇪🇸 😀!",
    "line one\n\n  line two\tend  ",
    "  \u3000leading and trailing\u00a0 ",
    "zero\u200bwidth soft\u00adhyphen \ufeffbom",
]


def test_is_a_scoring_translator(model: CT2Translator) -> None:
    assert isinstance(model, ScoringTranslator)


def test_translates_in_order_with_score_and_pieces(model: CT2Translator) -> None:
    found = model.translate(SENTENCES, "en", "es")
    assert [t.reason for t in found] == [None] * len(SENTENCES)
    assert found[0].text == "Tengo dos gatos."
    for translation in found:
        assert model.decode(translation.pieces, "es") == translation.text
        assert translation.score is not None and translation.score < 0
        assert not translation.truncated


@pytest.mark.parametrize(
    ("text", "reason", "truncated"),
    [
        ("", "empty_source", False),
        (" \n\t\u3000", "empty_source", False),
        ("\u200b\u200b", "empty_source", False),
        ("<br/>", "only_markup", False),
        ("<b> </b> &nbsp;", "only_markup", False),
        ("a \ud83d b", "bad_unicode", False),
        ("word " * 3000, "source_too_long", True),
    ],
)
def test_a_poisoned_row_is_rejected_alone(model: CT2Translator, text: str, reason: str, truncated: bool) -> None:
    clean = model.translate(SENTENCES, "en", "es")
    found = model.translate([*SENTENCES[:3], text, *SENTENCES[3:]], "en", "es")
    bad = found.pop(3)
    assert (bad.text, bad.pieces, bad.reason, bad.truncated) == ("", (), reason, truncated)
    assert found == clean


@pytest.mark.parametrize("text", ["<b>Good morning!</b>", "1 < 2 & 3 > 2", "😀", "…", "AT&T;"])
def test_text_with_something_to_say_passes(model: CT2Translator, text: str) -> None:
    assert model.translate([text], "en", "es")[0].reason is None


@pytest.mark.parametrize("text", ["😀", "★★★", "—", "12", "1,500.50 €", "6171-1231-1311-1231", "👨‍👩‍👧 🇪🇸!", "٤٥"])
def test_a_text_without_a_letter_is_its_own_translation(model: CT2Translator, text: str) -> None:
    before, found, after = model.translate(["One.", text, "Two."], "en", "es")
    assert (found.text, found.reason, found.score) == (text, None, 0.0)
    assert [before, after] == model.translate(["One.", "Two."], "en", "es")
    assert model.translate_nbest([text], "en", "es", 4) == [[found]]


def test_output_at_its_limit_is_rejected(model_directory: Path) -> None:
    short = CT2Translator(model_directory, device="cpu", max_target=5)
    long, brief = short.translate([SENTENCES[2], SENTENCES[5]], "en", "es")
    assert (long.text, long.reason, long.truncated) == ("", "output_truncated", True)
    assert brief.reason is None and not brief.truncated


def test_an_output_may_be_several_times_as_long_as_its_source_and_no_longer_than_the_model_allows() -> None:
    caps = [output_cap(length, Limits(512, 300)) for length in range(1, 200)]
    assert caps == sorted(caps) and caps[0] == 64 and caps[-1] == 300
    assert all(cap >= 3 * length + 40 or cap == 300 for length, cap in enumerate(caps, 1))


def test_a_row_that_the_engine_refuses_costs_only_itself(model_directory: Path, tmp_path: Path) -> None:
    directory = tmp_path / "overlong"
    shutil.copytree(model_directory, directory)
    facts = json.loads((directory / "spanferry.json").read_text(encoding="utf-8"))
    (directory / "spanferry.json").write_text(json.dumps({**facts, "max_tokens": 5000}), encoding="utf-8")
    model = CT2Translator(directory, device="cpu")
    # Past the position table of the model CTranslate2 raises, for the whole batch.
    found = model.translate([SENTENCES[0], "word " * 1000, SENTENCES[1]], "en", "es")
    assert [t.reason for t in found] == [None, "model_error", None]
    assert found[0].text == "Tengo dos gatos."


def test_engine_that_fails_on_every_row_is_an_error(model_directory: Path, tmp_path: Path) -> None:
    directory = tmp_path / "overlong"
    shutil.copytree(model_directory, directory)
    facts = json.loads((directory / "spanferry.json").read_text(encoding="utf-8"))
    (directory / "spanferry.json").write_text(json.dumps({**facts, "max_tokens": 5000}), encoding="utf-8")
    with pytest.raises(ModelError, match="fails on every row"):
        CT2Translator(directory, device="cpu").translate(["word " * 1000, "word " * 1001], "en", "es")


def test_a_row_does_not_depend_on_the_rows_around_it(model: CT2Translator) -> None:
    together = model.translate(SENTENCES, "en", "es")
    alone = [model.translate([text], "en", "es")[0] for text in SENTENCES]
    backwards = model.translate(SENTENCES[::-1], "en", "es")[::-1]
    assert [t.pieces for t in together] == [t.pieces for t in alone] == [t.pieces for t in backwards]
    for one, other in zip(together, alone, strict=True):
        assert one.score == pytest.approx(other.score, abs=1e-5)


def test_same_call_same_bytes_from_several_threads(model: CT2Translator, model_directory: Path) -> None:
    again = CT2Translator(model_directory, device="cpu")
    assert again.raw is model.raw, "one model in memory"
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: again.translate(SENTENCES, "en", "es"), range(4)))
    assert all(f == model.translate(SENTENCES, "en", "es") for f in found)


@pytest.mark.parametrize(
    "text", ["</s> I know.", ">>deu<< I know.", "<unk> I know.", "<pad> I know. <s>", ">>de<< >>es<<"]
)
def test_tokens_spelled_in_a_text_do_not_steer(model: CT2Translator, text: str) -> None:
    tokens = model.encode_source(text, "en", "es")
    frame = model.family.frame("en", "es")
    inner = tokens[len(frame.source_prefix) : len(tokens) - len(frame.source_suffix)]
    assert not model.family.specials.intersection(inner)
    assert not model.family.specials.intersection(model.encode_target(text, "es"))


def test_white_space_is_one_space(model: CT2Translator) -> None:
    plain, spaced = model.translate(["I have two cats.", "  I\nhave \t two\u00a0\u3000cats. \r\n"], "en", "es")
    assert plain == spaced


@pytest.mark.parametrize("text", SCRIPTS)
@pytest.mark.parametrize("side", ["source", "target"])
def test_ranges_cover_every_visible_character(model: CT2Translator, text: str, side: str) -> None:
    pieces, ranges = model.pieces(text, "en", side=side)
    _check_ranges(text, pieces, ranges)
    frame = model.family.frame("en", "es")
    source = model.encode_source(text, "en", "es")[len(frame.source_prefix) :][: len(pieces)]
    assert pieces == (source if side == "source" else model.encode_target(text, "es"))
    covered = {i for start, end in ranges for i in range(start, end)}
    hidden = "\u200b\u00ad\ufeff\u200d\ufe0f"
    visible = {i for i, char in enumerate(text) if not char.isspace() and char not in hidden}
    assert visible <= covered


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
@settings(max_examples=300, deadline=None)
def test_ranges_lie_in_any_text(model: CT2Translator, text: str) -> None:
    pieces, ranges = model.pieces(text, "en", side="source")
    _check_ranges(text, pieces, ranges)


def _check_ranges(text: str, pieces: list[str], ranges: list[tuple[int, int]]) -> None:
    assert len(pieces) == len(ranges)
    assert all(0 <= start <= end <= len(text) for start, end in ranges)
    assert [start for start, _ in ranges] == sorted(start for start, _ in ranges)
    assert [end for _, end in ranges] == sorted(end for _, end in ranges)


def test_ranges_of_words_are_the_words(model: CT2Translator) -> None:
    text = "  Ｈｅｌｌｏ   ½ naïve"
    pieces, ranges = model.pieces(text, "en", side="source")
    quotes = [text[start:end] for start, end in ranges]
    half = [piece for piece, quote in zip(pieces, quotes, strict=True) if quote == "½"]
    assert len(half) >= 2, "one character became several pieces, and each of them has it"
    once = "".join(text[start:end] for start, end in dict.fromkeys(ranges))
    assert once.replace(" ", "") == "Ｈｅｌｌｏ½naïve"


def test_pieces_of_broken_unicode_is_a_row_error(model: CT2Translator) -> None:
    with pytest.raises(RowError) as caught:
        model.pieces("a\ud800", "en", side="source")
    assert caught.value.reason == "bad_unicode"


def test_forced_score_is_the_score_of_the_translation(model: CT2Translator) -> None:
    found = model.translate(SENTENCES, "en", "es")
    forced = model.score_pairs(SENTENCES, [t.text for t in found], "en", "es")
    for translation, score in zip(found, forced, strict=True):
        if score.pieces == translation.pieces:  # the model may spell a word in other pieces than the tokeniser
            assert score.mean == pytest.approx(translation.score, abs=1e-3)
        assert len(score.logprobs) == len(score.pieces) + 1


def test_scores_prefer_the_right_pairing(model: CT2Translator) -> None:
    right, wrong = model.score_pairs(["I have two cats."] * 2, ["Tengo dos gatos.", "Vivo en Boston."], "en", "es")
    assert right.mean > wrong.mean + 1


def test_forced_rows_have_reasons(model: CT2Translator) -> None:
    sources = ["I know.", "", "I know.", "I know.", "I know.", "<br/>"]
    targets = ["Lo sé.", "Lo sé.", " ", "palabra " * 600, "a\udc00", "Lo sé."]
    scores = model.score_pairs(sources, targets, "en", "es")
    reasons = [None, "empty_source", "empty_target", "target_too_long", "bad_unicode", "only_markup"]
    assert [s.reason for s in scores] == reasons
    assert [len(s.logprobs) > 0 for s in scores] == [reason is None for reason in reasons]
    assert [a is None for a in model.attention(sources, targets, "en", "es")] == [r is not None for r in reasons]


def test_attention_is_over_pieces(model: CT2Translator) -> None:
    targets = [t.text for t in model.translate(SENTENCES, "en", "es")]
    for source, target, weights in zip(
        SENTENCES, targets, model.attention(SENTENCES, targets, "en", "es"), strict=True
    ):
        assert weights is not None
        shape = (len(model.pieces(target, "es", side="target")[0]), len(model.pieces(source, "en", side="source")[0]))
        assert weights.shape == shape
        assert np.all(weights >= 0) and np.all(weights.sum(1) <= 1.001)


def test_length_counts_what_the_model_sees(model: CT2Translator) -> None:
    assert model.length("I know.", "en") == len(model.encode_source("I know.", "en", "es"))
    edge = next(n for n in range(1, 2000) if model.length("cat " * n, "en") > model.limits.source)
    over, at = model.translate(["cat " * edge, "cat " * (edge - 1)], "en", "es")
    assert over.reason == "source_too_long"
    assert at.reason in (None, "output_truncated"), "the longest text allowed is one that the engine takes"


def test_unknown_language_names_the_nearest(model: CT2Translator) -> None:
    with pytest.raises(ModelError) as caught:
        model.translate(["I know."], "en", "tlh")
    assert "does not know the language 'tlh'" in str(caught.value) and "Hint: nearest:" in str(caught.value)
    assert model.supports("en-GB", "es-MX") and not model.supports("tlh", "es")


def test_signature_names_every_choice(model: CT2Translator, model_directory: Path) -> None:
    assert re.fullmatch(r"mt:[\w.-]+@[0-9a-f]{8}\|ct2:int8\|beam:4", model.signature)
    floats = {"compute_type": "float32"}
    options = [{"beam": 2}, floats, {"max_source": 100}, {"max_target": 100}, {**floats, "batch_tokens": 64}]
    others = {CT2Translator(model_directory, device="cpu", **option).signature for option in options}
    assert len(others | {model.signature}) == len(options) + 1
    # Rows of int8 do not depend on their batch, so that its size is no choice that changes anything.
    batched = CT2Translator(model_directory, device="cpu", batch_tokens=64)
    assert batched.neutral_options == {"batch_tokens"} and batched.signature == model.signature


@pytest.mark.parametrize("option", [{"beam": 0}, {"compute_type": "int3"}, {"device": "tpu"}, {"max_target": -1}])
def test_bad_options_are_named(model_directory: Path, option: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as caught:
        CT2Translator(model_directory, **{"device": "cpu", **option})
    assert str(next(iter(option.values()))) in str(caught.value)


def test_no_rows(model: CT2Translator) -> None:
    assert model.translate([], "en", "es") == []
    assert model.score_pairs([], [], "en", "es") == [] == model.attention([], [], "en", "es")


def test_bytes_that_make_no_character_are_no_translation(model: CT2Translator) -> None:
    odd = ["👩‍👩‍👧 We miss you so much ❤️", "🏳️‍🌈🧑🏽‍🚀 𓀀𓂀 ꙮ", "I 🤗 you, 東京!", "𝔘𝔫𝔦 ﷽ ok"]
    for translation in model.translate(odd, "en", "es"):
        assert "\ufffd" not in translation.text
        if translation.reason is not None:
            assert (translation.reason, translation.text, translation.pieces) == ("broken_output", "", ())

"""Rows that no model should be given, and rows that try to steer it: the other rows come out the same, to the byte."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")
from spanferry.corpora.schema import Translation
from spanferry.translators.conversion.convert import convert
from spanferry.translators.engine import windows
from spanferry.translators.engine.ct2 import CT2Translator
from spanferry.translators.pieces import one_line, one_line_offsets
from tests.translators.checkpoints import SENTENCES, m2m100, marian, mbart50, nllb, t5

POISON = {
    "empty": ("", "empty_source"),
    "spaces": (" \t\u3000\n", "empty_source"),
    "markup": ("<br/><b> </b>&nbsp;", "only_markup"),
    "long": ("word " * 10_000, "source_too_long"),
    "surrogate": ("a \ud83d b", "bad_unicode"),
    "marian token": (">>es<< I have two cats.", None),
    "m2m100 token": ("__de__ I have two cats.", None),
    "nllb token": ("eng_Latn spa_Latn I have two cats.", None),
    "madlad token": ("<2es> I have two cats.", None),
    "end": ("I have </s> two <s> cats. <pad> <unk>", None),
    "nulls": ("I have\x00two \x00\x00 cats.", None),
    "only nulls": ("\x00\x00", "empty_source"),
}


def _built(build: Callable[[Path], Path], folder: Path) -> CT2Translator:
    source = build(folder / "hf")
    patch = pytest.MonkeyPatch()
    with patch.context() as patched:
        patched.setenv("SPANFERRY_CACHE", str(folder / "cache"))
        return CT2Translator(convert(source, quantization="int8"), device="cpu", beam=2, max_target=40)


@pytest.fixture(scope="module", params=["bundled", "marian", "nllb", "m2m100", "mbart50", "t5"])
def one(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> CT2Translator:
    """The bundled model, and a small checkpoint of each family in int8."""
    if request.param == "bundled":
        return request.getfixturevalue("model")
    builders = {
        "marian": lambda p: marian(p, ("spa", "deu")),
        "nllb": nllb,
        "m2m100": m2m100,
        "mbart50": mbart50,
        "t5": t5,
    }
    return _built(builders[request.param], tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def clean(one: CT2Translator) -> list[Translation]:
    found = one.translate(SENTENCES, "en", "es")
    assert any(t.reason is None or t.reason == "output_truncated" for t in found)
    return found


@pytest.mark.parametrize("name", POISON)
def test_it_touches_no_other_row(one: CT2Translator, clean: list[Translation], name: str) -> None:
    text, reason = POISON[name]
    found = one.translate([*SENTENCES[:4], text, *SENTENCES[4:]], "en", "es")
    poisoned = found.pop(4)
    assert found == clean, "texts, pieces and scores, all equal"
    if reason is not None:
        assert (poisoned.text, poisoned.pieces, poisoned.reason) == ("", (), reason)
    assert poisoned.truncated == (poisoned.reason in ("source_too_long", "output_truncated"))


def test_all_of_them_at_once(one: CT2Translator, clean: list[Translation]) -> None:
    mixed: list[str] = []
    for sentence, (text, _) in zip(SENTENCES, POISON.values(), strict=False):
        mixed += [sentence, text]
    assert one.translate(mixed, "en", "es")[::2] == clean


@pytest.mark.parametrize("text", [text for text, reason in POISON.values() if reason is None])
def test_no_token_that_steers_comes_from_a_text(one: CT2Translator, text: str) -> None:
    frame = one.family.frame("en", "es")
    tokens = one.encode_source(text, "en", "es")
    inner = tokens[len(frame.source_prefix) : len(tokens) - len(frame.source_suffix)]
    assert not one.family.specials.intersection(inner)


def test_rows_are_independent_to_the_last_bit(model: CT2Translator) -> None:
    assert model.rows_independent
    names = ["Anna", "Tom", "My old neighbour", "The woman in the red coat"]
    rest = [
        "sleeps.",
        "has bought two books.",
        "will come home on Monday, if the train is not late again.",
        "sings well.",
    ]
    texts = [f"{name} {end}" for name in names for end in rest]
    together = model.translate(texts, "en", "es")
    assert together == [model.translate([text], "en", "es")[0] for text in texts]
    assert together[::-1] == model.translate(texts[::-1], "en", "es")
    assert together[::3] == model.translate(texts[::3], "en", "es")


def test_forced_rows_are_independent_too(model: CT2Translator) -> None:
    draw = random.Random(0)
    words = ["the", "cat", "sat", "on", "a", "mat", "in", "York", "with", "Anna", "2008", "books", "🇪🇸", ",", "👩‍🚀"]
    pairs = [tuple(" ".join(draw.sample(words, draw.randint(1, 7))) for _ in range(2)) for _ in range(100)]
    sources, targets = zip(*pairs, strict=True)
    scores = model.score_pairs(sources, targets, "en", "es")
    attended = model.attention(sources, targets, "en", "es")
    for source, target, score, weights in zip(sources, targets, scores, attended, strict=True):
        alone = model.score_pairs([source], [target], "en", "es")[0]
        assert alone.logprobs.tobytes() == score.logprobs.tobytes()
        own = model.attention([source], [target], "en", "es")[0]
        assert own is not None and weights is not None and own.tobytes() == weights.tobytes()


def test_floats_are_not(model_directory: Path) -> None:
    assert not CT2Translator(model_directory, device="cpu", compute_type="float32").rows_independent


def test_a_stream_is_read_as_it_is_translated(model: CT2Translator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "_WINDOW_ROWS", 4)
    texts = [f"I have {n} cats." for n in range(2, 30)] + ["", "a \ud83d b"]
    taken: list[str] = []

    def source() -> Iterator[str]:
        for text in texts:
            taken.append(text)
            yield text

    stream = model.stream(source(), "en", "es")
    first = [next(stream) for _ in range(4)]
    assert len(taken) <= 12, "two windows and the text that opens the third"
    assert [*first, *stream] == model.translate(texts, "en", "es")


def test_several_hypotheses(model: CT2Translator) -> None:
    found = model.translate_nbest(["I have two cats.", ""], "en", "es", 4)
    assert [len(row) for row in found] == [4, 1] and found[1][0].reason == "empty_source"
    assert len({t.text for t in found[0]}) > 1
    scores = [t.score for t in found[0] if t.score is not None]
    assert scores == sorted(scores, reverse=True)


@given(text=st.text(st.sampled_from("ab \t\n\x00\x1f\x7f\x85\u00a0\u200b東é"), max_size=12))
def test_one_line_and_its_offsets_agree(text: str) -> None:
    line, offsets = one_line_offsets(text)
    assert line == one_line(text) and len(offsets) == len(line)
    assert offsets == sorted(set(offsets))
    assert all(text[at] == char for at, char in zip(offsets, line, strict=True) if char != " ")

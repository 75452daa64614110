"""The encoder aligner against the simalign package and against AWESOME's formulas in torch, on the same weights."""

import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("simalign")
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from spanferry.corpora.errors import ConfigError, ModelError
from spanferry.corpora.schema import Span
from spanferry.corpora.text.words import word_strings, words
from spanferry.projectors.aligners.encoder.aligner import EncoderAligner
from spanferry.projectors.aligners.encoder.convert import is_encoder
from spanferry.projectors.aligners.encoder.links import Side, extract
from spanferry.projectors.aligners.simalign import SimalignAligner
from spanferry.projectors.base import Aligner, Alignment, ProjectionInput
from spanferry.projectors.methods.alignment import AlignmentProjector
from spanferry.translators.conversion.convert import quiet
from spanferry.translators.loading.load import list_models
from tests.projectors import encoders
from tests.projectors.encoders import quiet_simalign
from tests.projectors.parallel_texts import spanish


def pair(source: str, target: str) -> ProjectionInput:
    return ProjectionInput("p", source, target, (), "en", "xx")


PAIRS = [
    *spanish()[::30],
    pair("The old captain sold his boat in Lisbon, 25 times!", "Der alte Kapitän verkaufte sein Boot in Lissabon."),
    pair("Nobody knows.", "Она купила билет до Казани за 25 рублей."),
    pair("two letters", "她在北京买了两本书。"),
    pair("A", "彼女は東京で本を二冊買った。"),
    pair("She bought 😀 e\u0301 in 𝒳", "اشترت كتابين في القاهرة"),
    pair("boat boat boat", "barco"),
]


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("encoders")
    return {"bert": encoders.bert(folder / "bert"), "xlm-roberta": encoders.xlm_roberta(folder / "xlmr")}


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("SPANFERRY_CACHE", str(folder))
        yield folder


def exact(directory: Path, method: str = "softmax", layer: int | None = 3, **options) -> EncoderAligner:
    return EncoderAligner(str(directory), method, layer=layer, device="cpu", compute_type="float32", **options)


@pytest.mark.parametrize("layout", ["bert", "xlm-roberta"])
@pytest.mark.parametrize("method", ["argmax", "itermax", "match"])
@pytest.mark.parametrize("layer", [2, 4])
def test_the_links_of_the_simalign_package(checkpoints, layout: str, method: str, layer: int) -> None:
    directory = checkpoints[layout]
    with quiet_simalign():
        theirs = SimalignAligner(str(directory), method, layer=layer).align(PAIRS)
    ours = exact(directory, method, layer).align(PAIRS)
    assert [a.links for a in ours] == [a.links for a in theirs]
    assert sum(len(a.links) for a in ours) > 3 * len(PAIRS)


@pytest.mark.parametrize("layout", ["bert", "xlm-roberta"])
def test_the_links_of_awesome(checkpoints, layout: str) -> None:
    directory = checkpoints[layout]
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    network = transformers.AutoModel.from_pretrained(directory).eval()
    threshold = 0.02

    def read(text: str, ranges):
        listed = word_strings(text, ranges)
        pieces = [tokenizer.tokenize(word) for word in listed]
        given = tokenizer(listed, is_split_into_words=True, return_tensors="pt")
        with torch.no_grad():
            hidden = network(**given, output_hidden_states=True).hidden_states[3][0, 1:-1]
        return hidden, [k for k, word in enumerate(pieces) for _ in word]

    for item, found in zip(PAIRS, exact(directory, threshold=threshold).align(PAIRS), strict=True):
        left, of_left = read(item.source_text, found.source_words)
        right, of_right = read(item.target_text, found.target_words)
        products = left @ right.T
        both = (products.softmax(-1) > threshold) & (products.softmax(-2) > threshold)
        expected = {(of_left[i], of_right[j]) for i, j in both.nonzero().tolist()}
        assert set(found.links) == expected


def test_a_probability_is_the_mean_of_both_directions() -> None:
    one, two = np.float32([[[4, 0], [0, 4], [0, 0]]]), np.float32([[[1, 0], [0.9, 0], [0, 1]]])
    left = Side(one, np.array([[0, 1, -1]]), [2])
    right = Side(two, np.array([[0, 0, 1]]), [2])
    (found,) = extract(left, right, "argmax", 0.0)
    there, back = np.exp(one[0, :2] @ two[0].T), np.exp(one[0, :2] @ two[0].T)
    there, back = there / there.sum(axis=1, keepdims=True), back / back.sum(axis=0, keepdims=True)
    expected = [
        [np.sqrt((there[i, 0] + there[i, 1]) * (back[i, 0] + back[i, 1]) / 2), np.sqrt(there[i, 2] * back[i, 2])]
        for i in (0, 1)
    ]
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-5)
    np.testing.assert_allclose(found.forward.sum(axis=0), 1.0, atol=1e-5)
    np.testing.assert_allclose(found.backward.sum(axis=1), 1.0, atol=1e-5)
    assert found.links == ((0, 0), (1, 1))


def test_the_empty_word_takes_what_is_like_nothing() -> None:
    one, two = np.float32([[[4, 0], [0, -4], [9, 9]]]), np.float32([[[1, 0], [0, 1]]])
    left, right = Side(one, np.array([[0, 1, -1]]), [2]), Side(two, np.array([[0, 1]]), [2])
    (found,) = extract(left, right, "softmax", 0.5, empty_word=True)
    products = np.array([[4.0, 0.0], [0.0, -4.0]])
    there, back = (np.exp(products) / (1.0 + np.exp(products).sum(axis=axis, keepdims=True)) for axis in (1, 0))
    np.testing.assert_allclose(found.backward, there, atol=1e-5)
    np.testing.assert_allclose(found.forward, back, atol=1e-5)
    assert found.links == ((0, 0),)
    (without,) = extract(left, right, "softmax", 0.5)
    np.testing.assert_allclose(without.backward.sum(axis=1), 1.0, atol=1e-5)


def test_probabilities_and_posterior_segments(checkpoints) -> None:
    aligner = exact(checkpoints["bert"])
    assert isinstance(aligner, Aligner)
    for found in aligner.align(PAIRS):
        assert found.probabilities.shape == (len(found.source_words), len(found.target_words))
        assert found.probabilities.dtype == np.float32
        assert found.probabilities.min() >= 0.0 and found.probabilities.max() <= 1.0
    # A text aligned with itself: an encoder without any training finds every word.
    text = "Nobody sold two letters to the young teacher."
    spans = tuple(Span(a, b, "X", str(a)) for a, b in words(text)[::2])
    itself = ProjectionInput("e", text, text, spans, "en", "en")
    (row,) = AlignmentProjector(exact(checkpoints["bert"], "argmax")).project([itself])
    assert [p.span and (p.span.start, p.span.end) for p in row] == [(s.start, s.end) for s in spans]
    assert {p.method for p in row} == {"align.encoder.posterior"}


def same(one: Alignment, other: Alignment) -> bool:
    near = np.allclose(one.probabilities, other.probabilities, atol=2e-5)
    return one.links == other.links and near and one.reason == other.reason


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(len(PAIRS))), st.integers(1, len(PAIRS)))
def test_order_and_batches_change_nothing(checkpoints, order: list[int], size: int) -> None:
    aligner = exact(checkpoints["xlm-roberta"], "itermax")
    whole = aligner.align(PAIRS)
    shuffled = [aligner.align([PAIRS[k] for k in order[at : at + size]]) for at in range(0, len(order), size)]
    flat = [alignment for batch in shuffled for alignment in batch]
    assert all(same(whole[k], found) for k, found in zip(order, flat, strict=True))


def test_int8_is_the_same_to_the_last_bit_in_any_company(checkpoints) -> None:
    aligner = EncoderAligner(str(checkpoints["bert"]), "softmax", layer=3, device="cpu")
    together = aligner.align([*PAIRS, *PAIRS[::2]])
    for item, found in zip([*PAIRS, *PAIRS[::2]], together, strict=True):
        (alone,) = aligner.align([item])
        assert found.links == alone.links
        for ours, theirs in ((found.probabilities, alone.probabilities), (found.forward, alone.forward)):
            assert ours.tobytes() == theirs.tobytes()


def test_a_checkpoint_without_its_tokeniser_is_an_error(checkpoints, tmp_path: Path) -> None:
    shutil.copytree(checkpoints["bert"], tmp_path / "bare")
    for path in (tmp_path / "bare").iterdir():
        if path.name not in ("config.json", "model.safetensors"):
            path.unlink()
    with pytest.raises(ModelError, match=r"can.t be converted.*tokeniser"):
        EncoderAligner(str(tmp_path / "bare"), "argmax", device="cpu")


def test_int8_gives_nearly_the_same_links(checkpoints) -> None:
    small = EncoderAligner(str(checkpoints["bert"]), "argmax", layer=3, device="cpu")
    assert small.directory != exact(checkpoints["bert"], "argmax").directory
    # On trained weights: random ones have near ties, and some processors' int8 products are cut off at 16 bits.
    for method in ("softmax", "argmax"):
        theirs, ours = (
            {(k, link) for k, a in enumerate(aligner.align(PAIRS)) for link in a.links}
            for kind in ("float32", "int8")
            for aligner in [EncoderAligner(method=method, device="cpu", compute_type=kind)]
        )
        assert len(theirs) > 50 and len(theirs & ours) / len(theirs | ours) > 0.95


@pytest.mark.parametrize(
    ("source", "target", "reason"),
    [
        ("", "barco", "empty_source"),
        ("boat", " ", "empty_target"),
        ("boat " * 80, "barco", "too_long"),
        ("boat", "barco " * 80, "too_long"),
        ("a \ud800 boat", "barco", "bad_unicode"),
        ("boat", "barco \udfff", "bad_unicode"),
    ],
)
def test_reasons(checkpoints, source: str, target: str, reason: str) -> None:
    good, bad = exact(checkpoints["bert"]).align([PAIRS[0], pair(source, target)])
    assert (good.reason, bad.reason) == (None, reason)
    assert bad.links == () and bad.probabilities.shape == (len(bad.source_words), len(bad.target_words))


@pytest.mark.parametrize(("layout", "room"), [("bert", 64), ("xlm-roberta", 62)])
def test_a_text_of_exactly_the_model_s_length(checkpoints, layout: str, room: int) -> None:
    pieces = transformers.AutoTokenizer.from_pretrained(checkpoints[layout])
    word, filler = ("boat", ".") if layout == "bert" else ("Lisbon", "a")
    text = word
    while len(pieces(text)["input_ids"]) < room + 2:
        text += f" {filler}"
    longer = f"{text} {filler}"
    fits, not_ = exact(checkpoints[layout]).align([pair(text, word), pair(longer, word)])
    assert (fits.reason, not_.reason) == (None, "too_long")
    assert fits.links


def test_words_that_have_no_pieces_have_no_links(checkpoints) -> None:
    item = ProjectionInput("e", "\u200d boat", "barco", (), "en", "es", ((0, 1), (2, 6)), ((0, 5),))
    nothing = ProjectionInput("e", "\u200d", "barco", (), "en", "es", ((0, 1),), ((0, 5),))
    found = exact(checkpoints["bert"], "argmax").align([item, nothing, PAIRS[0]])
    assert [a.reason for a in found] == [None] * 3
    assert found[0].links == ((1, 0),) and found[1].links == ()


def test_converted_once_and_used_without_the_checkpoint(checkpoints, tmp_path: Path) -> None:
    source = tmp_path / "LaBSE"
    shutil.copytree(checkpoints["bert"], source)
    first = exact(source, layer=None)
    assert first.directory.name.startswith("LaBSE@") and first.directory.name.endswith("-l4-float32")  # 6, of 4
    stamp = (first.directory / "model.bin").stat().st_mtime_ns
    assert exact(source, layer=4).directory == first.directory
    assert (first.directory / "model.bin").stat().st_mtime_ns == stamp
    assert first.directory.name in {Path(model.where).name for model in list_models()}
    shutil.rmtree(source)
    again = exact(first.directory, layer=None)
    assert again.signature == first.signature
    assert [a.links for a in again.align(PAIRS)] == [a.links for a in first.align(PAIRS)]


def test_added_by_the_command_line(checkpoints, cache: Path, spanferry, model) -> None:
    done = spanferry("models", "add", checkpoints["xlm-roberta"], "--layer", 1, "--device", "cpu")
    assert done.returncode == 0, done.stderr
    directory = Path(done.stdout.strip())
    assert directory.parent == cache / "models" and directory.name.endswith("-l1-int8")
    aligner = EncoderAligner(str(directory), "argmax", device="cpu")
    assert aligner.directory == directory and aligner.align(PAIRS[:1])[0].links
    known = [is_encoder(str(name)) for name in (directory, checkpoints["bert"], "LaBSE", "owner/name", model.directory)]
    assert known == [True, True, True, False, False]


@pytest.mark.parametrize(("layout", "network"), [("bert", "BertForMaskedLM"), ("xlm-roberta", "XLMRobertaForMaskedLM")])
def test_a_checkpoint_with_the_head_it_was_trained_with(checkpoints, tmp_path: Path, layout: str, network: str) -> None:
    """As the hub has them."""
    with quiet():
        headed = getattr(transformers, network).from_pretrained(checkpoints[layout])
        shutil.copytree(checkpoints[layout], tmp_path / "mlm", ignore=shutil.ignore_patterns("*.safetensors"))
        headed.save_pretrained(tmp_path / "mlm")
    plain, whole = (exact(directory).align(PAIRS) for directory in (checkpoints[layout], tmp_path / "mlm"))
    assert all(same(one, other) for one, other in zip(plain, whole, strict=True))


def test_the_same_file_from_a_checkpoint_without_pooler(checkpoints, tmp_path: Path) -> None:
    network = transformers.BertModel.from_pretrained(checkpoints["bert"], add_pooling_layer=False)
    hashes = set()
    for name in ("one", "two"):
        shutil.copytree(checkpoints["bert"], tmp_path / name, ignore=shutil.ignore_patterns("*.safetensors"))
        network.save_pretrained(tmp_path / name)
        hashes.add((exact(tmp_path / name).directory / "model.bin").read_bytes())
    assert len(hashes) == 1


def test_every_option_shows_in_the_signature(checkpoints) -> None:
    directory = checkpoints["bert"]
    variants = [
        exact(directory),
        exact(directory, threshold=0.1),
        exact(directory, "argmax"),
        exact(directory, layer=2),
        exact(checkpoints["xlm-roberta"]),
        EncoderAligner(str(directory), layer=3, device="cpu"),
    ]
    assert len({v.signature for v in variants}) == len(variants)
    assert exact(directory, "argmax", threshold=0.1).signature == exact(directory, "argmax").signature


def test_bad_options_are_refused(checkpoints, tmp_path: Path) -> None:
    directory = checkpoints["bert"]
    for options, message in (
        ({"method": "max"}, "unknown method 'max'"),
        ({"threshold": 1.0}, "threshold = 1.0"),
        ({"layer": 5}, "layer = 5"),
        ({"layer": 0}, "layer = 0"),
        ({"compute_type": "int3"}, "int3"),
    ):
        with pytest.raises(ConfigError, match=message) as error:
            EncoderAligner(str(directory), **options)
        assert "Hint:" in str(error.value)
    with pytest.raises(ConfigError, match="cut off after layer 3"):
        exact(exact(directory).directory, layer=2)
    with pytest.raises(ModelError, match="no encoder 'mbertt'"):
        EncoderAligner("mbertt")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match="no encoder"):
        EncoderAligner(str(tmp_path / "empty"))


def test_a_translation_model_is_no_encoder(model) -> None:
    with pytest.raises(ModelError, match="is not a converted encoder"):
        EncoderAligner(str(model.directory))

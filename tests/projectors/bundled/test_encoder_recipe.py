"""The recipe of the bundled aligner, run for real on a tiny corpus: linked text, vocabulary, batches, training."""

import json
from dataclasses import fields
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("eflomal")
import torch

from spanferry.corpora.text.words import word_strings, words
from spanferry.projectors.aligners.encoder.aligner import EncoderAligner
from spanferry.projectors.base import ProjectionInput
from spanferry.projectors.bundled.batches import ROOMS, Batch, stream
from spanferry.projectors.bundled.texts import END, MASK, PAD, SPECIALS, START, encode, link, read_rows, vocabulary
from tests.translators.bundled_corpus import corpus, write_data

pytestmark = pytest.mark.xdist_group("recipe")

# Of the made-up sentences "My cat sees bread today." word by word.
STRAIGHT = tuple((k, k) for k in range(6))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data, out = write_data(tmp_path_factory.mktemp("data")), tmp_path_factory.mktemp("work")
    for language in ("es", "de"):
        assert link(data, out, language) > 150
    assert 100 < vocabulary(out, 400) <= 400
    assert {language: encode(out, language) for language in ("de", "es")}
    return out


def arrays(folder: Path) -> dict[str, dict[str, np.ndarray]]:
    found = {}
    for path in sorted(folder.glob("??.npz")):
        with np.load(path) as file:
            found[path.stem] = {name: file[name] for name in file.files}
    return found


def test_links_are_between_words_and_most_are_right(folder: Path) -> None:
    right = total = 0
    for source, target, sure, possible in read_rows(folder / "es.tsv"):
        for i, j in (*sure, *possible):
            assert i < len(words(source)) and j < len(words(target))
        assert not set(sure) & set(possible)
        if source.startswith("My "):
            right += len(set(sure) & set(STRAIGHT))
            total += len(STRAIGHT)
    assert total > 600 and right > 0.8 * total


def test_numbers_stand_for_the_texts(folder: Path) -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    own = arrays(folder)["de"]
    rows = list(read_rows(folder / "de.tsv"))
    for number in (0, 7, len(rows) - 1):
        for side in (0, 1):
            a, b = own[f"offsets{side}"][number : number + 2]
            text = rows[number][side]
            pieces = [tokenizer.id_to_token(k).strip("▁") for k in own[f"pieces{side}"][a:b]]
            joined = [
                "".join(p for p, word in zip(pieces, own[f"words{side}"][a:b], strict=True) if word == k)
                for k in range(len(words(text)))
            ]
            assert joined == [word.lower() for word in word_strings(text, words(text))]
        c, d = own["sure_offsets"][number : number + 2]
        assert [tuple(pair) for pair in own["sure"][c:d].tolist()] == list(rows[number][2])


def test_a_piece_is_the_same_whatever_is_taken_for_a_word(folder: Path) -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    single = tokenizer.encode(["在", "北", "京", "に"], is_pretokenized=True)
    assert single.ids == tokenizer.encode(["在", "北京に"], is_pretokenized=True).ids
    assert single.ids[0] == START and single.ids[-1] == END


def test_batches_are_what_the_links_say(folder: Path) -> None:
    data = arrays(folder)
    for batch in islice(stream(data, 512, (3,)), 40):
        n, room = len(batch.sure), batch.pieces.shape[1]
        assert room in dict(ROOMS) and batch.pieces.shape == (2 * n, room) and 2 * n * room >= 512
        real = batch.pieces >= len(SPECIALS)
        text, supervised = real | (batch.pieces == MASK), batch.supervised
        assert not (batch.sure & ~batch.seen).any() and not (batch.sure & ~text[:n, :, None]).any()
        assert not (batch.seen & ~(text[:n, :, None] & text[n:, None, :])).any() and not (supervised & ~text).any()
        assert (supervised[:n] | ~batch.sure.any(axis=2)).all() and (supervised[n:] | ~batch.sure.any(axis=1)).all()
        assert (batch.pieces[:, 0] == START).all() and ((batch.pieces == END).sum(axis=1) == 1).all()
        assert (batch.pieces[:, -1] != START).all() and (
            (batch.pieces == PAD) == (~text & (batch.pieces < START))
        ).all()
        guessed = batch.wanted >= 0
        hidden = batch.pieces.ravel()[batch.masked[guessed]]
        assert guessed.any() and ((hidden == MASK) | (hidden == batch.wanted[guessed])).all()
        assert (batch.wanted[guessed] >= len(SPECIALS)).all() and batch.count == text.sum()
        assert (batch.start >= 0).all() and (batch.start + room <= 512).all()


def test_batches_come_the_same_again(folder: Path) -> None:
    data = arrays(folder)
    for first, second in zip(islice(stream(data, 512, (3, 1)), 9), stream(data, 512, (3, 1)), strict=False):
        assert all(np.array_equal(getattr(first, f.name), getattr(second, f.name)) for f in fields(Batch))


@pytest.fixture(scope="module")
def weights(folder: Path) -> Path:
    """A small network after a few hundred steps, stopped once, as it would ship."""
    from tokenizers import Tokenizer

    from spanferry.projectors.bundled.convert import convert
    from spanferry.projectors.bundled.network import Shape
    from spanferry.projectors.bundled.train import Plan, train

    torch.set_num_threads(1)
    pieces = Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab_size()
    shape = Shape(pieces=pieces, width=64, layers=2, heads=2, feed=128)
    for steps in (60, 320):
        plan = Plan(steps=steps, warmup=10, decay=60, pieces=1024, rate=0.005, workers=1)
        train(folder, plan, shape, compiled=False)
    convert(folder, folder / "weights")
    return folder / "weights"


def test_the_trained_aligner_finds_the_links(weights: Path) -> None:
    facts = json.loads((weights / "spanferry.json").read_text(encoding="utf-8"))
    assert facts["encoder"] and facts["empty_word"] and facts["layer"] == facts["layers"] == 2
    assert facts["training"]["step"] == 320 and facts["training"]["pieces"] > 20_000
    aligner = EncoderAligner(str(weights), threshold=0.3, device="cpu")
    inputs = [ProjectionInput(str(k), *pair, (), "en", "es") for k, pair in enumerate(corpus(1)[::9])]
    right = sum(len(set(found.links) & set(STRAIGHT)) for found in aligner.align(inputs))
    assert right > 0.85 * len(STRAIGHT) * len(inputs)


def test_the_shipped_network_is_the_trained_one(folder: Path, weights: Path) -> None:
    import ctranslate2

    from spanferry.projectors.bundled.network import Network, Shape

    state = torch.load(folder / "last.pt", weights_only=True)
    network = Network(Shape(**state["shape"]))
    network.load_state_dict(state["network"])
    pieces = [START, *range(7, 17), END]
    with torch.no_grad():
        ours = network.vectors(torch.tensor([pieces]), torch.tensor([[0]]))[0].float().numpy()
    encoder = ctranslate2.Encoder(str(weights), compute_type="float32")
    theirs = np.array(encoder.forward_batch([pieces]).last_hidden_state)[0]
    # The weights are int8's; computing in int8, too, would measure the processor's products.
    assert float(np.abs(ours - theirs).max()) < 0.02 * float(np.abs(ours).max())

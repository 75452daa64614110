"""The recipe of the bundled model from aligned text to a converted network, run for real on a tiny corpus."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from spanferry.corpora.text.words import words
from spanferry.translators.bundled.texts.prepare import prepare
from tests.translators.bundled_corpus import rows, write_data


@pytest.fixture(scope="module")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny corpus aligned, marked, and turned into numbers; Spanish in both directions."""
    data, folder = write_data(tmp_path_factory.mktemp("data")), tmp_path_factory.mktemp("work")
    prepare(data, folder, ["es", "de"], held_out=10, synthetic=60)
    return encode_text(folder)


def encode_text(folder: Path) -> Path:
    from spanferry.projectors.markers.training_text import augment
    from spanferry.translators.bundled.vocabulary import encode, learn

    total, marked = augment(folder, share=0.5, into_english=["es"], reversed_share=0.5)
    spanish = sum(row[0] == "es" for row in rows(folder / "train.tsv"))
    both = total - len(rows(folder / "train.tsv"))
    assert 0.3 * spanish < both < 0.7 * spanish
    assert 0.3 * total < marked < 0.6 * total
    learn(folder, ["es", "de", "en"], size=900)
    assert encode(folder) == total
    return folder


def test_encoding_twice_gives_the_same_bytes(encoded: Path, tmp_path: Path) -> None:
    for path in (encoded / "train.tsv", *encoded.glob("heldout.??.tsv")):
        shutil.copyfile(path, tmp_path / path.name)
    encode_text(tmp_path)
    for name in ("marked.tsv", "heldout.es.marked.tsv", "vocab.json", "source.spm", "train.npz"):
        assert (tmp_path / name).read_bytes() == (encoded / name).read_bytes(), name


def test_marked_text_is_the_training_text_with_brackets(encoded: Path) -> None:
    pairs = {(language, source, target) for language, source, target in rows(encoded / "train.tsv")}
    pairs |= {("en", target, source) for language, source, target in pairs if language == "es"}
    changed = 0
    for language, source, target, links in rows(encoded / "marked.tsv"):
        assert source.count("[") == target.count("[") == target.count("]")
        if "[" in source:
            changed += 1
        plain = tuple(text.replace("[ ", "").replace(" ]", "") for text in (source, target))
        assert (language, *plain) in pairs
        for link in links.split():
            s, t = map(int, link.split("-"))
            assert s < len(words(source)) and t < len(words(target))
    assert changed


def test_heldout_pairs_get_one_phrase_in_brackets_on_both_sides(encoded: Path) -> None:
    heldout = {(source, target) for source, target in rows(encoded / "heldout.es.tsv")}
    found = rows(encoded / "heldout.es.marked.tsv")
    assert found and len(found) > 0.8 * len(heldout)
    for source, target, *marked in found:
        assert (source, target) in heldout
        assert [text.count(mark) for text in marked for mark in "[]"] == [1] * 4
        assert [text.replace("[ ", "").replace(" ]", "") for text in marked] == [source, target]


def test_language_tokens_and_brackets_are_single_pieces(encoded: Path) -> None:
    import sentencepiece

    model = sentencepiece.SentencePieceProcessor(model_file=str(encoded / "source.spm"))
    table = json.loads((encoded / "vocab.json").read_text(encoding="utf-8"))
    assert {">>es<<", ">>de<<", ">>en<<", "▁[", "▁]"} <= set(table)
    assert list(table)[:2] == ["</s>", "<unk>"] and list(table)[-1] == "<pad>"
    pieces = model.encode("My [ cat ] sees.", out_type=str)
    assert pieces.count("▁[") == pieces.count("▁]") == 1 and "[" not in pieces
    assert ">>es<<" not in model.encode("a >>es<< b", out_type=str)  # a user's text cannot switch the language
    assert model.decode(model.encode("Ж 𓀀 42", out_type=str)) == "Ж 𓀀 42"
    assert "🎂" in "".join(model.encode("Ana 🎂", out_type=str))  # a piece, not bytes
    assert [p.strip("▁") for p in model.encode("2026", out_type=str) if p != "▁"] == list("2026")


def test_pieces_know_their_words(encoded: Path) -> None:
    import sentencepiece

    from spanferry.translators.bundled.vocabulary import pieces_and_words

    model = sentencepiece.SentencePieceProcessor(model_file=str(encoded / "source.spm"))
    text = "Zoë sieht 𓀀 Bären."
    pieces, owner = pieces_and_words(model, text)
    joined = ["".join(p for p, o in zip(pieces, owner, strict=True) if o == i) for i in range(len(words(text)))]
    assert [joined[i].strip("▁") for i in (1, 3, 4)] == ["sieht", "Bären", "."]
    assert owner.count(2) == 4 and joined[2].startswith("<0xF0>")


@pytest.fixture(scope="module")
def trained(encoded: Path) -> Path:
    """A few steps of a tiny network, stopped once and resumed, and its Hugging Face directory."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    # Threads that wait for each other cost more than they bring on matrices this small.
    torch.set_num_threads(1)
    from spanferry.translators.bundled.network import Shape
    from spanferry.translators.bundled.train import Plan, export, train

    size = len(json.loads((encoded / "vocab.json").read_text(encoding="utf-8")))
    shape = Shape(vocabulary=size, width=32, feed=64, heads=2, encoder_layers=1, decoder_layers=2)
    plan = Plan(steps=6, warmup=2, decay=3, batch_tokens=300, workers=1)
    assert train(encoded, plan, shape, stop=4) == 4
    assert train(encoded, plan, shape) == 6
    assert export(encoded, encoded / "hf", average=2) > 6 * 100
    return encoded


def test_training_starts_from_a_converted_model(trained: Path, tmp_path: Path) -> None:
    import torch

    from spanferry.translators.bundled.convert import convert
    from spanferry.translators.bundled.network import Network, Shape
    from spanferry.translators.bundled.train import latest
    from spanferry.translators.bundled.warm import starting_weights

    convert(trained / "hf", tmp_path / "model", {}, [("en", "es")], "tiny")
    found = starting_weights(tmp_path / "model", trained, seed=1)
    states = [torch.load(path, weights_only=True) for path in latest(trained / "checkpoints")[-2:]]
    Network(Shape(**states[0]["shape"])).load_state_dict(found)
    for name, value in found.items():
        wanted = sum(state["network"][name] for state in states) / 2  # the exported mean
        bound = wanted.abs().amax(-1, keepdim=True) / 253 if wanted.dim() == 2 else 1e-6
        assert bool(((value - wanted).abs() <= bound + 1e-6).all()), name


def test_new_pieces_start_from_their_parts(trained: Path, tmp_path: Path) -> None:
    import numpy as np

    from spanferry.translators.bundled.convert import convert
    from spanferry.translators.bundled.warm import embeddings, read_variables

    convert(trained / "hf", tmp_path / "model", {}, [("en", "es")], "tiny")
    old = read_variables(tmp_path / "model" / "model.bin")["encoder/embeddings_0/weight"]
    table = json.loads((trained / "vocab.json").read_text(encoding="utf-8"))
    pieces = ["</s>", "<unk>", "▁[", "▁catdog", "𓀀", "<pad>"]
    (tmp_path / "vocab.json").write_text(json.dumps({piece: i for i, piece in enumerate(pieces)}), encoding="utf-8")
    new = embeddings(old, tmp_path / "model", tmp_path, seed=1)
    assert np.array_equal(new[2], old[table["▁["]]) and not new[-1].any()
    random_part = np.random.default_rng(1).normal(0.0, 0.04, new.shape).astype(np.float32)
    assert not np.allclose(new[3], random_part[3]) and np.array_equal(new[4], random_part[4])


def test_resuming_changes_nothing(trained: Path, tmp_path: Path) -> None:
    import torch

    from spanferry.translators.bundled.network import Shape
    from spanferry.translators.bundled.train import Plan, latest, train

    shutil.copyfile(trained / "train.npz", tmp_path / "train.npz")
    state = torch.load(latest(trained / "checkpoints")[-1], weights_only=True)
    train(tmp_path, Plan(**state["plan"]), Shape(**state["shape"]))
    straight = torch.load(latest(tmp_path / "checkpoints")[-1], weights_only=True)
    assert straight["step"] == state["step"] == 6 and straight["tokens"] == state["tokens"]
    for name, value in straight["network"].items():
        assert torch.allclose(value, state["network"][name], atol=1e-5), name


@pytest.mark.slow
def test_two_workers_share_every_step(trained: Path, tmp_path: Path) -> None:
    import numpy as np
    import torch

    from spanferry.translators.bundled.network import Shape
    from spanferry.translators.bundled.train import Plan, batches, latest, train

    shutil.copyfile(trained / "train.npz", tmp_path / "train.npz")
    shape = torch.load(latest(trained / "checkpoints")[-1], weights_only=True)["shape"]
    plan = Plan(steps=2, warmup=1, decay=1, batch_tokens=200, workers=2)
    train(tmp_path, plan, Shape(**shape))
    state = torch.load(latest(tmp_path / "checkpoints")[-1], weights_only=True)
    with np.load(tmp_path / "train.npz") as data:
        lengths = np.diff(data["target_offsets"]) + 1
        first = batches(dict(data), 200, plan.seed, 0)[:4]
    assert state["step"] == 2 and state["tokens"] == sum(int(lengths[rows].sum()) for rows in first)
    assert all(bool(value.isfinite().all()) for value in state["network"].values())


def test_network_computes_what_transformers_computes(trained: Path) -> None:
    import torch
    from transformers import MarianMTModel

    from spanferry.translators.bundled.network import Network, Shape
    from spanferry.translators.bundled.train import latest

    state = torch.load(latest(trained / "checkpoints")[-1], weights_only=True)
    network = Network(Shape(**state["shape"]))
    network.load_state_dict(state["network"])
    theirs = MarianMTModel.from_pretrained(trained / "hf").eval()
    with torch.no_grad():
        for name, value in theirs.named_parameters():
            if name.removeprefix("model.") in state["network"]:
                value.copy_(state["network"][name.removeprefix("model.")])
    pad = state["shape"]["vocabulary"] - 1
    source, target = torch.tensor([[5, 9, 12, 0], [6, 7, 8, 0]]), torch.tensor([[7, 8, 9, 0], [4, 0, pad, pad]])
    links = torch.zeros((2, 4, 4), dtype=torch.bool)
    loss, count, _ = network(source, target, links, 0.0, torch.float32)
    start = torch.cat([torch.full((2, 1), pad), target[:, :-1]], dim=1)
    with torch.no_grad():
        logits = theirs(input_ids=source, decoder_input_ids=start).logits[..., :-1]
    kept = target != pad
    expected = torch.nn.functional.cross_entropy(logits[kept], target[kept], reduction="sum")
    assert int(count) == 6
    assert loss.item() == pytest.approx(expected.item(), rel=1e-4)


def test_converted_model_runs_with_ctranslate2_alone(trained: Path, tmp_path: Path) -> None:
    import ctranslate2
    import sentencepiece

    from spanferry.translators.bundled.convert import convert

    gold = tmp_path / "gold.jsonl"
    row = {"src_words": ["My", "cat"], "tgt_words": ["Mi", "gato"], "alignment": [[0, 0], [1, 1]]}
    gold.write_text(json.dumps(row) + "\n", encoding="utf-8")
    out = tmp_path / "model"
    directions = [("en", "es"), ("en", "de"), ("es", "en")]
    facts = convert(trained / "hf", out, {"es": gold, "de": gold}, directions, "tiny")
    assert facts["language_tokens"] == {"es": ">>es<<", "de": ">>de<<", "en": ">>en<<"} and facts["marker_aware"]
    assert facts["source_languages"] == ["en", "es"] and facts["target_languages"] == ["es", "de", "en"]
    assert set(facts["alignment"]["f1_by_language"]) == {"es", "de"}
    assert len(facts["alignment"]["f1_by_head"]) == 2 * 2 * 2
    described = json.loads((out / "spanferry.json").read_text(encoding="utf-8"))
    for name in ("model.bin", "config.json", "shared_vocabulary.json", "source.spm", "target.spm"):
        assert described["files"][name]["sha256"] == hashlib.sha256((out / name).read_bytes()).hexdigest()
    translator = ctranslate2.Translator(str(out), compute_type="int8", intra_threads=1)
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(out / "source.spm"))
    source = [[">>es<<", *pieces.encode("My [ cat ] sees gold.", out_type=str), "</s>"]]
    options = {"beam_size": 1, "max_decoding_length": 12, "return_attention": True}
    first, second = (translator.translate_batch(source, **options)[0] for _ in range(2))
    assert first.hypotheses == second.hypotheses
    assert len(first.attention[0][0]) == len(source[0])
    scored = translator.score_batch(source, [pieces.encode("Mi gato ve oro.", out_type=str)])[0]
    assert "<unk>" not in scored.tokens


def test_moving_a_head_to_the_front_changes_no_output(trained: Path) -> None:
    import torch
    from transformers import MarianMTModel

    from spanferry.translators.bundled.convert import head_to_front

    model = MarianMTModel.from_pretrained(trained / "hf", attn_implementation="eager").eval()
    ids = {"input_ids": torch.tensor([[5, 9, 12, 0]]), "decoder_input_ids": torch.tensor([[7, 8, 9]])}
    with torch.no_grad():
        before = model(**ids, output_attentions=True)
        head_to_front(model.model.decoder.layers[1].encoder_attn, 1, 2)
        after = model(**ids, output_attentions=True)
    assert torch.allclose(before.logits, after.logits, atol=1e-5)
    assert torch.allclose(before.cross_attentions[1][0, 1], after.cross_attentions[1][0, 0], atol=1e-6)
    assert not torch.allclose(before.cross_attentions[1][0, 0], after.cross_attentions[1][0, 0], atol=1e-6)

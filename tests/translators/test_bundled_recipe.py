"""The recipe of the bundled model, run for real on a tiny corpus, and the rules it must keep."""

import gzip
import hashlib
import json
import random
import re
import shutil
from pathlib import Path

import pytest

from corpora.words import word_strings, words
from translators.bundled.clean import keep_pair, normalised
from translators.bundled.heads import link_f1, pieces_by_word, word_links
from translators.bundled.markers import mark, phrases, wrap
from translators.bundled.prepare import prepare
from translators.bundled.synthetic import TEMPLATES, WRITTEN, rename, synthetic_pairs

ANIMALS = [
    ("cat", "gato", "Katze"), ("dog", "perro", "Hund"), ("horse", "caballo", "Pferd"), ("cow", "vaca", "Kuh"),
    ("bird", "pájaro", "Vogel"), ("fish", "pez", "Fisch"), ("mouse", "ratón", "Maus"), ("bear", "oso", "Bär"),
]  # fmt: skip
VERBS = [("sees", "ve", "sieht"), ("wants", "quiere", "will"), ("finds", "encuentra", "findet")]
THINGS = [
    ("bread", "pan", "Brot"), ("water", "agua", "Wasser"), ("milk", "leche", "Milch"), ("money", "dinero", "Geld"),
    ("fire", "fuego", "Feuer"), ("gold", "oro", "Gold"), ("paper", "papel", "Papier"), ("wood", "madera", "Holz"),
]  # fmt: skip
FORBIDDEN = "My cat sees water today."


def corpus(column: int) -> list[tuple[str, str]]:
    """192 pairs of made-up sentences in English and Spanish (1) or German (2)."""
    today = ("today", "hoy", "heute")[column]
    my = ("My", "Mi", "Mein")[column]
    return [
        (f"My {a[0]} {v[0]} {t[0]} today.", f"{my} {a[column]} {v[column]} {t[column]} {today}.")
        for a in ANIMALS
        for v in VERBS
        for t in THINGS
    ]


def write_lines(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as out:
        out.write("".join(f"{line}\n" for line in lines))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in the layout the recipe reads, with one test sentence that is also in the training text."""
    folder = tmp_path_factory.mktemp("data")
    for column, code in ((1, "spa"), (2, "deu")):
        write_lines(folder / "tatoeba" / f"{code}-eng.txt.gz", ["\t".join(pair) for pair in corpus(column)])
    write_lines(folder / "tatoeba-test" / "deu-eng" / "t.eng.gz", ["my CAT sees water, today!"])
    write_lines(folder / "tatoeba-test" / "deu-eng" / "t.deu.gz", ["Nichts."])
    xsid = folder / "xsid"
    xsid.mkdir()
    (xsid / "de.test.conll").write_text("# text-en = My dog finds gold today\n1\tx\ti\tO\n", encoding="utf-8")
    squad = {"data": [{"paragraphs": [{"context": "Leer. Mi oso ve fuego hoy.", "qas": [{"question": "Wer?"}]}]}]}
    (folder / "xquad").mkdir()
    (folder / "xquad" / "xquad.es.json").write_text(json.dumps(squad), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def prepared(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("work")
    prepare(data, out, ["es", "de"], held_out=10, synthetic=60)
    return out


def rows(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]


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


@pytest.fixture(scope="module")
def encoded(prepared: Path) -> Path:
    """The tiny corpus aligned, marked, and turned into numbers; Spanish in both directions."""
    return encode_text(prepared)


def encode_text(folder: Path) -> Path:
    from projectors.marked_text import augment
    from translators.bundled.vocabulary import encode, learn

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

    from translators.bundled.vocabulary import pieces_and_words

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
    from translators.bundled.network import Shape
    from translators.bundled.train import Plan, export, train

    size = len(json.loads((encoded / "vocab.json").read_text(encoding="utf-8")))
    shape = Shape(vocabulary=size, width=32, feed=64, heads=2, encoder_layers=1, decoder_layers=2)
    plan = Plan(steps=6, warmup=2, decay=3, batch_tokens=300, workers=1)
    assert train(encoded, plan, shape, stop=4) == 4
    assert train(encoded, plan, shape) == 6
    assert export(encoded, encoded / "hf", average=2) > 6 * 100
    return encoded


def test_training_starts_from_a_converted_model(trained: Path, tmp_path: Path) -> None:
    import torch

    from translators.bundled.convert import convert
    from translators.bundled.network import Network, Shape
    from translators.bundled.train import latest
    from translators.bundled.warm import starting_weights

    convert(trained / "hf", tmp_path / "model", {}, [("en", "es")], "tiny")
    found = starting_weights(tmp_path / "model", trained, seed=1)
    states = [torch.load(path, weights_only=False) for path in latest(trained / "checkpoints")[-2:]]
    Network(Shape(**states[0]["shape"])).load_state_dict(found)
    for name, value in found.items():
        wanted = sum(state["network"][name] for state in states) / 2  # the exported mean
        bound = wanted.abs().amax(-1, keepdim=True) / 253 if wanted.dim() == 2 else 1e-6
        assert bool(((value - wanted).abs() <= bound + 1e-6).all()), name


def test_new_pieces_start_from_their_parts(trained: Path, tmp_path: Path) -> None:
    import numpy as np

    from translators.bundled.convert import convert
    from translators.bundled.warm import embeddings, read_variables

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

    from translators.bundled.network import Shape
    from translators.bundled.train import Plan, latest, train

    shutil.copyfile(trained / "train.npz", tmp_path / "train.npz")
    state = torch.load(latest(trained / "checkpoints")[-1], weights_only=False)
    train(tmp_path, Plan(**state["plan"]), Shape(**state["shape"]))
    straight = torch.load(latest(tmp_path / "checkpoints")[-1], weights_only=False)
    assert straight["step"] == state["step"] == 6 and straight["tokens"] == state["tokens"]
    for name, value in straight["network"].items():
        assert torch.allclose(value, state["network"][name], atol=1e-5), name


@pytest.mark.slow
def test_two_workers_share_every_step(trained: Path, tmp_path: Path) -> None:
    import numpy as np
    import torch

    from translators.bundled.network import Shape
    from translators.bundled.train import Plan, batches, latest, train

    shutil.copyfile(trained / "train.npz", tmp_path / "train.npz")
    shape = torch.load(latest(trained / "checkpoints")[-1], weights_only=False)["shape"]
    plan = Plan(steps=2, warmup=1, decay=1, batch_tokens=200, workers=2)
    train(tmp_path, plan, Shape(**shape))
    state = torch.load(latest(tmp_path / "checkpoints")[-1], weights_only=False)
    with np.load(tmp_path / "train.npz") as data:
        lengths = np.diff(data["target_offsets"]) + 1
        first = batches(dict(data), 200, plan.seed, 0)[:4]
    assert state["step"] == 2 and state["tokens"] == sum(int(lengths[rows].sum()) for rows in first)
    assert all(bool(value.isfinite().all()) for value in state["network"].values())


def test_network_computes_what_transformers_computes(trained: Path) -> None:
    import torch
    from transformers import MarianMTModel

    from translators.bundled.network import Network, Shape
    from translators.bundled.train import latest

    state = torch.load(latest(trained / "checkpoints")[-1], weights_only=False)
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

    from translators.bundled.convert import convert

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

    from translators.bundled.convert import head_to_front

    model = MarianMTModel.from_pretrained(trained / "hf", attn_implementation="eager").eval()
    ids = {"input_ids": torch.tensor([[5, 9, 12, 0]]), "decoder_input_ids": torch.tensor([[7, 8, 9]])}
    with torch.no_grad():
        before = model(**ids, output_attentions=True)
        head_to_front(model.model.decoder.layers[1].encoder_attn, 1, 2)
        after = model(**ids, output_attentions=True)
    assert torch.allclose(before.logits, after.logits, atol=1e-5)
    assert torch.allclose(before.cross_attentions[1][0, 1], after.cross_attentions[1][0, 0], atol=1e-6)
    assert not torch.allclose(before.cross_attentions[1][0, 0], after.cross_attentions[1][0, 0], atol=1e-6)

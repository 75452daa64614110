"""Small random checkpoints of the true architectures and tokenisers, in Hugging Face layout."""

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import sentencepiece
import torch
import transformers
from safetensors.torch import load_file, save_file

from spanferry.translators.conversion.convert import quiet

SENTENCES = [
    "The quick brown fox jumps over the lazy dog.",
    "I have two cats and one dog.",
    "Der schnelle braune Fuchs springt über den faulen Hund.",
    "Ich habe zwei Katzen und einen Hund.",
    "Tengo dos gatos y un perro.",
    "Она живёт в Москве, а он в Киеве.",
    "他住在北京。",
    "Hello world, this is a small test of the thing.",
    "Where is the nearest station? It costs 25 euros.",
]


def train_pieces(prefix: Path, model_type: str, **options: Any) -> sentencepiece.SentencePieceProcessor:
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES * 3),
        model_prefix=str(prefix),
        model_type=model_type,
        vocab_size=180 + len(options.get("user_defined_symbols", ())),
        hard_vocab_limit=False,
        minloglevel=3,
        **options,
    )
    return sentencepiece.SentencePieceProcessor(model_file=f"{prefix}.model")


def _save(model: Any, directory: Path) -> None:
    # Random weights of the usual size give almost flat distributions; larger ones have clear winners.
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if weights.dim() > 1:
                weights.mul_(1.6)
            elif "bias" in name:
                weights.normal_(0.0, 0.1)
    with quiet():
        model.save_pretrained(directory)


def _seed(seed: int) -> None:
    torch.manual_seed(seed)
    warnings.filterwarnings("ignore", message="Recommended: pip install sacremoses")


def marian(directory: Path, targets: tuple[str, ...] = (), *, trained_padding: bool = False) -> Path:
    """OPUS-MT; with ``targets`` a model that takes its language from ``>>xxx<<``; with ``trained_padding`` one whose
    start token has been moved by training in transformers."""
    _seed(1)
    directory.mkdir(parents=True)
    pieces = train_pieces(directory / "sp", "unigram")
    for side in ("source", "target"):
        shutil.copyfile(directory / "sp.model", directory / f"{side}.spm")
    known = [pieces.id_to_piece(i) for i in range(3, pieces.get_piece_size())]
    tokens = ["</s>", "<unk>", *known, *(f">>{target}<<" for target in targets), "<pad>"]
    (directory / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(tokens)}), encoding="utf-8")
    settings = {"source_lang": "en", "target_lang": "de", "tokenizer_class": "MarianTokenizer"}
    (directory / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    pad = len(tokens) - 1
    config = transformers.MarianConfig(
        vocab_size=len(tokens), d_model=32, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4,
        decoder_attention_heads=4, encoder_ffn_dim=64, decoder_ffn_dim=64, max_position_embeddings=64,
        pad_token_id=pad, eos_token_id=0, bos_token_id=0, decoder_start_token_id=pad, forced_eos_token_id=None,
        init_std=0.2, scale_embedding=True, activation_function="swish",
    )  # fmt: skip
    model = transformers.MarianMTModel(config)
    model.generation_config.bad_words_ids = [[pad]]
    if trained_padding:
        with torch.no_grad():
            model.model.shared.weight[pad].normal_(0.0, 0.3)
    _save(model, directory)
    return directory


def _m2m_model(tokens: int, directory: Path, *, decoder_layers: int = 2) -> None:
    config = transformers.M2M100Config(
        vocab_size=tokens, d_model=32, encoder_layers=2, decoder_layers=decoder_layers, encoder_attention_heads=4,
        decoder_attention_heads=4, encoder_ffn_dim=64, decoder_ffn_dim=64, max_position_embeddings=64,
        bos_token_id=0, pad_token_id=1, eos_token_id=2, decoder_start_token_id=2, init_std=0.2,
    )  # fmt: skip
    _save(transformers.M2M100ForConditionalGeneration(config), directory)


def nllb(directory: Path, languages: tuple[str, ...] = ("eng_Latn", "spa_Latn", "zho_Hans")) -> Path:
    from transformers.tokenization_utils_sentencepiece import SentencePieceExtractor

    _seed(2)
    directory.mkdir(parents=True)
    pieces = train_pieces(directory / "sp", "bpe")
    shutil.copyfile(directory / "sp.model", directory / "sentencepiece.bpe.model")
    _, _, merges = SentencePieceExtractor(str(directory / "sp.model")).extract()
    known = [pieces.id_to_piece(i) for i in range(3, pieces.get_piece_size())]
    vocabulary = {token: i for i, token in enumerate(["<s>", "<pad>", "</s>", "<unk>", *known])}
    tokenizer = transformers.NllbTokenizer(
        vocab=vocabulary, merges=merges, extra_special_tokens=list(languages), src_lang="eng_Latn"
    )
    tokenizer.save_pretrained(directory)
    _m2m_model(len(tokenizer), directory)
    return directory


def m2m100(directory: Path, *, as_on_hub: bool = True, small: bool = False) -> Path:
    """M2M100; ``small`` is SMaLL-100, with fewer decoder layers and a tokeniser class that transformers lacks."""
    _seed(3)
    directory.mkdir(parents=True)
    pieces = train_pieces(directory / "sp", "bpe")
    shutil.copyfile(directory / "sp.model", directory / "sentencepiece.bpe.model")
    known = [pieces.id_to_piece(i) for i in range(3, pieces.get_piece_size())]
    vocabulary = {token: i for i, token in enumerate(["<s>", "<pad>", "</s>", "<unk>", *known])}
    (directory / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    tokenizer = transformers.M2M100Tokenizer(
        str(directory / "vocab.json"), str(directory / "sentencepiece.bpe.model"), src_lang="en"
    )
    tokenizer.save_pretrained(directory)
    # As on the hub; save_pretrained of transformers 5 leaves the language tokens out.
    languages = [f"__{code}__" for code in tokenizer.lang_code_to_id]
    settings = {"tokenizer_class": "M2M100Tokenizer", "additional_special_tokens": languages if as_on_hub else []}
    if small:
        settings = {"tokenizer_class": "SMALL100Tokenizer", "tgt_lang": "en", "language_codes": "m2m100"}
    (directory / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    tokens = len(vocabulary) + len(languages) + tokenizer.num_madeup_words
    _m2m_model(tokens, directory, decoder_layers=1 if small else 2)
    return directory


def mbart50(directory: Path) -> Path:
    """mBART-50 with all its language tokens."""
    _seed(5)
    directory.mkdir(parents=True)
    pieces = train_pieces(directory / "sp", "unigram")
    shutil.copyfile(directory / "sp.model", directory / "sentencepiece.bpe.model")
    scored = [(pieces.id_to_piece(i), pieces.get_score(i)) for i in range(pieces.get_piece_size())]
    tokenizer = transformers.MBart50Tokenizer(vocab=scored, src_lang="en_XX")
    tokenizer.save_pretrained(directory)
    config = transformers.MBartConfig(
        vocab_size=len(tokenizer), d_model=32, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4,
        decoder_attention_heads=4, encoder_ffn_dim=64, decoder_ffn_dim=64, max_position_embeddings=64,
        bos_token_id=0, pad_token_id=1, eos_token_id=2, decoder_start_token_id=2, forced_eos_token_id=2,
        init_std=0.2, scale_embedding=True, activation_function="gelu",
    )  # fmt: skip
    model = transformers.MBartForConditionalGeneration(config)
    with torch.no_grad():
        model.final_logits_bias.normal_(0.0, 0.3)
    _save(model, directory)
    return directory


def t5(directory: Path, languages: tuple[str, ...] = ("de", "es", "zh_Latn")) -> Path:
    """MADLAD where there are ``languages``, with ``<2xx>`` in the vocabulary; else the first T5."""
    _seed(4)
    directory.mkdir(parents=True)
    special = {"pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1}
    symbols = [f"<2{language}>" for language in languages]
    pieces = train_pieces(directory / "spiece", "unigram", user_defined_symbols=symbols, **special)
    scored = [(pieces.id_to_piece(i), pieces.get_score(i)) for i in range(pieces.get_piece_size())]
    tokenizer = transformers.T5Tokenizer(vocab=scored, extra_ids=4)
    tokenizer.save_pretrained(directory)
    config = transformers.T5Config(
        vocab_size=len(tokenizer), d_model=32, d_kv=8, d_ff=64, num_layers=2, num_decoder_layers=2, num_heads=4,
        feed_forward_proj="gated-gelu", decoder_start_token_id=0, pad_token_id=0,
        eos_token_id=1, n_positions=128,
    )  # fmt: skip
    shutil.move(directory / "spiece.model", directory / "kept.model")
    _save(transformers.T5ForConditionalGeneration(config), directory)
    shutil.move(directory / "kept.model", directory / "spiece.model")
    if languages:
        _untie(directory)
    return directory


def _untie(directory: Path) -> None:
    """T5 v1.1 and MADLAD: an output layer of its own, and outputs that are not scaled. transformers 5 can read this
    but not write it."""
    weights = load_file(directory / "model.safetensors")
    weights["lm_head.weight"] = torch.randn_like(weights["shared.weight"])
    save_file(weights, directory / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    config = {**config, "tie_word_embeddings": False}
    del config["scale_decoder_outputs"]
    (directory / "config.json").write_text(json.dumps(config), encoding="utf-8")

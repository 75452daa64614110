"""Random encoders of the true architectures with real tokenisers, in Hugging Face layout."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from spanferry.translators.conversion.convert import quiet

SENTENCES = [
    "The old captain sold his boat to a young teacher in Lisbon.",
    "Nobody knows where the two letters from Munich are.",
    "El viejo capitán vendió su barco a una joven maestra en Lisboa.",
    "Nadie sabe dónde están las dos cartas de Múnich.",
    "Der alte Kapitän verkaufte sein Boot an eine junge Lehrerin in Lissabon.",
    "Она купила билет до Казани за 25 рублей.",
    "她在北京买了两本书。",
    "彼女は東京で本を二冊買った。",
    "اشترت كتابين في القاهرة",
]
_SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def bert(directory: Path, sentences: Sequence[str] = SENTENCES, vocabulary: int = 260, **sizes: Any) -> Path:
    """BERT, which is also LaBSE's layout: cased WordPiece, learned positions, two segments."""
    pieces = Tokenizer(models.WordPiece(unk_token="[UNK]"))  # type: ignore[call-arg]
    pieces.normalizer = normalizers.BertNormalizer(lowercase=False)
    pieces.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=vocabulary, special_tokens=_SPECIALS, show_progress=False)
    pieces.train_from_iterator(sentences, trainer)
    directory.mkdir(parents=True)
    listed = sorted(pieces.get_vocab().items(), key=lambda entry: entry[1])
    (directory / "vocab.txt").write_text("".join(token + "\n" for token, _ in listed), encoding="utf-8")
    tokenizer = transformers.BertTokenizer(vocab=str(directory / "vocab.txt"), do_lower_case=False)
    tokenizer.save_pretrained(directory)
    torch.manual_seed(7)
    config = transformers.BertConfig(vocab_size=len(tokenizer), **{**_SMALL, **sizes})
    return _save(transformers.BertModel(config), directory)


def xlm_roberta(directory: Path, sentences: Iterable[str] = SENTENCES, **sizes: Any) -> Path:
    """XLM-R: unigram pieces, one segment, positions counted from the padding id on."""
    pieces = Tokenizer(models.Unigram())  # type: ignore[call-arg]
    pieces.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")]
    )
    trainer = trainers.UnigramTrainer(vocab_size=200, unk_token="<unk>", special_tokens=["<unk>"], show_progress=False)
    pieces.train_from_iterator(sentences, trainer)
    learned = sorted(pieces.get_vocab(), key=lambda token: pieces.token_to_id(token))
    scored = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    scored += [(token, -float(rank)) for rank, token in enumerate(learned) if token != "<unk>"]
    tokenizer = transformers.XLMRobertaTokenizer(vocab=[*scored, ("<mask>", 0.0)])
    directory.mkdir(parents=True)
    tokenizer.save_pretrained(directory)
    torch.manual_seed(8)
    config = transformers.XLMRobertaConfig(
        vocab_size=len(tokenizer), type_vocab_size=1, pad_token_id=1, bos_token_id=0, eos_token_id=2,
        **{**_SMALL, **sizes},
    )  # fmt: skip
    return _save(transformers.XLMRobertaModel(config), directory)


# Weights larger than the usual random ones, so that vectors differ from word to word and links are clear.
_SMALL = {
    "hidden_size": 64,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 128,
    "max_position_embeddings": 66,
    "initializer_range": 0.1,
}


def _save(model: Any, directory: Path) -> Path:
    with quiet():
        model.save_pretrained(directory)
    return directory


@contextmanager
def quiet_simalign() -> Iterator[None]:
    """The package logs every model it loads."""
    logging.disable(logging.INFO)
    try:
        with quiet():
            yield
    finally:
        logging.disable(logging.NOTSET)

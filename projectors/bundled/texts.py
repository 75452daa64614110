"""What the bundled aligner learns from: parallel text with word links, its vocabulary, and both as numbers.

    python -m spanferry.projectors.bundled.texts --data ../shared/data --out WORK

writes ``WORK/<language>.tsv`` (English, the other language, sure links, possible links), ``WORK/tokenizer.json`` and
``WORK/<language>.npz``. Links are eflomal's, which has no seed: those of both directions are sure, those of one are
possible. The rest is the same every time.
"""

import argparse
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from spanferry.corpora.text.words import word_strings, words
from spanferry.translators.bundled.learn_priors import text_pairs
from spanferry.translators.bundled.wordalign import align_texts

LANGUAGES = ("ar", "de", "es", "fr", "it", "ja", "nl", "pt", "ru", "tr", "zh")
PAD, UNKNOWN, START, END, MASK = range(5)
SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
TOKENIZER = "tokenizer.json"
PIECES = 20_000
_LONGEST_TEXT = 400  # characters
_LONGEST_PIECE = 16
_SAMPLE = 60_000  # pairs of each language that the vocabulary is learned from
_ENGLISH = 0.25  # share of them whose English side counts as well
# Pieces of their own, so that a text has the same pieces whatever was taken for its words.
_ALONE = r"[\p{Han}\p{Hiragana}\p{N}\p{P}\p{S}]"
_CHUNK = 4096

Links = Sequence[tuple[int, int]]
Row = tuple[str, str, Links, Links]


def link(data: Path, out: Path, language: str, seed: int = 1) -> int:
    """Write ``out/<language>.tsv`` and return the number of pairs: the fit ones that are in no test set, shuffled."""
    pairs = [pair for pair in text_pairs(data, language) if max(map(len, pair)) < _LONGEST_TEXT]
    random.Random(f"{language}-{seed}").shuffle(pairs)
    out.mkdir(parents=True, exist_ok=True)
    with (out / f"{language}.tsv").open("w", encoding="utf-8") as file:
        links = align_texts([source for source, _ in pairs], [target for _, target in pairs])
        for pair, (forward, backward) in zip(pairs, links, strict=True):
            columns = (*pair, _written(forward & backward), _written(forward ^ backward))
            file.write("\t".join(columns) + "\n")
    return len(pairs)


def read_rows(path: Path) -> Iterator[Row]:
    """The lines of a file that ``link`` has written."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            source, target, sure, possible = line.rstrip("\n").split("\t")
            yield source, target, _read(sure), _read(possible)


def vocabulary(out: Path, pieces: int = PIECES, seed: int = 1) -> int:
    """Learn a unigram vocabulary of all languages, lower-cased, into ``out/tokenizer.json``; returns its size."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Split(Regex(_ALONE), "isolated"),
            pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always"),
        ]
    )
    trainer = trainers.UnigramTrainer(
        vocab_size=pieces,
        unk_token=SPECIALS[UNKNOWN],
        special_tokens=list(SPECIALS),
        max_piece_length=_LONGEST_PIECE,
        show_progress=False,
    )
    tokenizer.train_from_iterator(_sample(out, seed), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{SPECIALS[START]} $A {SPECIALS[END]}",
        special_tokens=[(SPECIALS[START], START), (SPECIALS[END], END)],
    )
    tokenizer.save(str(out / TOKENIZER))
    return int(tokenizer.get_vocab_size())


def encode(out: Path, language: str) -> int:
    """Write ``out/<language>.npz`` and return the number of pairs.

    For side k, 0 for English and 1 for the other: ``pieces<k>`` and ``words<k>``, the word of each piece, of all texts
    in a row, and ``offsets<k>`` (n_pairs + 1,). ``sure`` and ``possible`` (n_links, 2), with offsets likewise.
    """
    tokenizer = Tokenizer.from_file(str(out / TOKENIZER))
    rows = list(read_rows(out / f"{language}.tsv"))
    arrays: dict[str, np.ndarray] = {}
    for side in (0, 1):
        texts = [word_strings(text, words(text)) for text in ((row[0], row[1])[side] for row in rows)]
        found = [
            one
            for k in range(0, len(texts), _CHUNK)
            for one in tokenizer.encode_batch(texts[k : k + _CHUNK], is_pretokenized=True, add_special_tokens=False)
        ]
        arrays[f"pieces{side}"] = np.concatenate([np.array(one.ids, dtype=np.int32) for one in found])
        arrays[f"words{side}"] = np.concatenate([np.array(one.word_ids, dtype=np.int16) for one in found])
        arrays[f"offsets{side}"] = np.cumsum([0, *(len(one.ids) for one in found)])
    for name, column in (("sure", 2), ("possible", 3)):
        links = [pair for row in rows for pair in row[column]]
        arrays[name] = np.array(links, dtype=np.int16).reshape(-1, 2)
        arrays[f"{name}_offsets"] = np.cumsum([0, *(len(row[column]) for row in rows)])
    np.savez(out / f"{language}.npz", allow_pickle=False, **arrays)
    return len(rows)


def _sample(out: Path, seed: int) -> Iterator[str]:
    rng = random.Random(seed)
    for path in sorted(out.glob("??.tsv")):
        for number, (source, target, *_) in enumerate(read_rows(path)):
            if number == _SAMPLE:
                break
            yield target
            if rng.random() < _ENGLISH:
                yield source


def _written(links: Iterable[tuple[int, int]]) -> str:
    return " ".join(f"{i}-{j}" for i, j in sorted(links))


def _read(text: str) -> list[tuple[int, int]]:
    return [(int(i), int(j)) for i, j in (pair.split("-") for pair in text.split())]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--languages", nargs="+", default=list(LANGUAGES))
    parser.add_argument("--pieces", type=int, default=PIECES)
    args = parser.parse_args()
    sizes = {language: link(args.data, args.out, language) for language in args.languages}
    print(json.dumps({"pairs": sizes, "pieces": vocabulary(args.out, args.pieces)}))
    for language in args.languages:
        encode(args.out, language)


if __name__ == "__main__":
    main()

"""The shared vocabulary (sentencepiece unigram, Kudo 2018) and the training text as numbers.

``python -m spanferry.translators.bundled.vocabulary --out DIR`` reads ``DIR/marked.tsv`` and writes ``DIR/source.spm`` (also as
``target.spm``), ``DIR/vocab.json`` in Marian's order and ``DIR/train.npz``.
"""

from __future__ import annotations

import argparse
import io
import json
import re
from array import array
from pathlib import Path
from typing import Any

import numpy as np

from spanferry.corpora.text.words import words
from spanferry.translators.bundled.texts.synthetic import EMOJI

SIZE = 14_000
SAMPLE = 200_000
LANGUAGES = ("es", "de", "fr", "nl", "zh", "en")
END, UNKNOWN, PADDING = "</s>", "<unk>", "<pad>"
MARKERS = ("▁[", "▁]")
_BYTE = re.compile(r"<0x[0-9A-F]{2}>")


def language_token(language: str) -> str:
    """The piece that stands first on the source, such as ``>>es<<``."""
    return f">>{language}<<"


def learn(folder: Path, languages: list[str], size: int = SIZE, sample: int = SAMPLE) -> None:
    """Train the sentencepiece model on both sides of ``marked.tsv`` and write ``vocab.json``.

    Bytes stand in for characters that are not in the vocabulary and digits are single pieces, both so that foreign
    names and numbers can be copied; common emoji are pieces of their own. The brackets and the language tokens are
    one piece each; a language token is a control symbol, hence never found in a user's text.

    Args:
        folder: Where ``marked.tsv`` lies.
        languages: Target languages.
        size: Pieces in the vocabulary.
        sample: Pairs to learn from, spread evenly over the file.
    """
    import sentencepiece

    rows = (folder / "marked.tsv").read_text(encoding="utf-8").splitlines()
    step = max(1, len(rows) // sample)
    text = [side for row in rows[::step] for side in row.split("\t")[1:3]]
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(text),
        model_writer=written,  # a file's path would be stored in the model
        model_type="unigram",
        vocab_size=size - 1,
        character_coverage=0.9998,
        required_chars="".join(sorted(set("".join(EMOJI)))),
        byte_fallback=True,
        split_digits=True,
        hard_vocab_limit=False,
        user_defined_symbols=list(MARKERS),
        control_symbols=[language_token(language) for language in languages],
        unk_id=0,
        bos_id=-1,
        eos_id=1,
        pad_id=-1,
        num_threads=1,
        minloglevel=2,
    )
    for side in ("source", "target"):
        (folder / f"{side}.spm").write_bytes(written.getvalue())
    model = sentencepiece.SentencePieceProcessor(model_file=str(folder / "source.spm"))
    pieces = [model.id_to_piece(i) for i in range(model.get_piece_size())]
    ordered = [END, UNKNOWN, *(p for p in pieces if p not in (END, UNKNOWN)), PADDING]
    table = {piece: i for i, piece in enumerate(ordered)}
    (folder / "vocab.json").write_text(json.dumps(table, ensure_ascii=False, indent=0), encoding="utf-8")


def pieces_and_words(model: Any, text: str) -> tuple[list[str], list[int]]:
    """Pieces of a text and, for each, the index of its word by ``words`` (-1 for none).

    Characters are counted off without spaces; where the model's normalisation changes their number, no piece gets
    a word.
    """
    owner = [-1] * len(text)
    for index, (start, end) in enumerate(words(text)):
        owner[start:end] = [index] * (end - start)
    visible = [word for word, character in zip(owner, text, strict=True) if not character.isspace()]
    pieces: list[str] = model.encode(text, out_type=str)
    found, done = [], 0
    for piece in pieces:
        if _BYTE.fullmatch(piece):
            # Only the first byte of a character moves on; the others belong to the same one.
            done += int(piece[3:5], 16) & 0xC0 != 0x80
        else:
            done += len(piece.replace("▁", ""))
        found.append(visible[done - 1] if piece != "▁" and 0 < done <= len(visible) else -1)
    return pieces, found if done == len(visible) else [-1] * len(pieces)


def encode(folder: Path, max_pieces: int = 120) -> int:
    """Write ``train.npz``: flat piece ids and piece links of every pair that fits ``max_pieces`` on both sides.

    Arrays: ``source`` and ``target`` (int16 ids, the source with its language token and end, the target without
    end), ``links`` (int16, (n, 2) source position and target position) and the offsets of each row in them.

    Returns:
        Number of rows.
    """
    import sentencepiece

    model = sentencepiece.SentencePieceProcessor(model_file=str(folder / "source.spm"))
    table = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    flat = {"source": array("h"), "target": array("h"), "links": array("h")}
    offsets = {name: [0] for name in flat}
    with (folder / "marked.tsv").open(encoding="utf-8") as lines:
        for line in lines:
            language, source, target, links = line.rstrip("\n").split("\t")
            left, left_words = pieces_and_words(model, source)
            right, right_words = pieces_and_words(model, target)
            if not right or max(len(left), len(right)) + 2 > max_pieces:
                continue
            flat["source"].extend(table[p] for p in (language_token(language), *left, END))
            flat["target"].extend(table[p] for p in right)
            at: dict[int, list[int]] = {}
            for position, word in enumerate(left_words):
                at.setdefault(word, []).append(position + 1)
            reach: dict[int, list[int]] = {}
            for link in links.split():
                s, t = link.split("-")
                reach.setdefault(int(t), []).extend(at.get(int(s), ()))
            for position, word in enumerate(right_words):
                for reached in sorted(set(reach.get(word, ()) if word >= 0 else ())):
                    flat["links"].extend((reached, position))
            for name in flat:
                offsets[name].append(len(flat[name]))
    arrays: dict[str, Any] = {name: np.frombuffer(values, dtype=np.int16) for name, values in flat.items()}
    arrays["links"] = arrays["links"].reshape(-1, 2)
    offsets["links"] = [n // 2 for n in offsets["links"]]
    for name, values in offsets.items():
        arrays[f"{name}_offsets"] = np.asarray(values, dtype=np.int64)
    np.savez(folder / "train.npz", allow_pickle=False, **arrays)
    return len(offsets["source"]) - 1


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True, help="folder with marked.tsv")
    parser.add_argument("--languages", nargs="+", default=list(LANGUAGES))
    parser.add_argument("--size", type=int, default=SIZE)
    args = parser.parse_args()
    learn(args.out, args.languages, args.size)
    print(f"{encode(args.out)} pairs encoded")


if __name__ == "__main__":
    main()

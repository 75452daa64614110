"""The pieces that each target language uses, counted in the training text (`translators.engine.language_pieces`).

``python -m spanferry.translators.bundled.pieces --out WORK --model weights/mini`` reads ``WORK/train.npz`` and writes
``pieces.<language>.json`` beside the weights, whose description then names them, too.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from spanferry.translators.bundled.convert import describe
from spanferry.translators.bundled.vocabulary import language_token
from spanferry.translators.engine.language_pieces import write_pieces
from spanferry.translators.families import DESCRIPTION, read_vocabulary


def count_pieces(train: Path, vocabulary: list[str], language: str) -> dict[str, int]:
    """How often each piece comes in the targets of one language.

    Args:
        train: ``train.npz`` of `spanferry.translators.bundled.vocabulary`.
        vocabulary: Pieces in the order of their ids.
        language: One of the target languages.
    """
    with np.load(train) as arrays:
        own = arrays["source"][arrays["source_offsets"][:-1]] == vocabulary.index(language_token(language))
        target, offsets = arrays["target"], arrays["target_offsets"]
        counts = np.bincount(target[np.repeat(own, np.diff(offsets))], minlength=len(vocabulary))
    return {piece: int(n) for piece, n in zip(vocabulary, counts, strict=False) if n}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True, help="folder with train.npz")
    parser.add_argument("--model", type=Path, required=True, help="the converted model")
    args = parser.parse_args()
    facts = json.loads((args.model / DESCRIPTION).read_text(encoding="utf-8"))
    vocabulary = read_vocabulary(args.model, "target")
    for language in facts["target_languages"]:
        write_pieces(args.model, language, count_pieces(args.out / "train.npz", vocabulary, language))
    describe(args.model, facts)


if __name__ == "__main__":
    main()

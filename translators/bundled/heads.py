"""Which cross-attention head of a Marian model aligns best, measured on gold word alignments.

The attention of a small model is a usable word aligner when it is read from the right head (Garg et al. 2019,
"Jointly Learning to Align and Translate", section 3, observe that one layer carries most of the alignment).
Here every head of every decoder layer is scored by the F1 of its word links, both from the step that predicts
a token (row t) and from the step that has just read it (row t+1, the "shifted" attention of Chen et al. 2020,
"Accurate Word Alignment Induction from Neural Machine Translation", section 3.1).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class GoldPair:
    """One sentence pair with its gold links.

    Attributes:
        source_words: Words of the source, in order.
        target_words: Words of the target, in order.
        links: Pairs (source word, target word), both 0-based.
    """

    source_words: tuple[str, ...]
    target_words: tuple[str, ...]
    links: frozenset[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class HeadScore:
    """F1 of the word links of one head; ``shifted`` says whether row t+1 was read instead of row t."""

    layer: int
    head: int
    shifted: bool
    f1: float


def read_gold(path: Path) -> list[GoldPair]:
    """Read a JSONL file with ``src_words``, ``tgt_words`` and ``alignment`` (0-based pairs)."""
    pairs = []
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            links = frozenset((int(s), int(t)) for s, t in row["alignment"])
            pairs.append(GoldPair(tuple(row["src_words"]), tuple(row["tgt_words"]), links))
    return pairs


def pieces_by_word(words: Sequence[str], encode: Callable[[str], list[str]]) -> tuple[list[str], list[int]]:
    """Encode word by word, so that every piece belongs to exactly one word.

    Returns:
        The pieces and, for each piece, the index of its word. Both have length n_pieces.
    """
    pieces: list[str] = []
    owner: list[int] = []
    for index, word in enumerate(words):
        found = encode(word)
        pieces.extend(found)
        owner.extend([index] * len(found))
    return pieces, owner


def word_links(attention: np.ndarray, source_owner: Sequence[int], target_owner: Sequence[int]) -> set[tuple[int, int]]:
    """One link for every target word: the source word with most attention over the word's pieces.

    Args:
        attention: (n_target_pieces, n_source_pieces), rows of the pieces themselves.
        source_owner: Word index of every source piece.
        target_owner: Word index of every target piece.
    """
    if not source_owner or not target_owner:
        return set()
    by_source = np.zeros((attention.shape[0], max(source_owner) + 1), dtype=np.float64)
    for piece, word in enumerate(source_owner):
        by_source[:, word] += attention[:, piece]
    by_word = np.zeros((max(target_owner) + 1, by_source.shape[1]), dtype=np.float64)
    for piece, word in enumerate(target_owner):
        by_word[word] += by_source[piece]
    return {(int(by_word[word].argmax()), word) for word in sorted(set(target_owner))}


def link_f1(found: Sequence[set[tuple[int, int]]], gold: Sequence[frozenset[tuple[int, int]]]) -> float:
    """Micro F1 of links over all pairs; 0.0 where nothing is right."""
    right = sum(len(links & truth) for links, truth in zip(found, gold, strict=True))
    total = sum(map(len, found)) + sum(map(len, gold))
    return 2 * right / total if total else 0.0


def score_heads(
    model: Any,
    encode: Callable[[str], list[str]],
    to_id: Callable[[str], int],
    gold: Sequence[GoldPair],
    prefix: Sequence[str] = (),
) -> list[HeadScore]:
    """Score every head of every decoder layer of a Marian model, best first.

    Args:
        model: A ``MarianMTModel`` with eager attention.
        encode: Text to pieces.
        to_id: Piece to vocabulary id.
        gold: Pairs with gold links.
        prefix: Pieces that stand before the source, such as the language token.

    Returns:
        One score for each (layer, head, shifted), sorted by F1, then layer, head, unshifted first.
    """
    import torch

    config = model.config
    found: dict[tuple[int, int, bool], list[set[tuple[int, int]]]] = {}
    for pair in gold:
        source, source_owner = pieces_by_word(pair.source_words, encode)
        target, target_owner = pieces_by_word(pair.target_words, encode)
        source_ids = [*map(to_id, (*prefix, *source)), config.eos_token_id]
        target_ids = [config.decoder_start_token_id, *map(to_id, target)]
        with torch.no_grad():
            out = model(
                input_ids=torch.tensor([source_ids]),
                decoder_input_ids=torch.tensor([target_ids]),
                output_attentions=True,
            )
        columns = slice(len(prefix), len(prefix) + len(source))
        for layer, heads in enumerate(out.cross_attentions):
            for head, rows in enumerate(heads[0].float().numpy()):
                for shifted in (False, True):
                    own = rows[1:, columns] if shifted else rows[:-1, columns]
                    links = word_links(own, source_owner, target_owner)
                    found.setdefault((layer, head, shifted), []).append(links)
    truth = [pair.links for pair in gold]
    scores = [HeadScore(*key, link_f1(links, truth)) for key, links in found.items()]
    return sorted(scores, key=lambda s: (-s.f1, s.layer, s.head, s.shifted))

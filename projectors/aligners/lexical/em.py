"""Expectation maximisation for the lexical aligner: translation tables learned in both directions at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from spanferry.projectors.aligners.lexical.hmm import MAX_JUMP, Jumps, posteriors

_BATCH_CELLS = 200_000


@dataclass(frozen=True, slots=True)
class Cells:
    """Every (source word, target word) of every sentence pair, flat: pair by pair, source word by source word.

    Attributes:
        offsets: First cell of each pair, (n_pairs + 1,).
        source_offsets: First source word of each pair, (n_pairs + 1,).
        target_offsets: First target word of each pair, (n_pairs + 1,).
        source: Vocabulary index of each source word.
        target: Vocabulary index of each target word.
        source_position: Source word of each cell (into ``source``).
        target_position: Target word of each cell (into ``target``).
    """

    offsets: np.ndarray
    source_offsets: np.ndarray
    target_offsets: np.ndarray
    source: np.ndarray
    target: np.ndarray
    source_position: np.ndarray
    target_position: np.ndarray

    @staticmethod
    def of(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> "Cells":
        """The cells of ``pairs``, each (source word indices, target word indices), neither empty."""
        n = np.array([len(s) for s, _ in pairs], dtype=np.int64)
        m = np.array([len(t) for _, t in pairs], dtype=np.int64)
        first_cell, first_source, first_target = (np.concatenate([[0], np.cumsum(c)]) for c in (n * m, n, m))
        source, target = (np.concatenate([p[k] for p in pairs]).astype(np.int32) for k in (0, 1))
        per_source = np.repeat(m, n)  # cells of each source word
        source_position = np.repeat(np.arange(n.sum()), per_source)
        first = np.cumsum(per_source) - per_source  # first cell of each source word
        base = np.repeat(first_target[:-1], n)  # first target word of its pair
        target_position = np.arange(per_source.sum()) - np.repeat(first - base, per_source)
        return Cells(
            first_cell,
            first_source,
            first_target,
            source,
            target,
            source_position.astype(np.int32),
            target_position.astype(np.int32),
        )

    def __len__(self) -> int:
        return int(self.offsets[-1])

    def batches(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        """Pairs of like size: pairs, n_source, n_target, and cells (batch, n_source, n_target), -1 in the padding."""
        n, m = np.diff(self.source_offsets), np.diff(self.target_offsets)
        order = np.lexsort((np.arange(len(n)), m, n))
        start = 0
        while start < len(order):
            # Sorted by source length, so the last of a batch is the widest; grow until the padded block is full.
            stop, tallest = start, 0
            while stop < len(order):
                tallest = max(tallest, int(m[order[stop]]))
                if stop > start and (stop - start + 1) * int(n[order[stop]]) * tallest > _BATCH_CELLS:
                    break
                stop += 1
            rows = order[start:stop]
            width, height = int(n[rows].max()), int(m[rows].max())
            i, j = np.arange(width)[None, :, None], np.arange(height)[None, None, :]
            cell = self.offsets[rows][:, None, None] + i * m[rows][:, None, None] + j
            inside = (i < n[rows][:, None, None]) & (j < m[rows][:, None, None])
            yield rows, n[rows], m[rows], np.where(inside, cell, -1)
            start = stop


@dataclass(frozen=True, slots=True)
class Emissions:
    """Probabilities of every cell and of every word without a counterpart, in both directions.

    Attributes:
        forward: p(target word | source word), (n_cells,).
        backward: p(source word | target word), (n_cells,).
        null_target: p(target word | nothing), per target word of the corpus.
        null_source: p(source word | nothing), per source word of the corpus.
    """

    forward: np.ndarray
    backward: np.ndarray
    null_target: np.ndarray
    null_source: np.ndarray


@dataclass(frozen=True, slots=True)
class Order:
    """Word order as learned: jumps over source positions (forward) and over target positions (backward)."""

    forward: Jumps
    backward: Jumps

    @staticmethod
    def unknown(null: float) -> "Order":
        """Before anything was learned."""
        return Order(Jumps.uniform(null), Jumps.uniform(null))


def model1(cells: Cells, e: Emissions, null: float) -> tuple[np.ndarray, np.ndarray]:
    """Posteriors of IBM model 1 in both directions, (n_cells,) each: word order is ignored."""
    n, m = np.diff(cells.source_offsets), np.diff(cells.target_offsets)
    share_f = np.repeat((1 - null) / n, n * m)
    share_b = np.repeat((1 - null) / m, n * m)
    joint = e.forward * share_f
    total = np.bincount(cells.target_position, joint, len(cells.target)) + null * e.null_target
    forward = joint / np.maximum(total, 1e-300)[cells.target_position]
    joint = e.backward * share_b
    total = np.bincount(cells.source_position, joint, len(cells.source)) + null * e.null_source
    backward = joint / np.maximum(total, 1e-300)[cells.source_position]
    return forward, backward


def hmm(cells: Cells, e: Emissions, order: Order) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Posteriors of the hidden Markov model in both directions, (n_cells,) each, and the jumps they imply.

    The jumps are (2 directions, 2, 2 * MAX_JUMP + 1): expected ones, and how many there could have been.
    """
    forward, backward = np.zeros(len(cells)), np.zeros(len(cells))
    counts = np.zeros((2, 2, 2 * MAX_JUMP + 1))
    for rows, n, m, index in cells.batches():
        inside = index >= 0
        flat = index[inside]
        block = np.zeros(index.shape)
        block[inside] = e.forward[flat]
        null = _padded(e.null_target, cells.target_offsets, rows, m, index.shape[2])
        gamma, jumps = posteriors(block.transpose(0, 2, 1), null, n, m, order.forward)
        forward[flat] = gamma.transpose(0, 2, 1)[inside]
        counts[0] += jumps
        block[inside] = e.backward[flat]
        null = _padded(e.null_source, cells.source_offsets, rows, n, index.shape[1])
        gamma, jumps = posteriors(block, null, m, n, order.backward)
        backward[flat] = gamma[inside]
        counts[1] += jumps
    return forward, backward, counts


def _padded(values: np.ndarray, offsets: np.ndarray, rows: np.ndarray, sizes: np.ndarray, width: int) -> np.ndarray:
    index = offsets[rows][:, None] + np.arange(width)[None, :]
    return np.where(np.arange(width)[None, :] < sizes[:, None], values[np.minimum(index, len(values) - 1)], 0.0)


def smooth_jumps(counts: np.ndarray, belief: float, null: float) -> Jumps:
    """Jump weights from expected and possible jumps, (2, n), and ``belief`` pseudo-counts that all are alike."""
    # Dividing by the chances keeps the outermost widths, which stand for many positions, per position.
    moves, chances = counts
    even = chances / max(chances.sum(), 1e-9)
    widths = (moves + belief * even) / np.maximum(chances * (1 + belief / max(moves.sum(), 1e-9)), 1e-9)
    return Jumps(np.maximum(widths, 1e-9), null)

"""The hidden Markov model of word alignment, forward-backward over a padded batch."""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

MAX_JUMP = 12
_DENSE = 128  # states up to which a matrix of all jumps is quicker than the band


_INNER = 2 * MAX_JUMP - 1  # widths that stand for one distance each; the two outermost share all longer ones


@dataclass(frozen=True, slots=True)
class Jumps:
    """How far the aligned position moves from one word to the next.

    A row of positions has one slot more than there are states: slot 0 is "before the sentence", slot i + 1 state i.
    Weights depend on the distance alone, so moving all positions at once is a product with a band of ``_INNER``
    diagonals and two running sums, whatever the length.

    Attributes:
        widths: float64 (2 * MAX_JUMP + 1,), the weight of each jump; longer ones have that of the outermost.
        null: Probability that a word has no counterpart.
    """

    widths: np.ndarray
    null: float

    @staticmethod
    def uniform(null: float) -> "Jumps":
        """Every jump alike: what a model that knows nothing of word order starts from."""
        return Jumps(np.ones(2 * MAX_JUMP + 1), null)

    def onto(self, mass: np.ndarray) -> np.ndarray:
        """Mass of the slots (batch, n_states + 1), moved onto the states: (batch, n_states)."""
        near, after, before = _windows(mass)
        moved: np.ndarray = near @ self.widths[-2:0:-1]
        result: np.ndarray = moved + after * self.widths[0] + before * self.widths[-1]
        return result

    def back(self, mass: np.ndarray) -> np.ndarray:
        """The transpose of ``onto``: from the states (batch, n_states) to the slots (batch, n_states + 1)."""
        m = mass.shape[1]
        padded = np.pad(mass, ((0, 0), (MAX_JUMP, MAX_JUMP - 1)))
        moved: np.ndarray = sliding_window_view(padded, _INNER, axis=1) @ self.widths[1:-1]
        # Running sums that begin MAX_JUMP away on either side.
        sums = np.pad(np.cumsum(mass, axis=1), ((0, 0), (1, 0)))
        slot = np.arange(m + 1)
        below = sums[:, np.maximum(slot - MAX_JUMP, 0)]
        above = sums[:, -1:] - sums[:, np.minimum(slot + MAX_JUMP - 1, m)]
        result: np.ndarray = moved + below * self.widths[0] + above * self.widths[-1]
        return result


class _Moves:
    """``Jumps`` for one batch: as a matrix where that is quicker, and with the expected jumps gathered."""

    def __init__(self, jumps: Jumps, size: int) -> None:
        self.jumps = jumps
        self.table = jumps.onto(np.eye(size + 1)) if size <= _DENSE else None
        self.pairs = np.zeros((size + 1, size)) if size <= _DENSE else None
        self.sums = np.zeros(2 * MAX_JUMP + 1)

    def onto(self, mass: np.ndarray) -> np.ndarray:
        return self.jumps.onto(mass) if self.table is None else mass @ self.table

    def back(self, mass: np.ndarray) -> np.ndarray:
        return self.jumps.back(mass) if self.table is None else mass @ self.table.T

    def gather(self, before: np.ndarray, after: np.ndarray) -> None:
        if self.pairs is None:
            self.sums += _by_width(before, after)
        else:
            self.pairs += before.T @ after

    def counts(self) -> np.ndarray:
        if self.pairs is not None:
            self.sums += _by_width(np.eye(len(self.pairs)), self.pairs)
        result: np.ndarray = self.sums * self.jumps.widths
        return result


def _windows(mass: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each state the slots within reach, (batch, n_states, _INNER), longest jump ahead first; and the summed mass
    of the slots beyond, after it (from which one jumps back) and before it, (batch, n_states) each."""
    m = mass.shape[1] - 1
    padded = np.pad(mass, ((0, 0), (MAX_JUMP - 2, MAX_JUMP - 1)))
    sums = np.pad(np.cumsum(mass, axis=1), ((0, 0), (1, 0)))
    state = np.arange(m)
    after = sums[:, -1:] - sums[:, np.minimum(state + MAX_JUMP + 1, m + 1)]
    before = sums[:, np.maximum(state - MAX_JUMP + 2, 0)]
    return sliding_window_view(padded, _INNER, axis=1)[:, :m], after, before


def _by_width(mass: np.ndarray, states: np.ndarray) -> np.ndarray:
    """Sum of mass (slots) times states over all pairs, by the width of the jump between them: (2 * MAX_JUMP + 1,)."""
    near, after, before = _windows(mass)
    inner = np.einsum("bik,bi->k", near, states)[::-1]
    return np.concatenate([[np.sum(after * states)], inner, [np.sum(before * states)]])


def posteriors(
    emission: np.ndarray, null_emission: np.ndarray, states: np.ndarray, steps: np.ndarray, jumps: Jumps
) -> tuple[np.ndarray, np.ndarray]:
    """Posterior probability of every link, and the expected jumps.

    The model of Vogel, Ney and Tillmann (COLING 1996) with Och and Ney's (2003, section 2.2.3) empty word: a null
    state keeps the position it was entered from. Padding states emit nothing and padding steps are skipped.

    Args:
        emission: p(word j | state i), (batch, n_steps, n_states), 0 in the padding.
        null_emission: p(word j | null), (batch, n_steps).
        states: Number of states of each row, (batch,).
        steps: Number of steps, (batch,).
        jumps: The current jump weights.

    Returns:
        Posteriors (batch, n_steps, n_states), and (2, 2 * MAX_JUMP + 1): expected jumps of each width, and
        how many there could have been.
    """
    batch, n, m = emission.shape
    inside = np.arange(m)[None, :] < states[:, None]  # (batch, m)
    moves = _Moves(jumps, m)
    scale = 1.0 / np.maximum(moves.back(inside.astype(float)), 1e-300)  # (batch, m + 1): one over the sum of each slot
    live = np.arange(n)[None, :] < steps[:, None]
    real, null = (1.0 - jumps.null) * emission, jumps.null * null_emission
    real[~live], null[~live] = 0.0, 1.0  # a padding step is a null step that costs nothing

    # Forward. One slot more than there are states: slot 0 is "before the sentence".
    alpha = np.zeros((n + 1, batch, m + 1))
    alpha[0, :, 0] = 1.0
    alpha_real = np.zeros((n, batch, m))
    norm = np.empty((n, batch))
    for t in range(n):
        moved = moves.onto(alpha[t] * scale) * real[:, t]
        stayed = alpha[t] * null[:, t, None]
        norm[t] = np.maximum(moved.sum(axis=1) + stayed.sum(axis=1), 1e-300)
        alpha_real[t] = moved / norm[t][:, None]
        stayed[:, 1:] += moved
        alpha[t + 1] = stayed / norm[t][:, None]

    # Backward, gathering posteriors and expected transitions on the way.
    beta = np.ones((batch, m + 1))
    out = np.zeros((batch, n, m))
    leaving = np.zeros((batch, m + 1))
    for t in range(n - 1, -1, -1):
        out[:, t] = alpha_real[t] * beta[:, 1:]
        ahead = real[:, t] * beta[:, 1:] / norm[t][:, None]
        moves.gather(alpha[t] * scale, ahead)
        onward = scale * moves.back(ahead)
        leaving += alpha[t] * onward
        beta = onward + beta * null[:, t, None] / norm[t][:, None]
    out *= inside[:, None, :]
    return out, np.stack([moves.counts(), _by_width(leaving, inside.astype(float))])

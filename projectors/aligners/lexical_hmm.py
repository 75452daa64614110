"""The hidden Markov model of word alignment, forward-backward over a padded batch."""

from dataclasses import dataclass

import numpy as np

MAX_JUMP = 12


@dataclass(frozen=True, slots=True)
class Jumps:
    """How far the aligned position moves from one word to the next.

    Attributes:
        widths: float64 (2 * MAX_JUMP + 1,), the weight of each jump; longer ones share the outermost entries.
        null: Probability that a word has no counterpart.
    """

    widths: np.ndarray
    null: float

    @staticmethod
    def uniform(null: float) -> "Jumps":
        """Every jump alike: what a model that knows nothing of word order starts from."""
        return Jumps(np.ones(2 * MAX_JUMP + 1), null)

    def matrix(self, size: int) -> np.ndarray:
        """Weights (size + 1, size) of moving from position i' - 1 to i; row 0 is the start of the sentence."""
        steps = np.arange(size)[None, :] - np.arange(-1, size)[:, None]
        return self.widths[np.clip(steps, -MAX_JUMP, MAX_JUMP) + MAX_JUMP]


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
    weights = jumps.matrix(m)
    inside = np.arange(m)[None, :] < states[:, None]  # (batch, m)
    scale = 1.0 / np.maximum(weights @ inside.T.astype(float), 1e-300)  # (m + 1, batch): per row normaliser
    scale = scale.T  # (batch, m + 1)
    live = np.arange(n)[None, :] < steps[:, None]
    real, null = (1.0 - jumps.null) * emission, jumps.null * null_emission
    real[~live], null[~live] = 0.0, 1.0  # a padding step is a null step that costs nothing

    # Forward. One slot more than there are states: slot 0 is "before the sentence".
    alpha = np.zeros((n + 1, batch, m + 1))
    alpha[0, :, 0] = 1.0
    alpha_real = np.zeros((n, batch, m))
    norm = np.empty((n, batch))
    for t in range(n):
        moved = ((alpha[t] * scale) @ weights) * real[:, t]
        stayed = alpha[t] * null[:, t, None]
        norm[t] = np.maximum(moved.sum(axis=1) + stayed.sum(axis=1), 1e-300)
        alpha_real[t] = moved / norm[t][:, None]
        stayed[:, 1:] += moved
        alpha[t + 1] = stayed / norm[t][:, None]

    # Backward, gathering posteriors and expected transitions on the way.
    beta = np.ones((batch, m + 1))
    out = np.zeros((batch, n, m))
    transitions = np.zeros((m + 1, m))
    leaving = np.zeros((batch, m + 1))
    for t in range(n - 1, -1, -1):
        out[:, t] = alpha_real[t] * beta[:, 1:]
        ahead = real[:, t] * beta[:, 1:] / norm[t][:, None]
        transitions += (alpha[t] * scale).T @ ahead
        onward = scale * (ahead @ weights.T)
        leaving += alpha[t] * onward
        beta = onward + beta * null[:, t, None] / norm[t][:, None]
    out *= inside[:, None, :]
    transitions *= weights
    widths = np.clip(np.arange(m)[None, :] - np.arange(-1, m)[:, None], -MAX_JUMP, MAX_JUMP) + MAX_JUMP
    counts = np.stack(
        [
            np.bincount(widths.ravel(), table.ravel(), 2 * MAX_JUMP + 1)
            for table in (transitions, leaving.T @ inside.astype(float))
        ]
    )
    return out, counts

"""Teacher forcing in batches over a ``ctranslate2.Translator``: scores and attention.

Both take tokens as the model has them: source tokens with every special the model needs, target tokens with the
language tokens they start with and without ``</s>``; what comes back leaves the first ``prefix`` of them out. Rows are
sorted by length, cut into batches whose logits fit the memory, and come back in the order they were given. A row that
the model can't take fails alone, with a warning that has the last error; where all rows of a call fail, it raises.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np

from spanferry.translators.engine.failures import settle

Tokens = Sequence[str]
Result = TypeVar("Result")

# Logits are rows x tokens x vocabulary x 4 bytes; what they may take at once, per worker.
LOGIT_BYTES = {"cpu": 128 << 20, "cuda": 1 << 30}
# Scoring holds the logits of a whole batch: on a CPU larger batches leave its caches and are up to twice as slow, the
# more so where other work shares them.
SCORE_TOKENS = {"cpu": 96, "cuda": 16384}
# Forced steps hold one token of each row at a time and want many rows.
STEP_TOKENS = {"cpu": 4096, "cuda": 32768}

# The curve of `marker_logprob`, in nats: the fall at which a marker has probability 1/2, and the slope there.
FALL_MIDDLE, FALL_SLOPE = 4.5, 0.67


def batch_tokens(vocab_size: int, device: str = "cpu") -> int:
    """How many target tokens to score at once with this vocabulary (at least one row is always taken)."""
    return max(1, min(SCORE_TOKENS[device], LOGIT_BYTES[device] // (4 * max(1, vocab_size))))


def score(
    translator: Any,
    source_tokens: Sequence[Tokens],
    target_tokens: Sequence[Tokens],
    *,
    prefix: int = 0,
    max_target_tokens: int = SCORE_TOKENS["cpu"],
    alike: bool = False,
) -> list[np.ndarray]:
    """Log-probability of every given target token.

    Args:
        translator: A ``ctranslate2.Translator``.
        source_tokens: Source of each row.
        target_tokens: Target of each row; may be empty.
        prefix: How many language tokens open every target.
        max_target_tokens: Padded target tokens per batch; see `batch_tokens`.
        alike: Only rows of the same lengths share a batch: with int8 on a CPU a row comes out the same, to the last
            bit, whatever rows there are.

    Returns:
        For each row float32 (n_target_tokens - prefix + 1,), in nats, the last for ``</s>``; (0,) for a row that
        failed.

    Raises:
        ModelError: CTranslate2 fails on every row of several.
    """

    def submit(rows: list[int]) -> Callable[[], list[np.ndarray]]:
        pending = translator.score_batch(
            [list(source_tokens[r]) for r in rows],
            [list(target_tokens[r]) for r in rows],
            max_input_length=0,
            asynchronous=True,
        )
        return lambda: [np.asarray(p.result().log_probs, dtype=np.float32)[prefix:] for p in pending]

    lengths = [(len(t) + 1, len(s)) for s, t in zip(source_tokens, target_tokens, strict=True)]
    found = _in_batches(submit, lengths, max_target_tokens, "score", lengths if alike else None)
    return [
        np.zeros(0, np.float32) if f is None or len(f) != len(t) - prefix + 1 else f
        for f, t in zip(found, target_tokens, strict=True)
    ]


def attention(
    translator: Any,
    source_tokens: Sequence[Tokens],
    target_tokens: Sequence[Tokens],
    *,
    vocab_size: int,
    prefix: int = 0,
    shifted: bool = False,
    max_target_tokens: int = STEP_TOKENS["cpu"],
    alike: bool = False,
) -> list[np.ndarray | None]:
    """Cross-attention of the model while it is made to produce the given targets.

    The target is the prefix of a greedy translation in which every token is an end token, so that each row stops one
    step after its prefix.

    Args:
        translator: A ``ctranslate2.Translator``; the layer and heads are those stored in the model.
        source_tokens: Source of each row.
        target_tokens: Target of each row.
        vocab_size: Size of the target vocabulary.
        prefix: How many language tokens open every target.
        shifted: Row t is the step that reads token t, not the one that predicts it.
        max_target_tokens: Padded target tokens per batch.
        alike: As in `score`; here the sources' lengths alone matter, since targets are gone through step by step.

    Returns:
        For each row float32 (n_target_tokens - prefix, n_source_tokens), or None for a row that failed. Source
        specials are among the columns.

    Raises:
        ModelError: CTranslate2 fails on every row of several.
    """
    skip = prefix + int(shifted)
    steps = _Steps(translator, source_tokens, target_tokens, vocab_size)

    def submit(rows: list[int]) -> Callable[[], list[np.ndarray]]:
        pending = steps.submit(rows, return_attention=True)
        return lambda: [
            np.asarray(p.result().attention[0], dtype=np.float32)[skip : skip + len(target_tokens[r]) - prefix]
            for r, p in zip(rows, pending, strict=True)
        ]

    lengths = steps.lengths()
    kinds = [source for _, source in lengths] if alike else None
    found = _in_batches(submit, lengths, max_target_tokens, "attention", kinds)
    shapes = [(len(t) - prefix, len(s)) for s, t in zip(source_tokens, target_tokens, strict=True)]
    return [
        f[:, :columns] if f is not None and f.ndim == 2 and len(f) == rows and f.shape[1] >= columns else None
        for f, (rows, columns) in zip(found, shapes, strict=True)
    ]


def marker_logprob(plain: np.ndarray, marked: np.ndarray) -> np.ndarray:
    """Log-probability of a marker before each token, estimated from how much less likely it makes the token.

    Where the model expects a marker, the token's probability falls by what the marker takes. CODEC (Le et al., ICLR
    2024, section 3.2) thresholds the change; but tokens become two or three times less likely for other reasons as
    well, so a probability is read off by a logistic curve, which was fitted to the true ones of a small model.

    Args:
        plain: (n,) log-probabilities of the tokens where no marker is expected.
        marked: (n,) of the same tokens where one may be.

    Returns:
        float64 (n,), in nats: log 1/2 where a token has become about a hundred times less likely.
    """
    fall = np.clip(plain.astype(np.float64) - marked, -2.0, 8.0)
    result: np.ndarray = -np.logaddexp(0.0, -FALL_SLOPE * (fall - FALL_MIDDLE))
    return result


class _Steps:
    """Forced greedy steps over given targets."""

    def __init__(self, translator: Any, source: Sequence[Tokens], target: Sequence[Tokens], vocab_size: int) -> None:
        self.translator, self.source, self.target = translator, source, target
        self.ends = list(range(vocab_size))

    def lengths(self) -> list[tuple[int, int]]:
        return [(len(t) + 1, len(s)) for s, t in zip(self.source, self.target, strict=True)]

    def submit(self, rows: list[int], **wanted: bool) -> Any:
        return self.translator.translate_batch(
            [list(self.source[r]) for r in rows],
            [list(self.target[r]) for r in rows],
            beam_size=1,
            min_decoding_length=0,
            max_input_length=0,
            max_decoding_length=max(len(self.target[r]) for r in rows) + 2,
            end_token=self.ends,
            return_end_token=True,
            asynchronous=True,
            **wanted,
        )


def _in_batches(
    submit: Callable[[list[int]], Callable[[], list[Result]]],
    lengths: Sequence[tuple[int, int]],
    limit: int,
    call: str,
    kinds: Sequence[Hashable] | None = None,
) -> list[Result | None]:
    """Runs all rows, in batches of like length; a batch that fails is run again row by row.

    Rows share a batch only where they are of one kind. A few batches are under way at once, so that every worker of
    the translator has one.

    Raises:
        ModelError: Every row of several fails.
    """
    found: list[Result | None] = [None] * len(lengths)
    under_way: list[tuple[list[int], Callable[[], list[Result]]]] = []
    errors: dict[int, str] = {}

    def collect(rows: list[int], result: Callable[[], list[Result]]) -> None:
        try:
            for row, value in zip(rows, result(), strict=True):
                found[row] = value
        except (RuntimeError, ValueError, IndexError) as error:
            if len(rows) == 1:
                errors[rows[0]] = str(error)
                return
            for row in rows:
                collect([row], lambda row=row: submit([row])())  # type: ignore[misc]

    groups: dict[Hashable, list[int]] = {}
    for row in range(len(lengths)):
        groups.setdefault(kinds[row] if kinds else None, []).append(row)
    for group in groups.values():
        for batch in _batches([lengths[row] for row in group], limit):
            rows = [group[k] for k in batch]
            try:
                under_way.append((rows, submit(rows)))
            except (RuntimeError, ValueError):  # refused before a worker has it
                under_way.append((rows, lambda rows=rows: submit(rows)()))  # type: ignore[misc]
            if len(under_way) > 4:
                collect(*under_way.pop(0))
    for rows, result in under_way:
        collect(rows, result)
    settle(list(errors.values()), len(lengths), call)
    return found


def _batches(lengths: Sequence[tuple[int, int]], limit: int) -> Iterator[list[int]]:
    """Row numbers, longest first, so that rows x longest target stays within the limit, and source within 4096."""
    weights = [max(target, source * limit // 4096) for target, source in lengths]
    batch: list[int] = []
    widest = 0
    for row in sorted(range(len(lengths)), key=lambda r: (-lengths[r][0], -lengths[r][1], r)):
        widest = max(widest, weights[row])
        if batch and widest * (len(batch) + 1) > limit:
            yield batch
            batch, widest = [], weights[row]
        batch.append(row)
    if batch:
        yield batch

"""Fits the probability that a span is right, and stores the judged rows that bounds are proved with.

    spanferry run translate-train --input DATA/europarl-ner/en-europarl.test.conll02 --format conll --target es \\
        --target de --out EUROPARL
    python -m spanferry.projectors.evaluation.fit_rightness --data DATA --translated europarl-es=EUROPARL/es …

Each run is given as ``NAME=FOLDER``: ``--translated`` for runs of translate-train, ``--given`` for runs of project over
the human translations. A span is right where it is spelled at least .75 like what stands under the same label in the
human translation (token-sorted ratio); where the human translation has nothing under that label it is not judged.
Probabilities are cross-fitted: every row is scored by trees that were fitted without it. Stored are the rows that the
row filters of a run keep, as a bound is given for those.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spanferry.corpora.files import atomic_path
from spanferry.corpora.metrics.calibration import expected_calibration_error
from spanferry.corpora.readers import open_reader
from spanferry.corpora.schema import Example, Pair
from spanferry.corpora.stored.emitted import EmittedDataset
from spanferry.projectors.bound.bound import JudgedRows, rows_of
from spanferry.projectors.bound.rightness import WEIGHTS, JudgedText, describe, row_covariates, sigmoid
from spanferry.projectors.bound.trees import fit_trees
from spanferry.projectors.bound.true_error import spelled_right
from spanferry.projectors.bound.witnesses import NAMES, Witnesses, witnesses
from spanferry.projectors.confidence.calibration import fit_calibration
from spanferry.projectors.evaluation.gold import data_folder

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_FOLDS = 10
# Filters that see the whole corpus; the bound is one of them, so that it counts rows that they reject.
_CORPUS = ("duplicates", "conflicts", "max_error", "translation_score")
_FILES = {
    "europarl": "europarl-ner/{language}-europarl.test.conll02",
    "xsid": "xsid/{language}.test.conll",
    "xsid-valid": "xsid/{language}.valid.conll",
    "gnome": "gnome-help/en-{language}.{language}.jsonl.gz",
}


@dataclass(frozen=True)
class JudgedSpans:
    """The spans of a run that have a counterpart to judge them by.

    Attributes:
        name: Such as ``europarl-es``.
        language: BCP-47 of the translations.
        corpus_rows: Rows of the run.
        seen: Their witnesses; rows by number.
        right: (n_spans,).
        kept: Whether the row filters keep the row, (n_spans,).
        fold: Of the row, from its source text, (n_spans,).
        span_fold: Of the span, from its source words: no words are in two folds, (n_spans,).
        unjudged: Spans without a counterpart.
    """

    name: str
    language: str
    corpus_rows: int
    seen: Witnesses
    right: Flags
    kept: Flags
    fold: NDArray[np.int64]
    span_fold: NDArray[np.int64]
    unjudged: int


def verdicts(pair: Pair, human: Example) -> dict[str, bool | None]:
    """Whether each projected span is spelled like the human translation's, by id; None: that has no such label."""
    if pair.target is None:
        return {}
    return {
        span.id: spelled_right(
            pair.target.quote(span), [human.quote(other) for other in human.spans if other.label == span.label]
        )
        for span in pair.target.spans
    }


def read_run(name: str, folder: Path, data: Path) -> JudgedSpans:
    """The judged spans of a run.

    Args:
        name: ``KIND-LANGUAGE``; kinds are the keys of ``_FILES``.
        folder: The run's dataset.
        data: Where the shared gold lies.
    """
    kind, _, language = name.rpartition("-")
    path = data / _FILES[kind].format(language=language)
    human = {row.id: row for row in open_reader(path, lang=language).read() if isinstance(row, Example)}
    pairs = [p for batch in EmittedDataset(folder).pairs() for p in batch if p.source.id in human]
    seen = witnesses(pairs)
    found = [verdicts(pair, human[pair.source.id]) for pair in pairs]
    right = [found[row][span] for row, span in zip(seen.rows, seen.spans, strict=True)]
    judged = np.array([one is not None for one in right], dtype=bool)
    kept = [all(reason.partition(":")[0] in _CORPUS for reason in pair.reasons) for pair in pairs]
    folds = [_fold(pair.source.text) for pair in pairs]
    sources = [{span.id: pair.source.quote(span) for span in pair.source.spans} for pair in pairs]
    own = [_fold(sources[row][span].lower()) for row, span in zip(seen.rows, seen.spans, strict=True)]
    return JudgedSpans(
        kind.removesuffix("-valid") + "-" + language,
        language,
        len(human),
        _part(seen, judged),
        np.array(right, dtype=object)[judged].astype(bool),
        np.array(kept)[seen.rows][judged],
        np.array(folds)[seen.rows][judged],
        np.array(own)[judged],
        int((~judged).sum()),
    )


def cross_fitted(runs: Sequence[JudgedSpans], *, by_words: bool = False) -> list[Floats]:
    """For each run the log-odds of its spans by trees that were fitted on the other rows of all runs.

    Args:
        runs: Fitted on together.
        by_words: Fit without spans of the same source words instead, as in text of which nothing was seen.
    """
    values = np.vstack([run.seen.values for run in runs])
    right = np.concatenate([run.right for run in runs])
    fold = np.concatenate([run.span_fold if by_words else run.fold for run in runs])
    found = np.zeros(len(right))
    for number in range(_FOLDS):
        out = fold == number
        if out.any():
            found[out] = fit_trees(values[~out], right[~out]).log_odds(values[out])
    return np.split(found, np.cumsum([len(run.right) for run in runs])[:-1])


def auc(scores: Floats, right: Flags) -> float:
    """The chance that a right span scores above a wrong one."""
    above, below = scores[right], scores[~right]
    return float((above[:, None] > below).mean() + 0.5 * (above[:, None] == below).mean())


def kept_at(precision: float, scores: Floats, right: Flags) -> float:
    """The largest share of spans, those of highest scores, of which so many are right."""
    order = np.argsort(-scores, kind="stable")
    enough = np.flatnonzero(np.cumsum(right[order]) >= precision * np.arange(1, len(right) + 1))
    return float(enough[-1] + 1) / len(right) if len(enough) else 0.0


def judged_text(run: JudgedSpans, probability: Floats) -> JudgedText:
    """The rows of a run that its row filters keep, with their cross-fitted probabilities."""
    own = run.kept
    rows = rows_of(run.seen.rows[own], probability[own], run.right[own])
    numbers, inverse = np.unique(run.seen.rows[own], return_inverse=True)
    covariates = row_covariates(_part(run.seen, own, inverse), len(numbers))
    return describe(run.name, run.language, run.corpus_rows, rows, covariates)


def fit(runs: Sequence[JudgedSpans]) -> tuple[dict[str, Any], list[Floats]]:
    """The numbers of the weights file for one kind of translation, and the cross-fitted probabilities by run."""
    raw = [sigmoid(one) for one in cross_fitted(runs)]
    right = np.concatenate([run.right for run in runs])
    calibration = fit_calibration(np.concatenate(raw), right.tolist(), np.ones((len(right), 2)))
    trees = fit_trees(np.vstack([run.seen.values for run in runs]), right)
    probabilities = [calibration.confidence(one, np.ones((len(one), 2))) for one in raw]
    texts: dict[str, JudgedText] = {}
    for run, own in zip(runs, probabilities, strict=True):
        text = judged_text(run, own)
        texts[run.name] = _joined(texts[run.name], text) if run.name in texts else text
    numbers = {
        "trees": trees.numbers(),
        "calibration": calibration.numbers(),
        "texts": [text.numbers() for text in texts.values()],
    }
    return numbers, probabilities


def main() -> None:
    """Fits, reports and writes the weights file."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="where the shared gold lies; default: SPANFERRY_DATA or beside")
    parser.add_argument("--translated", action="append", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--given", action="append", default=[], metavar="NAME=FOLDER")
    options = parser.parse_args()
    written: dict[str, Any] = {"witnesses": list(NAMES)}
    for text in ("translated", "given"):
        runs = list(_runs(getattr(options, text), options.data or data_folder()))
        if not runs:
            parser.error(f"--{text} NAME=FOLDER is missing")
        written[text], probabilities = fit(runs)
        for run, own in zip(runs, probabilities, strict=True):
            numbers = {
                "right": run.right.mean(),
                "AUC": auc(own, run.right),
                "confidence": auc(np.nan_to_num(run.seen.column("confidence")), run.right),
                "kept at .95": kept_at(0.95, own, run.right),
                "ECE": expected_calibration_error(own.tolist(), run.right.tolist()),
            }
            shown = "  ".join(f"{name} {value:.3f}" for name, value in numbers.items())
            print(
                f"{text:<11}{run.name:<13}{len(run.right):>5} spans, {run.unjudged:>3} not judged  {shown}", flush=True
            )
    with atomic_path(WEIGHTS) as path:
        path.write_text(json.dumps(written, separators=(",", ":")) + "\n", encoding="utf-8")


def _runs(named: Iterable[str], data: Path) -> Iterable[JudgedSpans]:
    for one in named:
        name, _, folder = one.partition("=")
        print(name, file=sys.stderr, flush=True)
        yield read_run(name, Path(folder), data)


def _fold(text: str) -> int:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4).digest()[0] % _FOLDS


def _part(seen: Witnesses, keep: Flags, rows: NDArray[np.int64] | None = None) -> Witnesses:
    spans = tuple(span for span, wanted in zip(seen.spans, keep, strict=True) if wanted)
    return Witnesses(seen.rows[keep] if rows is None else rows, spans, seen.values[keep])


def _joined(one: JudgedText, other: JudgedText) -> JudgedText:
    rows = JudgedRows(
        np.concatenate([one.rows.least, other.rows.least]),
        np.concatenate([one.rows.spans, other.rows.spans]),
        np.concatenate([one.rows.wrong, other.rows.wrong]),
    )
    return JudgedText(one.name, one.language, one.corpus_rows, rows, one.means, one.spreads)


if __name__ == "__main__":
    main()

"""Whether ``max_error`` keeps its promise, and how much it keeps: 100 random halves of judged rows.

    python tests/bench/max_error.py --data DATA --translated europarl-es=OUT/es --translated europarl-de=OUT/de …

The runs are those of ``spanferry.projectors.evaluation.fit_rightness``, whose cross-fitted probabilities are used: one
half of a run's kept rows is judged, the other half is new. A promise is broken where the share of wrong spans among the
new rows that are kept is above what was asked for. ``confidence`` keeps, with the best threshold in hindsight, as many
spans as it can without a greater share of wrong ones. One line of JSON for each run, then for each error.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from spanferry.corpora.metrics.calibration import expected_calibration_error
from spanferry.projectors.bound.bound import JudgedRows, rows_of, threshold_for
from spanferry.projectors.bound.rightness import sigmoid
from spanferry.projectors.evaluation.fit_rightness import auc, cross_fitted, fit, kept_at, read_run

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
ERRORS = (0.03, 0.05, 0.1, 0.15, 0.2, 0.25)


def most_kept(rows: JudgedRows, error: float) -> int:
    """The most spans that some threshold keeps with at most that share of wrong ones."""
    order = np.argsort(-rows.least, kind="stable")
    spans, wrong = np.cumsum(rows.spans[order]), np.cumsum(rows.wrong[order])
    last = np.append(np.diff(rows.least[order]) != 0, True)
    enough = last & (wrong <= error * spans + 1e-9)
    return int(spans[enough].max(initial=0))


def halves(name: str, own: JudgedRows, confidence: JudgedRows, error: float, splits: int) -> None:
    """Prints one line for one error."""
    random = np.random.default_rng(0)
    broken = empty = 0
    kept: list[float] = []
    errors: list[float] = []
    other: list[float] = []
    for _ in range(splits):
        half = random.random(len(own.least)) < 0.5
        judged, new = own.part(half), own.part(~half)
        threshold = threshold_for(judged, new.least, new.spans, error)
        spans, wrong = new.above(threshold) if threshold is not None else (0, 0)
        total = int(new.spans.sum())
        empty += not spans
        broken += wrong > error * spans
        kept.append(spans / total)
        if spans:
            errors.append(wrong / spans)
        other.append(most_kept(confidence.part(~half), wrong / spans if spans else error) / total)
    facts = {
        "run": name,
        "max_error": error,
        "broken": broken,
        "empty": empty,
        "kept": np.mean(kept),
        "true_error": np.mean(errors) if errors else None,
        "confidence_keeps": np.mean(other),
        "in_hindsight": most_kept(own, error) / int(own.spans.sum()),
        "confidence_in_hindsight": most_kept(confidence, error) / int(own.spans.sum()),
    }
    print(json.dumps({k: round(float(v), 4) if isinstance(v, float) else v for k, v in facts.items()}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--translated", action="append", required=True, metavar="NAME=FOLDER")
    parser.add_argument("--splits", type=int, default=100)
    options = parser.parse_args()
    named = [one.partition("=")[::2] for one in options.translated]
    runs = [read_run(name, Path(folder), options.data) for name, folder in named]
    _, probabilities = fit(runs)
    unseen = cross_fitted(runs, by_words=True)
    for run, own, raw in zip(runs, probabilities, unseen, strict=True):
        confidence = sigmoid(np.nan_to_num(run.seen.column("confidence")))
        facts = {
            "run": run.name,
            "spans": len(run.right),
            "not_judged": run.unjudged,
            "right": run.right.mean(),
            "auc": auc(own, run.right),
            "auc_unseen_words": auc(raw, run.right),
            "auc_confidence": auc(confidence, run.right),
            "kept_at_.95": kept_at(0.95, own, run.right),
            "precision_at_35_%": run.right[np.argsort(-own, kind="stable")][: int(0.35 * len(own))].mean(),
            "ece": expected_calibration_error(own.tolist(), run.right.tolist()),
        }
        print(json.dumps({k: round(float(v), 3) if isinstance(v, float) else v for k, v in facts.items()}), flush=True)
        rows = [rows_of(run.seen.rows[run.kept], p[run.kept], run.right[run.kept]) for p in (own, confidence)]
        for error in ERRORS:
            halves(run.name, *rows, error, options.splits)


if __name__ == "__main__":
    main()

"""What the bundled encoder is worth where there are few rows: F1 of `default`, without a model, with it and without it,
and how far confidence is off, over all spans.

    python tests/bench/few_rows.py [--data ../shared/data] [--rows 10 --rows 25] [--gold europarl-de --gold xsid-ja]

The rows of a gold are taken so many at a time, and nothing else is learned from: each lot is fitted on and projected
alone, and all lots are judged together.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from spanferry.corpora.metrics.calibration import expected_calibration_error
from spanferry.projectors.aligners.lexical.aligner import LexicalAligner
from spanferry.projectors.evaluation.gold import Gold, load_gold
from spanferry.projectors.evaluation.gold_names import GOLD_SETS
from spanferry.projectors.evaluation.judge import Judgement, judge
from spanferry.projectors.methods.default import DefaultProjector
from spanferry.projectors.placing.parts import project_in_parts

ROOT = Path(__file__).resolve().parents[2]


def judged_in_lots(gold: Gold, rows: int, *, context: bool) -> Judgement:
    """The judgement of all lots together."""
    found = []
    for start in range(0, len(gold.inputs), rows):
        lot = gold.inputs[start : start + rows]
        projector = DefaultProjector(aligner=LexicalAligner(context=context)).fit(lot)
        found += project_in_parts(projector.project, lot)
    return judge(replace(gold, more=()), found)


def main() -> None:
    """Prints a line for each number of rows."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--gold", action="append")
    parser.add_argument("--rows", action="append", type=int)
    options = parser.parse_args()
    names = options.gold or [name for name in GOLD_SETS if name.startswith(("europarl", "xsid"))]
    golds = [load_gold(name, options.data) for name in names]
    for rows in options.rows or [10, 25, 100]:
        for context in (False, True):
            found = [judged_in_lots(gold, rows, context=context) for gold in golds]
            f1 = [
                one.answer_exact or 0.0 if gold.answers else one.exact.f1
                for gold, one in zip(golds, found, strict=True)
            ]
            placed = [v for one in found for v in one.verdicts if v.projection.span is not None]
            off = expected_calibration_error([v.projection.score for v in placed], [v.right for v in placed])
            shown = "  ".join(f"{gold.name} {one:.3f}" for gold, one in zip(golds, f1, strict=True))
            kind = "with" if context else "without"
            mean = sum(f1) / len(f1)
            print(f"{rows} rows, {kind} the encoder: {shown}  mean {mean:.3f}  calibration {off:.3f}", flush=True)


if __name__ == "__main__":
    main()

"""What the bundled encoder is worth where there are few rows: F1 of `default`, without a model, with it and without it.

    python tests/bench/few_rows.py [--data ../shared/data] [--rows 10 --rows 25] [--gold europarl-de --gold xsid-ja]

The rows of a gold are taken so many at a time, and nothing else is learned from: each lot is fitted on and projected
alone, and all lots are judged together.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from projectors.aligners.lexical import LexicalAligner
from projectors.default import DefaultProjector
from projectors.gold import GOLD_SETS, Gold, load_gold
from projectors.judge import judge
from projectors.parts import project_in_parts

ROOT = Path(__file__).resolve().parents[2]


def f1(gold: Gold, rows: int, *, context: bool) -> float:
    """F1, or the share of exact answers."""
    found = []
    for start in range(0, len(gold.inputs), rows):
        lot = gold.inputs[start : start + rows]
        projector = DefaultProjector(aligner=LexicalAligner(context=context)).fit(lot)
        found += project_in_parts(projector.project, lot)
    judged = judge(replace(gold, more=()), found)
    return judged.answer_exact or 0.0 if gold.answers else judged.exact.f1


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
            found = [f1(gold, rows, context=context) for gold in golds]
            shown = "  ".join(f"{gold.name} {one:.3f}" for gold, one in zip(golds, found, strict=True))
            kind = "with" if context else "without"
            print(f"{rows} rows, {kind} the encoder: {shown}  mean {sum(found) / len(found):.3f}", flush=True)


if __name__ == "__main__":
    main()

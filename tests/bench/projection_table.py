"""F1 of every projection method on the parallel gold, by language, with seconds.

    python tests/bench/projection_table.py --data ../shared/data
    python tests/bench/projection_table.py --methods lexical default --languages es de --csv table.csv

Europarl NER is asked for as ``es`` and ``de.europarl``; the other languages are xSID's.
"""

import argparse
import csv
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from spanferry.projectors.methods.build import build_projector  # noqa: E402
from tests.projectors.gold_pairs import XSID, Gold, europarl, xsid  # noqa: E402

# Method to (projector, options). Those with a model are asked for by name with --model.
METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "copy": ("copy", {}),
    "lexical": ("alignment", {}),
    "lexical, no prior": ("alignment", {"aligner_options": {"prior": "none"}}),
    "lexical, minmax": ("alignment", {"rule": "minmax"}),
    "lexical, gap=1": ("alignment", {"rule": "gap=1"}),
    "lexical, contiguous": ("alignment", {"rule": "contiguous"}),
    "lexical, longest": ("alignment", {"rule": "longest"}),
    "eflomal": ("alignment", {"aligner": "eflomal"}),
    "eflomal, minmax": ("alignment", {"aligner": "eflomal", "rule": "minmax"}),
    "attention": ("alignment", {"aligner": "attention"}),
    "lexical + attention": (
        "alignment",
        {
            "aligner": "mixture",
            "aligner_options": {"parts": [{"kind": "lexical"}, {"kind": "attention", "weight": 0.2}]},
        },
    ),
    "candidates": ("candidates", {}),
    "constrained": ("constrained", {}),
    "default": ("default", {}),
}
SLOW = ("attention", "lexical + attention", "candidates", "constrained")
QUICK = [name for name in METHODS if "eflomal" not in name and name not in SLOW]


def measure(projector: Any, gold: Gold) -> tuple[float, float]:
    """F1, and seconds to fit and project."""
    start = time.perf_counter()
    fit: Callable[..., Any] | None = getattr(projector, "fit", None)
    fitted = fit(gold.inputs + gold.more) if fit else projector
    score = gold.score(fitted)
    return score.f1, time.perf_counter() - start


def main() -> None:
    """Prints the table, a row per method."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--methods", nargs="+", default=QUICK, choices=list(METHODS), metavar="METHOD")
    parser.add_argument("--languages", nargs="+", default=["es", "de.europarl", *XSID])
    parser.add_argument("--model", help="name or folder of a model, for the methods that need one")
    parser.add_argument("--own-words", action="store_true", help="segment both sides instead of using the gold tokens")
    parser.add_argument("--csv", type=Path, help="also write the numbers there")
    options = parser.parse_args()

    translator = None
    if options.model:
        from spanferry.translators.engine.ct2 import CT2Translator

        translator = CT2Translator(options.model)
    golds = {
        name: (europarl if name == "es" or name.endswith(".europarl") else xsid)(
            options.data, name.partition(".")[0], given_words=not options.own_words
        )
        for name in options.languages
    }
    slots = [name for name in options.languages if name in XSID]
    print(f"{'method':<22}" + "".join(f"{name:>12}" for name in [*golds, "xSID mean", "seconds"]))
    rows: list[list[object]] = []
    for method in options.methods:
        kind, settings = METHODS[method]
        scores, seconds = {}, 0.0
        for name, gold in golds.items():
            projector = build_projector(kind, settings, translator, "en", name.partition(".")[0])
            scores[name], spent = measure(projector, gold)
            seconds += spent
        mean = sum(scores[name] for name in slots) / len(slots) if slots else float("nan")
        numbers = [*scores.values(), mean]
        print(f"{method:<22}" + "".join(f"{x:>12.3f}" for x in numbers) + f"{seconds:>12.1f}", flush=True)
        rows.append([method, *(round(x, 4) for x in numbers), round(seconds, 1)])
    if options.csv:
        with options.csv.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([["method", *golds, "xsid mean", "seconds"], *rows])


if __name__ == "__main__":
    main()

"""Constrained decoding on Europarl or xSID: fast against full against translating the same sentences, in one run.

    python tests/bench/constrained_speed.py --model FOLDER [--gold europarl|xsid] [--language es] [--spans 60] [--own]
        [--offset 1] [--vocabulary language|all] [--no-full]

What it costs against translating the same sentences with beam 4, by the clock and by processor time (which other work
on the machine disturbs less): the median of rounds in which the two take turns. Spans per second, the share of spans
where the fast search has the best of all pairs, each scored by the whole model, and span F1. ``--own`` places the spans
in the model's own translations, where there is no F1. ``--no-full`` leaves the full list out.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from spanferry.corpora.metrics.spans import exact_score  # noqa: E402
from spanferry.projectors.base import ProjectionInput  # noqa: E402
from spanferry.projectors.constrained.projector import ConstrainedProjector, NBest  # noqa: E402
from spanferry.translators.engine.ct2 import CT2Translator  # noqa: E402
from tests.projectors.gold_pairs import europarl, xsid  # noqa: E402

Result = TypeVar("Result")


def timed(work: Callable[[], Result]) -> tuple[Result, float, float]:
    """The result, seconds by the clock and seconds of processor time."""
    clock, processor = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - clock, time.process_time() - processor


def main() -> None:
    """Prints one line per method."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", required=True, help="folder of a CTranslate2 model")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--gold", choices=("europarl", "xsid"), default="europarl")
    parser.add_argument("--language", default="es")
    parser.add_argument("--spans", type=int, default=60, help="about how many, evenly from the corpus")
    parser.add_argument("--offset", type=int, default=0, help="the first row taken")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--own", action="store_true", help="the model's own translations as targets")
    parser.add_argument("--vocabulary", choices=("language", "all"), default="language")
    parser.add_argument("--no-full", action="store_true", help="leave out the full list")
    options = parser.parse_args()

    gold = (xsid if options.gold == "xsid" else europarl)(options.data, options.language)
    rows = [i for i, item in enumerate(gold.inputs) if item.spans]
    total = sum(len(gold.inputs[i].spans) for i in rows)
    rows = rows[options.offset :: max(1, round(total / options.spans))]
    inputs: list[ProjectionInput] = [gold.inputs[i] for i in rows]
    spans = sum(len(item.spans) for item in inputs)
    translator = CT2Translator(options.model, device="cpu", beam=4)
    texts = [item.source_text for item in inputs]
    translator.translate(texts[:4], "en", options.language)
    translated = translator.translate(texts, "en", options.language)
    if options.own:
        pairs = [(k, t) for k, t in enumerate(translated) if not t.reason]
        inputs = [replace(inputs[k], target_text=t.text, target_words=()) for k, t in pairs]
        texts = [texts[k] for k, _ in pairs]
        spans = sum(len(item.spans) for item in inputs)
    print(f"{len(inputs)} sentences, {spans} spans, {sum(map(len, texts)) / len(texts):.0f} characters on average")
    best: dict[str, list[NBest]] = {}
    for search in ("fast",) if options.no_full else ("fast", "full"):
        projector = ConstrainedProjector(translator, search=search, vocabulary=options.vocabulary, keep=100_000)
        rounds = []
        for _ in range(options.rounds if search == "fast" else 1):
            _, *beam = timed(lambda: translator.translate(texts, "en", options.language))
            listed, *taken = timed(lambda p=projector: p.nbest(inputs))  # type: ignore[misc]
            rounds.append((*beam, *taken))
        best[search] = [n for row in listed for n in row]
        for at, name in enumerate(("clock", "processor")):
            translating, placing = (statistics.median(r[k] for r in rounds) for k in (at, at + 2))
            ratios = sorted(r[at + 2] / r[at] for r in rounds)
            print(
                f"{search:<6}{name:<10}{spans / placing:7.1f} spans/s, translating {len(texts) / translating:6.1f}"
                f" sentences/s, ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})",
                flush=True,
            )
        if not options.own:
            placed = [projector.choose(i, n) for i, n in zip(inputs, listed, strict=True)]
            score = exact_score(
                [[(p.span.start, p.span.end, p.span.label) for p in row if p.span] for row in placed],
                [gold.spans[i] for i in rows],
            )
            print(f"{search:<6}F1 {score.f1:.3f}")
    print(f"load of the machine: {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores")
    if "full" in best:
        same = sum(
            fast.reason == full.reason and [c[:2] for c in fast.candidates[:1]] == [c[:2] for c in full.candidates[:1]]
            for fast, full in zip(best["fast"], best["full"], strict=True)
        )
        print(f"fast has the best of all pairs on {same} of {spans} spans ({same / spans:.1%})")


if __name__ == "__main__":
    main()

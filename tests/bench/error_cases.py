"""Wrong spans of a method on gold, drawn evenly over gold sets, to be read and sorted by cause.

    python tests/bench/error_cases.py --gold europarl-de --gold xsid-da --count 20 --seed 0
    python tests/bench/error_cases.py --gold xsid-ja --projector 'alignment[rule=minmax]' --csv cases.csv

A case is a source span that was put where the gold has no span of its label, or nowhere where the gold has one left. Of
each gold only the half that nothing was fitted on is looked at (``gold.fit_half``), all of it where the
language was never fitted on. The same seed draws the same cases as long as the method errs on the same spans.
"""

import argparse
import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spanferry.corpora.schema import Range, Span
from spanferry.flows.evaluate.projection import Settings, evaluate_projection, parse_method
from spanferry.projectors.evaluation.gold import expand_names, fit_half, load_gold
from spanferry.projectors.evaluation.gold_names import GOLD_SETS
from spanferry.projectors.evaluation.judge import Judgement, Verdict

_AROUND = 90  # code points of context on either side


@dataclass(frozen=True, slots=True)
class Case:
    """One wrong span: what was asked, what was found, and what the gold has under the label in this text."""

    gold: str
    input: str
    label: str
    source: str
    found: str
    wanted: tuple[str, ...]
    score: float
    source_text: str
    target_text: str


def wrong(judgement: Judgement) -> list[Case]:
    """Every wrong span of a judgement, in order."""
    return [
        _case(judgement, verdict) for verdict in judgement.verdicts if not verdict.right and _counts(judgement, verdict)
    ]


def _counts(judgement: Judgement, verdict: Verdict) -> bool:
    """Whether a verdict lowers F1: a span left out is not an error where the gold has none of its label left."""
    if verdict.projection.span is not None:
        return True
    same = [v for v in judgement.verdicts if v.input == verdict.input and v.source.label == verdict.source.label]
    return sum(v.right for v in same) < len(_wanted(judgement, verdict))


def _wanted(judgement: Judgement, verdict: Verdict) -> list[Span]:
    gold = judgement.gold
    spans = [span for span in gold.spans[verdict.input] if span.label == verdict.source.label]
    if gold.answers:
        question = verdict.source.id.rpartition("/")[0]
        spans = [span for span in spans if span.id.rpartition("/")[0] == question]
    return spans


def _case(judgement: Judgement, verdict: Verdict) -> Case:
    item, placed = judgement.gold.inputs[verdict.input], verdict.projection.span
    wanted = _wanted(judgement, verdict)
    source = (verdict.source.start, verdict.source.end)
    theirs = [(span.start, span.end) for span in wanted]
    ours = [(placed.start, placed.end)] if placed else []
    return Case(
        judgement.gold.name,
        item.id,
        verdict.source.label,
        verdict.source.quote(item.source_text),
        placed.quote(item.target_text) if placed else f"({verdict.projection.reason})",
        tuple(span.quote(item.target_text) for span in wanted),
        round(verdict.projection.score, 2),
        _context(item.source_text, [source]),
        _context(item.target_text, ours + theirs),
    )


def _context(text: str, places: Sequence[Range]) -> str:
    """The text around the places; all of it where there are none."""
    if not places:
        return text
    start, end = max(min(a for a, _ in places) - _AROUND, 0), min(max(b for _, b in places) + _AROUND, len(text))
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}".replace("\n", " ")


def main() -> None:
    """Prints the cases, and writes them as a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="where the shared gold lies; default: SPANFERRY_DATA or beside")
    parser.add_argument("--gold", action="append", required=True, help=f"may be repeated: {', '.join(GOLD_SETS)}")
    parser.add_argument("--projector", default="default", help="options in brackets, as for spanferry evaluate")
    parser.add_argument("--translator", default="none")
    parser.add_argument("--count", type=int, default=20, help="cases of each gold")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--csv", type=Path, help="also write the cases there")
    options = parser.parse_args()

    drawn: list[Case] = []
    for name in expand_names(options.gold, GOLD_SETS):
        gold = load_gold(name, options.data)
        gold = gold.part([not fitted for fitted in fit_half(gold)])
        settings = Settings(options.translator, samples=1)
        (found,) = evaluate_projection([parse_method(options.projector)], [gold], settings)
        cases = wrong(found.judgement)
        chosen = sorted(
            random.Random(f"{options.seed}/{name}").sample(range(len(cases)), min(options.count, len(cases)))
        )
        print(f"{name}: {len(cases)} wrong of {len(found.judgement.verdicts)} spans, F1 {found.judgement.exact.f1:.3f}")
        drawn += [cases[k] for k in chosen]
    for number, case in enumerate(drawn, 1):
        print(f"\n{number}  {case.gold}  {case.input}  {case.label}  {case.score:.2f}")
        print(f"   [{case.source}] -> [{case.found}]   gold: {' | '.join(case.wanted) or '-'}")
        print(f"   {case.source_text}\n   {case.target_text}")
    if options.csv:
        with options.csv.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(
                ["gold", "input", "label", "source", "found", "wanted", "score", "source text", "target text"]
            )
            for case in drawn:
                texts = (case.source_text, case.target_text)
                head = (case.gold, case.input, case.label, case.source, case.found, " | ".join(case.wanted), case.score)
                table.writerow([*head, *texts])


if __name__ == "__main__":
    main()

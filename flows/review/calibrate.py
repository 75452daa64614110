"""``spanferry calibrate``: the decisions of a review as a calibration that ``max_error`` uses."""

import json
from pathlib import Path

from spanferry.corpora.errors import InputError, unknown_name
from spanferry.corpora.review.decisions import by_example, fold, require_log
from spanferry.flows.inspector.runs import find_corpora
from spanferry.flows.store import write_bytes
from spanferry.projectors.bound.refit import Refit, refit
from spanferry.projectors.bound.rightness import REVIEW_FORMAT, Text

FILE = "calibration.json"


def calibrate(out: Path, *, target: str | None = None, error: float = 0.05) -> list[Refit]:
    """Fits on every dataset of a run that has decisions, and writes ``OUT/calibration.json``.

    Args:
        out: The run's folder.
        target: Only this dataset.
        error: Share of wrong spans for which the report counts the kept spans.

    Raises:
        InputError: There is no run, no such dataset, no decision, or too few of them.
    """
    found = [one for one in find_corpora(out) if not one.reviewed and one.folder.parent.resolve() == out.resolve()]
    corpora = [one for one in found if target in (None, one.key)]
    if not corpora:
        raise unknown_name("dataset", target or "", [one.key for one in found], hint=f"spanferry inspect {out}")
    done: list[Refit] = []
    for corpus in corpora:
        log = require_log(corpus.log)
        states = {key: fold(own) for key, own in by_example(log.decisions).items() if key[0] == corpus.key}
        if not states:
            continue
        pairs = [pair for batch in corpus.open().pairs() for pair in batch]
        rows = {
            number: states[key]
            for number, pair in enumerate(pairs)
            if (key := (corpus.key, pair.source.split, pair.source.id)) in states
        }
        language = next((pair.target.lang for pair in pairs if pair.target), corpus.name)
        done.append(refit(pairs, rows, text=_text(out), language=language, error=error))
    if not done:
        raise InputError("no decision on any dataset here", where=str(out), hint=f"spanferry inspect {out}")
    numbers = {"format": REVIEW_FORMAT, "languages": {one.language: one.numbers for one in done}}
    write_bytes(out / FILE, (json.dumps(numbers, separators=(",", ":")) + "\n").encode())
    return done


def _text(out: Path) -> Text:
    """Whether the run's translations were given, by its configuration."""
    try:
        flow = json.loads((out / "config.json").read_text(encoding="utf-8"))["flow"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError("not the folder of a run", where=str(out), hint="spanferry calibrate OUT") from error
    return "given" if flow == "project" else "translated"

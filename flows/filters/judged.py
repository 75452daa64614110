"""Which spans of a run are right: from gold in the target language, or from what people decided."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from rapidfuzz import fuzz

from spanferry.corpora.arrow import pairs_from_table
from spanferry.corpora.errors import InputError
from spanferry.corpora.filters.tuning.proposals import Judged
from spanferry.corpora.readers import open_reader
from spanferry.corpora.review.decisions import Decision, RowState, by_example, fold, require_log, text_digest
from spanferry.corpora.schema import Example, Pair, Span
from spanferry.flows.filters.stored import StoredLanguage
from spanferry.projectors.pipeline.stages import GOLD

ALIKE = 75
"""Percent: a span of a translation is right where it is spelled so alike a span of the human one with its label."""


@dataclass
class Judging:
    """Judged spans of one language, and how they were judged.

    Attributes:
        judged: Right and wrong spans by row.
        how: ``gold``, ``gold by spelling`` or ``decisions``.
        rows: Rows with a judged span.
    """

    judged: Judged
    how: str
    rows: int = field(init=False)

    def __post_init__(self) -> None:
        self.rows = int((self.judged.right + self.judged.wrong > 0).sum())


def from_gold(stored: StoredLanguage, frame: pl.DataFrame, gold: Path | None, format: str | None = None) -> Judging:
    """Compares with human labels: the place where the text is the same, else the spelling under the same label.

    Args:
        stored: The language.
        frame: Its scores.
        gold: The same rows, labelled in the target language, with the source's ids; None: the run's own second input,
            if that was labelled.
        format: Name of the reader; None: guessed from the path.

    Raises:
        InputError: There is no gold, or none of its ids is in the run.
    """
    rows: Mapping[str, Example] | None = None
    if gold is not None:
        reader = open_reader(gold, format=format, lang=stored.target)
        rows = {row.id: row for row in reader.read() if isinstance(row, Example)}
    right, wrong, found, same = np.zeros(frame.height), np.zeros(frame.height), 0, True
    for at, pair in _pairs(stored, None if rows is None else list(rows)):
        human = _own_gold(pair) if rows is None else rows.get(pair.source.id)
        if human is None or pair.target is None:
            continue
        found += 1
        same = same and dict(human.texts) == dict(pair.target.texts)
        good = [_is_right(span, pair.target, human) for span in pair.target.spans]
        right[at], wrong[at] = sum(good), len(good) - sum(good)
    if not found:
        where = str(gold) if gold else str(stored.place)
        raise InputError(
            f"no row of {stored.target} has gold" if gold is None else "no id of the gold is in the run",
            where=where,
            valid="a file with the source's ids, labelled in the target language",
            hint="--gold FILE; without --gold the decisions of spanferry inspect count",
        )
    return Judging(Judged(right, wrong), "gold" if same else "gold by spelling")


def from_decisions(stored: StoredLanguage, frame: pl.DataFrame) -> Judging:
    """What people decided on the spans of a language in the inspector.

    Raises:
        InputError: Nobody has decided anything.
    """
    log = require_log(stored.config.out / "decisions.jsonl")
    lines = by_example(d for d in log.decisions if d.corpus == stored.target)
    right, wrong = np.zeros(frame.height), np.zeros(frame.height)
    for at, pair in _pairs(stored, [key[2] for key in lines]):
        decisions = lines.get((stored.target, pair.source.split, pair.source.id))
        if not decisions or pair.target is None:
            continue
        verdicts = _verdicts(fold(_of_this_text(decisions, pair.target)), pair.target)
        right[at], wrong[at] = sum(verdicts), len(verdicts) - sum(verdicts)
    if not (right + wrong).any():
        raise InputError(
            f"no span of {stored.target} was judged",
            where=str(log.path),
            hint=f"spanferry inspect {stored.config.out}, or --gold FILE",
        )
    return Judging(Judged(right, wrong), "decisions")


def has_gold(stored: StoredLanguage) -> bool:
    """Whether the run's own second input was labelled."""
    first = next(iter(stored.tables()), None)
    return first is not None and any(_own_gold(pair) is not None for pair in pairs_from_table(first))


def _pairs(stored: StoredLanguage, ids: Sequence[str] | None) -> Iterator[tuple[int, Pair]]:
    """Row number and pair of all rows, or of those with one of ``ids``."""
    wanted = None if ids is None else pa.array(sorted(set(ids)), pa.string())
    start = 0
    for table in stored.tables():
        height, rows = table.num_rows, np.arange(table.num_rows)
        if wanted is not None:
            own = pc.struct_field(table.column("source").combine_chunks(), "id")
            rows = np.flatnonzero(pc.is_in(own, value_set=wanted).to_numpy(zero_copy_only=False))
            table = table.take(pa.array(rows))
        for row, pair in zip(rows, pairs_from_table(table) if len(rows) else (), strict=True):
            yield start + int(row), pair
        start += height


def _own_gold(pair: Pair) -> Example | None:
    if pair.target is None or GOLD not in pair.target.meta:
        return None
    spans = tuple(Span(start, end, label, field=name) for start, end, label, name in pair.target.meta[GOLD])
    return Example(pair.target.id, pair.target.lang, pair.target.texts, spans)


def _is_right(span: Span, target: Example, human: Example) -> bool:
    same = [other for other in human.spans if other.label == span.label]
    if target.texts.get(span.field) == human.texts.get(span.field):
        return any((o.field, o.start, o.end) == (span.field, span.start, span.end) for o in same)
    words = target.quote(span).lower()
    return any(fuzz.token_sort_ratio(words, human.quote(other).lower()) >= ALIKE for other in same)


def _of_this_text(decisions: Sequence[Decision], target: Example) -> list[Decision]:
    digests = {name: text_digest(text) for name, text in target.texts.items()}
    return [d for d in decisions if all(digests.get(name) == digest for name, digest in d.texts.items())]


def _verdicts(state: RowState, target: Example) -> list[bool]:
    """Whether each judged span of a row stands where, and is called what, people want."""
    found = []
    for span in target.spans:
        decision, verdict = state.verdicts.get(span.id, (None, None))
        if verdict is not None and decision is not None:
            wanted = verdict.as_span() if decision.action != "reject" else None
            found.append(
                wanted is not None
                and (wanted.start, wanted.end, wanted.label, wanted.field)
                == (span.start, span.end, span.label, span.field)
            )
        elif state.row is not None and state.row.action == "drop":
            found.append(False)
    return found

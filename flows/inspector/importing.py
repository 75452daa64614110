"""Corrections that were made in another tool, as decisions: a corrected example is compared with what was projected."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from spanferry.corpora.review.applying import target_digests
from spanferry.corpora.review.decisions import Decision, DecisionLog, RowState, Verdict, by_example, fold, stamped
from spanferry.corpora.schema import Example, Pair, Span
from spanferry.flows.inspector.edits import ADDED, current

NO_EXAMPLE = "no_example"
OTHER_TEXT = "other_text"


@dataclass(slots=True)
class Imported:
    """What an import did.

    Attributes:
        decisions: Appended to the log.
        examples: Corrected examples that were taken.
        refused: Why others were not: example id and reason.
    """

    decisions: list[Decision] = field(default_factory=list)
    examples: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)

    @property
    def actions(self) -> dict[str, int]:
        """The decisions by action."""
        return dict(sorted(Counter(d.action for d in self.decisions).items()))


def import_corrections(
    pairs: Iterable[Pair], corrected: Iterable[Example], corpus: str, who: str, log: DecisionLog
) -> Imported:
    """Appends the decisions that turn projected rows into corrected ones to the log.

    A span with the id of a source span is that span; another one with its place and label, or else with its label and
    some of its text, is it too. What is left over on the corrected side was added, on the projected side rejected.
    What the log says already is not said again, so a file can be imported twice. What others decide while the rows
    are read counts: the decisions are made once nobody else can write.

    Args:
        pairs: The rows of the dataset.
        corrected: What the other tool exported, with the examples' ids.
        corpus: The dataset's name in the decisions.
        who: Stands in the decisions.
        log: The decisions there are; the new ones are on the disk when this returns.
    """
    done = Imported()
    wanted: dict[str, Example] = {example.id: example for example in corrected}
    met: set[str] = set()
    taken: list[tuple[Pair, Example]] = []
    for pair in pairs:
        example = wanted.get(pair.source.id)
        if example is None or pair.target is None:
            continue
        met.add(example.id)
        if _same_texts(pair.target, example):
            taken.append((pair, example))
        else:
            done.refused.append((example.id, OTHER_TEXT))
    done.examples = len(taken)
    done.refused += [(name, NO_EXAMPLE) for name in wanted if name not in met]

    def make(fresh: list[Decision]) -> Sequence[Decision]:
        # ``fresh`` is in ``log.decisions`` by now.
        lines = by_example(log.decisions)
        done.decisions = [
            _stamped(pair, corpus, who, action, verdict)
            for pair, example in taken
            for action, verdict in _verdicts(
                pair, example, fold(lines.get((corpus, pair.source.split, pair.source.id), []))
            )
        ]
        return done.decisions

    if taken:
        log.append(make)
    return done


def _stamped(pair: Pair, corpus: str, who: str, action: str, verdict: Verdict) -> Decision:
    return stamped(
        {
            "corpus": corpus,
            "split": pair.source.split,
            "example": pair.source.id,
            "action": action,
            "verdicts": (verdict,),
            "texts": target_digests(pair),
            "signature": pair.signature,
            "who": who,
            "via": "import",
        }
    )


def _same_texts(target: Example, example: Example) -> bool:
    """Whether a corrected example has the target's texts; a tool that holds one text names its field as it likes."""
    if len(example.texts) == 1 and len(target.texts) == 1:
        return example.text == target.text
    return dict(example.texts) == dict(target.texts)


def _verdicts(pair: Pair, example: Example, state: RowState) -> list[tuple[str, Verdict]]:
    assert pair.target is not None
    now = current(pair, state)
    gone = {name for name, (decision, _) in state.verdicts.items() if decision.action == "reject"}
    only = next(iter(pair.target.texts)) if len(pair.target.texts) == 1 else None
    spans = [replace(span, field=only) if only else span for span in example.spans]
    partners = _partners({n: v for n, v in now.items() if n not in gone}, spans)
    found: list[tuple[str, Verdict]] = []
    for name, verdict in now.items():
        span = partners.get(name)
        judged = name in state.verdicts
        if span is None:
            if verdict.start is None and not judged:
                found.append(("accept", verdict))
            elif verdict.start is not None and name not in gone:
                found.append(("reject", verdict))
            continue
        placed = _at(verdict, span, pair.target)
        if (placed.start, placed.end, placed.fragments) != (verdict.start, verdict.end, verdict.fragments):
            found.append(("move", placed))
        elif placed.label != verdict.label:
            found.append(("label", placed))
        elif not judged:
            found.append(("accept", verdict))
    taken = set(now)
    for span in spans:
        if not any(span is partner for partner in partners.values()):
            name = next(n for i in range(1, len(taken) + 2) if (n := f"{ADDED}{i}") not in taken)
            taken.add(name)
            found.append(("add", _at(Verdict(name, span.field, label=span.label), span, pair.target)))
    return found


def _partners(now: dict[str, Verdict], spans: Sequence[Span]) -> dict[str, Span]:
    """The corrected span of each projected one, by its id: by id, by place and label, by label and overlap."""
    partners: dict[str, Span] = {}
    left = list(spans)

    def take(name: str, span: Span) -> None:
        partners[name] = span
        # By identity: two equal spans are two.
        left[:] = [other for other in left if other is not span]

    for span in spans:
        if span.id in now and span.id not in partners:
            take(span.id, span)
    for exact in (True, False):
        for name, verdict in now.items():
            place = verdict.as_span()
            if name in partners or place is None:
                continue
            match = next((s for s in left if s.label == place.label and _meets(s, place, exact)), None)
            if match is not None:
                take(name, match)
    return partners


def _meets(span: Span, place: Span, exact: bool) -> bool:
    if exact:
        return (span.field, span.start, span.end) == (place.field, place.start, place.end)
    return span.overlaps(place)


def _at(verdict: Verdict, span: Span, target: Example) -> Verdict:
    return replace(
        verdict,
        field=span.field,
        start=span.start,
        end=span.end,
        fragments=span.fragments,
        label=span.label,
        quote=target.quote(span),
        was=verdict.was or (verdict.label if verdict.label != span.label else ""),
    )

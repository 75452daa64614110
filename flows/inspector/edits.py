"""What a person asks for, checked against the row it is about, as what the log will say."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from spanferry.corpora.review.decisions import ACTIONS, ON_SPAN, RowState, Verdict
from spanferry.corpora.schema import TEXT, Pair, Span

ADDED = "added-"


class Conflict(Exception):
    """The page that asks does not know how things stand: it must be loaded again."""


class Refused(Exception):
    """What is asked for can't be."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What a person asks for, in code points.

    Attributes:
        action: One of ``spanferry.corpora.review.decisions.ACTIONS`` but ``undo``.
        span: Id of the span; "" for ``add`` and for whole rows.
        field: Text field, for ``add``.
        start: New place, for ``move`` and ``add``.
        end: One past it.
        fragments: Parts of a discontinuous span at the new place.
        label: New label, for ``label`` and ``add``.
        quote: What the page shows at the span's place, the new one if it moves; "" where there is none.
    """

    action: str
    span: str = ""
    field: str = TEXT
    start: int | None = None
    end: int | None = None
    fragments: tuple[tuple[int, int], ...] = ()
    label: str = ""
    quote: str = ""


def current(pair: Pair, state: RowState) -> dict[str, Verdict]:
    """Every span of a row as it stands now, by id: as it was decided, else as it was projected.

    A span that has been rejected has the place that was rejected.
    """
    spans = {name: _projected(pair, name) for name in (span.id for span in pair.source.spans)}
    return spans | {name: verdict for name, (_, verdict) in state.verdicts.items()}


def verdicts_of(pair: Pair, state: RowState, edit: Edit) -> tuple[Verdict, ...]:
    """The verdicts that a edit makes.

    Raises:
        Conflict: The page shows another text at that place.
        Refused: There is no such action, span, place or translation.
    """
    if edit.action not in ACTIONS or edit.action == "undo":
        raise Refused(f"there is no action {edit.action!r}")
    if pair.target is None and edit.action in (*ON_SPAN, "keep"):
        raise Refused("this row has no translation to decide on")
    if edit.action == "keep":
        # A row is kept as it stands; what has been said of a span is not said again.
        return tuple(v for name, v in current(pair, state).items() if name not in state.verdicts)
    if edit.action not in ON_SPAN:
        return ()
    if edit.action == "add":
        return (_placed(Verdict(_fresh_id(pair, state), edit.field, label=_label(edit)), pair, edit),)
    now = current(pair, state).get(edit.span)
    if now is None:
        raise Refused(f"there is no span {edit.span!r}")
    if edit.action == "move":
        return (_placed(now, pair, edit),)
    if edit.action == "reject" and edit.span in {s.id for s in pair.source.spans}:
        # It is the projection that is wrong, wherever the span was in the meantime.
        _check_quote(now.quote, edit)
        return (_projected(pair, edit.span),)
    _check_quote(now.quote, edit)
    if edit.action == "label":
        if now.start is None:
            raise Refused("a span without a place has no label to change")
        return (replace(now, label=_label(edit), was=now.was or now.label),)
    return (now,)


def _projected(pair: Pair, name: str) -> Verdict:
    source = next(span for span in pair.source.spans if span.id == name)
    found = next((p for p in pair.projections if p.source_span_id == name), None)
    about = Verdict(name, source.field, source_quote=pair.source.quote(source), label=source.label)
    if found is not None:
        about = replace(about, method=found.method, score=found.score if found.span else None)
    if found is None or found.span is None or pair.target is None:
        return about
    return _at(about, found.span, pair.target.texts)


def _at(verdict: Verdict, span: Span, texts: Mapping[str, str]) -> Verdict:
    return replace(
        verdict,
        field=span.field,
        start=span.start,
        end=span.end,
        fragments=span.fragments,
        label=span.label,
        quote=span.quote(texts[span.field]),
    )


def _placed(verdict: Verdict, pair: Pair, edit: Edit) -> Verdict:
    texts = pair.target.texts if pair.target else {}
    text = texts.get(verdict.field)
    if text is None:
        raise Refused(f"the translation has no field {verdict.field!r}")
    if edit.start is None or edit.end is None or not 0 <= edit.start < edit.end <= len(text):
        raise Refused(f"[{edit.start}, {edit.end}) is not a place in a text of {len(text)} characters")
    edges = [edge for part in edit.fragments for edge in part]
    hull = not edges or (edges[0], edges[-1]) == (edit.start, edit.end)
    if not hull or edges != sorted(edges) or any(a == b for a, b in edit.fragments):
        raise Refused(f"the parts {edit.fragments} are not those of [{edit.start}, {edit.end})")
    span = Span(edit.start, edit.end, verdict.label, verdict.span, verdict.field, edit.fragments)
    placed = _at(verdict, span, texts)
    if not placed.quote.strip():
        raise Refused("a span can't be white space alone")
    _check_quote(placed.quote, edit)
    return placed


def _check_quote(quote: str, edit: Edit) -> None:
    if quote != edit.quote:
        raise Conflict(f"the page shows {edit.quote!r} there, the data has {quote!r}")


def _label(edit: Edit) -> str:
    if not edit.label or any("\ud800" <= c <= "\udfff" for c in edit.label):
        raise Refused("a span needs a label")
    return edit.label


def _fresh_id(pair: Pair, state: RowState) -> str:
    taken = {span.id for span in pair.source.spans} | set(state.verdicts)
    return next(name for i in range(1, len(taken) + 2) if (name := f"{ADDED}{i}") not in taken)

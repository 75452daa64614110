"""Small parallel texts to align, made from a little grammar, so that a corpus aligner has something to learn from."""

from itertools import product

from spanferry.corpora.schema import Span
from spanferry.projectors.base import ProjectionInput

_PEOPLE = [("Anna", "Anna"), ("the king", "el rey"), ("my sister", "mi hermana"), ("Marco", "Marco")]
_VERBS = [("sees", "ve"), ("buys", "compra"), ("paints", "pinta")]
_THINGS = [
    (f"the {old} {car}", f"el {coche} {viejo}")
    for (old, viejo), (car, coche) in product(
        [("old", "viejo"), ("white", "blanco"), ("new", "nuevo")],
        [("car", "coche"), ("horse", "caballo"), ("book", "libro")],
    )
]
_WHEN = [("today", "hoy"), ("in Rome", "en Roma"), ("at 16:30", "a las 16:30")]


def spanish() -> list[ProjectionInput]:
    """324 sentences, English to Spanish; spans: person, thing and time."""
    out = []
    for who, does, what, when in product(_PEOPLE, _VERBS, _THINGS, _WHEN):
        source, target = (f"{who[k]} {does[k]} {what[k]} {when[k]}." for k in (0, 1))
        spans = []
        for k, (part, label) in enumerate(((who, "PER"), (what, "THING"), (when, "TIME"))):
            start = source.index(part[0])
            spans.append(Span(start, start + len(part[0]), label, f"s{k}"))
        out.append(ProjectionInput(f"es{len(out)}", source, target, tuple(spans), "en", "es"))
    return out


def expected(item: ProjectionInput) -> list[str]:
    """What each span of one of these sentences is in Spanish."""
    words = dict([*_PEOPLE, *_THINGS, *_WHEN])
    return [words[span.quote(item.source_text)] for span in item.spans]

"""Pairs that the tests of the writers share."""

from dataclasses import replace

from spanferry.corpora.schema import Example, Pair, Projection, Relation, Span


def pair(number=0, *, split="train", kept=True, text="Ana llegó a Málaga 😀.", lang="es", label="travel"):
    source = Example(
        f"ex-{number}",
        "en",
        {"text": "Ann came to Málaga 😀."},
        (Span(0, 3, "PER", "a"), Span(12, 18, "LOC", "b", attributes={"kb": "Q1"}), Span(19, 20, "EMO", "c")),
        (Relation("a", "b", "in"),),
        label,
        {"url": "x"},
        split=split,
    )
    spans = (Span(0, 3, "PER", "a"), Span(12, 18, "LOC", "b", attributes={"kb": "Q1"}))
    target = replace(source, lang=lang, texts={"text": text}, spans=spans, relations=())
    projections = (
        Projection("a", spans[0], 0.9, "copy"),
        Projection("b", spans[1], 0.5, "lexical"),
        Projection("c", None, 0.0, "lexical", "no_match"),
    )
    made = Pair(source, target, projections, {"mt_score": -0.5}, signature="sig")
    return made if kept else made.rejected("length:ratio")


def failed(number=99):
    made = pair(number)
    lost = tuple(Projection(s.id, None, 0.0, "none", "translate:x") for s in made.source.spans)
    return Pair(made.source, None, lost, kept=False, reasons=("translate:x",), signature="sig")

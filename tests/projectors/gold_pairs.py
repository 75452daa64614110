"""Parallel gold as projection inputs: both sides annotated, the target's spans are what projection should find."""

from dataclasses import dataclass
from pathlib import Path

from spanferry.corpora.metrics.spans import Labelled, Score, exact_score
from spanferry.corpora.readers.common.base import BadRow
from spanferry.corpora.readers.conll import ConllReader
from spanferry.corpora.schema import TEXT, Example
from spanferry.projectors.base import ProjectionInput, Projector

XSID = ("da", "de", "id", "it", "nl", "zh", "ja")
EUROPARL = ("es", "de")


@dataclass(frozen=True)
class Gold:
    """Inputs, the gold spans of each, and further inputs without gold that a corpus aligner may learn from."""

    inputs: list[ProjectionInput]
    spans: list[set[Labelled]]
    more: list[ProjectionInput]

    def score(self, projector: Projector) -> Score:
        """Exact spans of a projector that has been fitted if it needs to be."""
        found = projector.project(self.inputs)
        placed = [{(p.span.start, p.span.end, p.span.label) for p in row if p.span} for row in found]
        return exact_score(placed, self.spans)


def europarl(data: Path, target: str, *, given_words: bool = True) -> Gold:
    """The Europarl NER corpus, en to ``target``."""
    folder = data / "europarl-ner"
    names = (folder / "en-europarl.test.conll02", folder / f"{target}-europarl.test.conll02")
    return _gold(*names, target, given_words)


def xsid(data: Path, target: str, *, given_words: bool = True) -> Gold:
    """The xSID test set, en to ``target``, with the validation set to learn from."""
    folder = data / "xsid"
    test = _gold(folder / "en.test.conll", folder / f"{target}.test.conll", target, given_words)
    valid = _gold(folder / "en.valid.conll", folder / f"{target}.valid.conll", target, given_words)
    return Gold(test.inputs, test.spans, valid.inputs)


def _read(path: Path, lang: str) -> list[Example]:
    rows = list(ConllReader(path=path, lang=lang, repair=True).read())
    examples = [row for row in rows if not isinstance(row, BadRow)]
    if len(examples) < len(rows):
        raise ValueError(f"{path}: {len(rows) - len(examples)} bad rows")
    return examples


def _gold(source: Path, target: Path, lang: str, given_words: bool) -> Gold:
    inputs, spans = [], []
    for number, (s, t) in enumerate(zip(_read(source, "en"), _read(target, lang), strict=False)):
        words = (s.tokens[TEXT], t.tokens[TEXT]) if given_words else ((), ())
        inputs.append(ProjectionInput(f"{lang}{number}", s.text, t.text, s.spans, "en", lang, *words))
        spans.append({(span.start, span.end, span.label) for span in t.spans})
    return Gold(inputs, spans, [])

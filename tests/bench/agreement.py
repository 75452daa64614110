"""How often constrained decoding and alignment agree on a phrase's place, on the bundled model's own translations.

    python tests/bench/agreement.py [--data ../shared/data] [--target es] [--sentences 500] [--show 50]

The sentences are from tatoeba-test, whose English sides the training data has been cleared of. One or two phrases of
each are marked, as slots and entities are: names, numbers, and what follows an article, a possessive or a preposition,
up to four words between function words. Prints the share of spans with the same (start, end), the share where one
lies in the other, and the disagreements, with what the default projector makes of them.
"""

import argparse
import gzip
from hashlib import blake2b
from pathlib import Path

from spanferry.corpora.schema import Span
from spanferry.corpora.text.words import words
from spanferry.projectors.base import ProjectionInput
from spanferry.projectors.constrained.projector import ConstrainedProjector
from spanferry.projectors.methods.alignment import AlignmentProjector
from spanferry.projectors.methods.default import DefaultProjector
from spanferry.translators.loading.load import load_translator

OPENERS = frozenset(
    "a an the this that these those my your his her its our their of in on at by for with from".split()  # noqa: SIM905
)
FUNCTION = OPENERS | frozenset(
    """to some any no all each every i you he she it we they me him us them who whom which what when where why how and
    or but if than as so not n't into about over under after before up down out off is are was were be been being am
    do does did done have has had will would can could may might must shall should let there here very too just only
    also
    because while until then more most much many own such ever never always don doesn didn isn aren wasn weren won
    wouldn couldn shouldn hasn haven hadn mustn ain t s m d ll ve re please""".split()  # noqa: SIM905
)
NAMES = {"es": "spa", "de": "deu"}


def phrases(text: str) -> list[tuple[int, int]]:
    """Code points of at most two phrases, ascending: the longest, then the first ones."""
    runs: list[list[tuple[int, int]]] = [[]]
    opened, keep = False, []
    for start, end in words(text):
        word = text[start:end].lower().strip("'’")
        if word in FUNCTION or not any(c.isalnum() for c in word):
            runs.append([])
            opened = word in OPENERS
        else:
            runs[-1].append((start, end))
            named = start > 0 and (text[start].isupper() or text[start].isdigit())
            if len(runs[-1]) == 1 and (opened or named):
                keep.append(runs[-1])
    usable = [run for run in keep if len(run) <= 4]
    longest = sorted(sorted(usable, key=lambda run: (-len(run), run[0]))[:2])
    return [(run[0][0], run[-1][1]) for run in longest]


def main() -> None:
    """Translates, projects in both ways, and compares."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, default=Path("../shared/data"))
    options.add_argument("--target", default="es", choices=sorted(NAMES))
    options.add_argument("--sentences", type=int, default=500)
    options.add_argument("--show", type=int, default=50)
    chosen = options.parse_args()
    name = NAMES[chosen.target]
    folder = chosen.data / "tatoeba-test" / "-".join(sorted(("eng", name)))
    with gzip.open(next(folder.glob("*.eng.gz")), "rt", encoding="utf-8") as file:
        distinct = dict.fromkeys(line.strip() for line in file)
    usable = [text for text in distinct if 4 <= len(words(text)) <= 25 and phrases(text)]
    texts = sorted(usable, key=lambda text: blake2b(text.encode()).digest())[: chosen.sentences]

    model = load_translator("bundled", source="en", target=chosen.target)
    assert model is not None
    inputs = [
        ProjectionInput(
            str(n),
            text,
            translation.text,
            tuple(Span(a, b, "X", f"s{k}") for k, (a, b) in enumerate(phrases(text))),
            "en",
            chosen.target,
        )
        for n, (text, translation) in enumerate(zip(texts, model.translate(texts, "en", chosen.target), strict=True))
        if not translation.reason
    ]
    decoded = ConstrainedProjector(model).project(inputs)
    aligned = AlignmentProjector().fit(inputs).project(inputs)
    default = DefaultProjector(model, "en", chosen.target).fit(inputs).project(inputs)
    total = same = nested = 0
    shown = []
    for item, *found in zip(inputs, decoded, aligned, default, strict=True):
        for span, *placed in zip(item.spans, *found, strict=True):
            total += 1
            a, b, c = ((p.span.start, p.span.end) if p.span else None for p in placed)
            same += a == b
            nested += bool(a and b and a != b and ((a[0] <= b[0] and b[1] <= a[1]) or (b[0] <= a[0] and a[1] <= b[1])))
            if a != b:
                quotes = [item.target_text[r[0] : r[1]] if r else "(none)" for r in (a, b, c)]
                shown.append((item.source_text, span.quote(item.source_text), item.target_text, *quotes))
    print(f"{len(inputs)} sentences, {total} spans: the same {same / total:.1%}, nested {nested / total:.1%}")
    for source, phrase, target, one, other, both in shown[: chosen.show]:
        print(f"\n{source}  [{phrase}]\n{target}\n    constrained: {one}    alignment: {other}    default: {both}")


if __name__ == "__main__":
    main()

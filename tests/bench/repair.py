"""What ``--repair`` makes of the bundled model's translations of Europarl's English side.

    python tests/bench/repair.py [--data DATA] [--target es --target de] [--first 0] [--rows 799]

A span is right where it is spelled at least .75 like what stands under the same label in the human translation
(token-sorted ratio); spans are carried over by ``default``. Prints one line of JSON for each language: shares of right
spans among all, chrF and processor seconds, without and with repair. The constants were chosen on the first 300 rows:
``--first 300`` leaves them out.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

import sacrebleu
from rapidfuzz import fuzz

import spanferry
from spanferry.corpora.schema import Example, Translation
from spanferry.projectors.bound.true_error import ALIKE
from spanferry.projectors.filters.span_fidelity import fidelity_tables
from spanferry.projectors.repair.enforce import Source, repaired

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def read(data: Path, lang: str) -> list[Example]:
    """The rows of Europarl in a language."""
    path = data / "europarl-ner" / f"{lang}-europarl.test.conll02"
    found = spanferry.read(path, lang=lang, format="conll", repair=True)
    return [row for row in found if isinstance(row, Example)]


def right(rows: Sequence[Example], made: Sequence[Translation], gold: Sequence[Example], target: str) -> int:
    """How many spans are right."""
    translated = [Example(row.id, target, {"text": one.text or "."}) for row, one in zip(rows, made, strict=True)]
    model = spanferry.load_translator("bundled", source="en", target=target)
    pairs = spanferry.project(
        rows, translated, source="en", target=target, translator=model, filters=[], progress=False
    )
    count = 0
    for pair, human in zip(pairs, gold, strict=True):
        for span in pair.target.spans if pair.target else ():
            same = [human.quote(s).lower() for s in human.spans if s.label == span.label]
            words = pair.target.quote(span).lower() if pair.target else ""
            count += max((fuzz.token_sort_ratio(words, one) for one in same), default=0) >= ALIKE
    return count


def main() -> None:
    """Runs the measurement and prints it."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, default=DATA)
    options.add_argument("--target", action="append")
    options.add_argument("--first", type=int, default=0)
    options.add_argument("--rows", type=int, default=799)
    chosen = options.parse_args()
    for target in chosen.target or ["es", "de"]:
        rows, gold = (read(chosen.data, lang)[chosen.first : chosen.rows] for lang in ("en", target))
        model, tables = spanferry.load_translator("bundled", source="en", target=target), fidelity_tables("en", target)
        assert tables is not None
        started = time.process_time()
        plain = model.translate([row.text for row in rows], "en", target)
        between = time.process_time()
        sources = [Source(row.text, row.spans) for row in rows]
        better = repaired(list(zip(sources, plain, strict=True)), model, tables, "en", target)
        ended = time.process_time()
        found = {"target": target, "rows": len(rows), "repaired": sum(bool(one.terms) for one in better)}
        spans = sum(len(row.spans) for row in rows)
        for name, made in (("plain", plain), ("repair", better)):
            found[f"right_{name}"] = round(right(rows, made, gold, target) / spans, 3)
            texts = [one.text for one in made], [[row.text for row in gold]]
            found[f"chrf_{name}"] = round(sacrebleu.corpus_chrf(*texts).score, 2)
        found |= {"seconds_translate": round(between - started, 1), "seconds_repair": round(ended - between, 1)}
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()

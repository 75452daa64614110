"""Which planted damage of human translations the filters see: AUC, and the share found at 5 % false alarms.

    python tests/bench/planted_damage.py --target es --target de [--data europarl|xsid] [--rows 400]

Rows whose spans have one counterpart each, by label and order, are damaged on the target side, one kind at a time:
a labelled entity replaced by another one of its label, a clause left out, a negation added or taken away, a number
changed, another sentence's translation in its place. Every score of every filter is tried; the best one is shown.
"""

import argparse
import json
import os
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from spanferry.corpora.filters import build, default_names, score
from spanferry.corpora.filters.base import Filter
from spanferry.corpora.readers import open_reader
from spanferry.corpora.schema import Example, Pair, Projection, Span

DATA = Path(os.environ.get("SPANFERRY_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
ADDED = ("span_fidelity", "aligned", "agreement", "similarity", "divergence", "terminal_punctuation")
NEGATIONS = {
    "es": ("no", "nunca", "ni", "sin", "tampoco", "nada", "ninguna", "ningún"),
    "de": ("nicht", "kein", "keine", "keinen", "keiner", "nie", "ohne", "weder"),
    "it": ("non", "mai", "senza"),
    "nl": ("niet", "geen", "nooit", "zonder"),
}
FALSE_ALARMS = 0.05
Damage = Callable[[Pair, Sequence[Pair], random.Random], str | tuple[str, tuple[Span, ...]] | None]


def pairs_of(data: str, target: str) -> Iterator[Pair]:
    if data == "europarl":
        paths = [DATA / "europarl-ner" / f"{lang}-europarl.test.conll02" for lang in ("en", target)]
    else:
        paths = [DATA / "xsid" / f"{lang}.test.conll" for lang in ("en", target)]
    readers = [open_reader(p, lang=lang, format="conll").read() for p, lang in zip(paths, ("en", target), strict=True)]
    for source, human in zip(*readers, strict=True):
        if not isinstance(source, Example) or not isinstance(human, Example):
            continue
        source = source.with_span_ids()
        if Counter(s.label for s in source.spans) != Counter(s.label for s in human.spans):
            continue
        by_label: dict[str, list[str]] = defaultdict(list)
        for span in source.spans:
            by_label[span.label].append(span.id)
        spans = tuple(replace(span, id=by_label[span.label].pop(0)) for span in human.spans)
        yield paired(source, replace(human, spans=spans))


def paired(source: Example, target: Example) -> Pair:
    placed = {span.id: span for span in target.spans}
    return Pair(source, target, tuple(Projection(s.id, placed[s.id], 1.0, "gold") for s in source.spans))


def edited(target: Example, start: int, end: int, new: str) -> tuple[str, tuple[Span, ...]]:
    """The text with another piece in place of [start, end); spans move along."""
    moved = []
    for span in target.spans:
        shift = len(new) - (end - start)
        if span.start >= end:
            moved.append(replace(span, start=span.start + shift, end=span.end + shift))
        elif span.end <= start:
            moved.append(span)
        elif (span.start, span.end) == (start, end):
            moved.append(replace(span, end=start + len(new)))
        else:
            raise ValueError("a span would be cut")
    return target.text[:start] + new + target.text[end:], tuple(moved)


def entity(pair: Pair, others: Sequence[Pair], rng: random.Random) -> Any:
    assert pair.target is not None
    spans = [s for s in pair.target.spans if not s.fragments]
    if not spans:
        return None
    span = rng.choice(spans)
    own = pair.target.quote(span)
    same = [o.target.quote(s) for o in others if o.target for s in o.target.spans if s.label == span.label]
    left = sorted(
        {one for one in same if one.lower() != own.lower() and not set(one.lower().split()) & set(own.lower().split())}
    )
    return edited(pair.target, span.start, span.end, rng.choice(left)) if left else None


def clause(pair: Pair, others: Sequence[Pair], rng: random.Random) -> Any:
    """A stretch of a fifth to a half of the words, four at least, from one comma to the next or to the end."""
    assert pair.target is not None
    text, words = pair.target.text, len(pair.target.text.split())
    cuts = [i for i, c in enumerate(text) if c in ",;:"] + [len(text.rstrip(" .?!"))]
    found = []
    for i, start in enumerate(cuts):
        for end in cuts[i + 1 :]:
            size = len(text[start:end].split())
            free = not any(s.start < end and start < s.end for s in pair.target.spans)
            if size >= 4 and 0.2 * words <= size <= 0.5 * words and free:
                found.append((start, end))
    return edited(pair.target, *rng.choice(found), "") if found else None


def negation(pair: Pair, others: Sequence[Pair], rng: random.Random) -> Any:
    """Takes a negation out; the rows that have none stay out of it."""
    assert pair.target is not None
    known, at = NEGATIONS.get(pair.target.lang, ()), 0
    for word in pair.target.text.split(" "):
        end = at + len(word) + 1
        if word.lower() in known and not any(s.start < end and at < s.end for s in pair.target.spans):
            return edited(pair.target, at, end, "")
        at = end
    return None


def number(pair: Pair, others: Sequence[Pair], rng: random.Random) -> Any:
    assert pair.target is not None
    digits = [i for i, c in enumerate(pair.target.text) if c.isdigit()]
    if not digits:
        return None
    at = rng.choice(digits)
    other = rng.choice([d for d in "123456789" if d != pair.target.text[at]])
    return pair.target.text[:at] + other + pair.target.text[at + 1 :], pair.target.spans


def sentence(pair: Pair, others: Sequence[Pair], rng: random.Random) -> Any:
    """The translation of the row of most like length among thirty."""
    assert pair.target is not None
    some = [
        o.target for o in rng.sample(list(others), min(30, len(others))) if o.source.id != pair.source.id and o.target
    ]
    best = min(some, key=lambda other: abs(len(other.text) - len(pair.target.text if pair.target else "")))
    return best.text, ()


KINDS: dict[str, Damage] = {
    "entity swapped": entity,
    "clause left out": clause,
    "negation taken out": negation,
    "number changed": number,
    "another sentence": sentence,
}


def damaged(pairs: Sequence[Pair], kind: Damage, seed: int) -> Iterator[tuple[int, Pair]]:
    for k, pair in enumerate(pairs):
        assert pair.target is not None
        try:
            made = kind(pair, pairs, random.Random(f"{seed}{pair.source.id}"))
        except ValueError:
            continue
        if made is None:
            continue
        text, spans = made
        target = replace(pair.target, texts={"text": text}, spans=spans, tokens={})
        placed = {span.id: span for span in spans}
        yield (
            k,
            replace(
                pair,
                target=target,
                projections=tuple(replace(p, span=placed.get(p.source_span_id)) for p in pair.projections),
            ),
        )


def measures(filters: Sequence[Filter], good: pl.DataFrame, bad: pl.DataFrame) -> Iterator[tuple[str, float, float]]:
    """Column, AUC and share found at 5 % false alarms; rows without a value look good."""
    for one in filters:
        for column in one.columns:
            if column.good in (None, "middle") or not good.schema[column.name].is_numeric():
                continue
            sign = 1.0 if column.good == "high" else -1.0
            fill = float("inf")
            a, b = ((sign * f[column.name].cast(pl.Float64)).fill_null(fill).to_numpy() for f in (good, bad))
            auc = float((a[:, None] > b).mean() + 0.5 * (a[:, None] == b).mean())
            # The strictest threshold that rejects no more than 5 % of the good rows.
            cuts = np.append(
                np.unique(a[np.isfinite(a)]), np.nextafter(a.max(), np.inf) if np.isfinite(a.max()) else []
            )
            allowed = [t for t in cuts if (a < t).mean() <= FALSE_ALARMS]
            found = max(((b < t).mean() for t in allowed), default=0.0)
            yield column.name, auc, float(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", action="append", required=True)
    parser.add_argument("--data", choices=("europarl", "xsid"), default="europarl")
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--filters", default=",".join(ADDED), help="besides the default ones")
    parser.add_argument("--all", action="store_true", help="every score, not only the best")
    args = parser.parse_args()
    # Not the filters over all rows, nor the projection's confidence, which gold does not have.
    names = [n for n in default_names() if n not in ("duplicates", "conflicts", "glossary", "confidence", "relations")]
    filters = build([{"kind": n} for n in dict.fromkeys([*names, *args.filters.split(",")])])
    for target in args.target:
        pairs = list(pairs_of(args.data, target))[: args.rows]
        good = score(filters, pairs)
        for kind, damage in KINDS.items():
            made = list(damaged(pairs, damage, 0))
            if len(made) < 20:
                continue
            bad = score(filters, [pair for _, pair in made])
            own = good[[k for k, _ in made]]
            found = sorted(measures(filters, own, bad), key=lambda m: (-m[1], -m[2]))
            for column, auc, share in found if args.all else found[:2]:
                reported = {"target": target, "damage": kind, "rows": len(made), "score": column}
                print(json.dumps({**reported, "auc": round(auc, 3), "found": round(share, 3)}), flush=True)


if __name__ == "__main__":
    main()

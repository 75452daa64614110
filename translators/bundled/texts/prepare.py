"""Training pairs for the bundled model: read, filter, decontaminate, mix.

``python -m spanferry.translators.bundled.texts.prepare --data ../shared/data --out DIR`` writes ``train.tsv`` (language, English,
other), ``heldout.<language>.tsv`` and ``mix.json``. The same data and seed give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
from collections import Counter
from pathlib import Path

from spanferry.translators.bundled.texts.clean import keep_pair, normalised
from spanferry.translators.bundled.texts.read import read_source, test_sides
from spanferry.translators.bundled.texts.synthetic import rename, synthetic_pairs

Pair = tuple[str, str]

# Pairs per language and how often they are repeated. Short everyday sentences lead; nothing else may swamp them.
# Sets under CC BY-SA are left out, so that the weights need only attribution.
CAPS: dict[str, tuple[int, int]] = {
    "tatoeba": (200_000, 1),
    "ebible": (6_000, 1),
    "python-docs": (6_000, 1),
    "african-storybook": (2_000, 2),
    "bitcoin-org": (1_500, 1),
    "canada-laws": (0, 1),
    "cldr-names-pairs": (3_500, 2),
    "cncf-glossary": (1_000, 1),
    "democracy-earth": (1_000, 1),
    "dotnet-messages": (2_500, 1),
    "electron-docs": (2_000, 1),
    "fastapi-docs": (2_500, 1),
    "hf-course": (1_500, 1),
    "httpd-docs": (1_500, 1),
    "names-wikidata-translit": (10_000, 1),
    "open-contracting": (3_000, 1),
    "opensource-guide": (2_000, 2),
    "openstax-science": (15_000, 1),
    "osm-feature-names": (3_500, 2),
    "php-docs": (6_000, 1),
    "react-docs": (500, 1),
    "sdg-translations": (1_000, 1),
    "yii2-docs": (1_500, 1),
}
# Chinese has no everyday sentences here, so it takes more of what there is; Dutch has few.
CAPS_OF: dict[str, dict[str, tuple[int, int]]] = {
    "zh": {"ebible": (24_000, 1), "python-docs": (16_000, 1), "php-docs": (10_000, 1), "fastapi-docs": (5_000, 1)},
    "fr": {"canada-laws": (12_000, 1)},
    "nl": {"tatoeba": (200_000, 2)},
}
LANGUAGES = ("es", "de", "fr", "nl", "zh")
SYNTHETIC = 12_000
HELD_OUT = 2_000
NAME_LISTS = ("cldr-names-pairs", "names-wikidata-translit", "osm-feature-names")


def key(seed: int, text: str) -> str:
    """A number-like string that orders texts at random but the same way on every machine."""
    return hashlib.sha256(f"{seed}\0{text}".encode()).hexdigest()


def hold_out(pairs: dict[str, list[Pair]], count: int, seed: int) -> dict[str, list[Pair]]:
    """Choose ``count`` Tatoeba pairs per language, one for each English side, by the order of :func:`key`."""
    chosen: dict[str, list[Pair]] = {}
    for language, rows in sorted(pairs.items()):
        by_english: dict[str, Pair] = {}
        for source, target in rows:
            by_english.setdefault(normalised(source), (source, target))
        order = sorted(by_english, key=lambda text: key(seed, text))
        chosen[language] = [by_english[text] for text in order[:count]]
    return chosen


def noise(source: str, target: str, rng: random.Random) -> Pair:
    """Change the case or drop the end punctuation of a pair now and then, so that the model sees both."""
    kind = rng.random()
    if kind < 0.05:
        source, target = source.rstrip(".!"), target.rstrip(".!").lstrip("¡")
    elif kind < 0.08:
        source, target = source.lower().rstrip(".!?"), target.rstrip(".!?").lstrip("¡¿")
    elif kind < 0.11:
        source, target = source.lower(), target.lower()
    elif kind < 0.12:
        source, target = source.upper(), target.upper()
    elif kind < 0.13:
        source, target = source.title(), target.title()
    return source, target


def gather(
    data: Path, languages: list[str], forbidden: frozenset[str]
) -> tuple[dict[str, dict[str, list[Pair]]], dict[str, Counter[str]]]:
    """Read, filter and decontaminate every set.

    Returns:
        Pairs by set and language, and for every set the number of pairs by reason of removal ("kept" too).
    """
    kept: dict[str, dict[str, list[Pair]]] = {}
    counts: dict[str, Counter[str]] = {}
    for name in CAPS:
        counts[name] = Counter()
        for language in languages:
            rows: list[Pair] = []
            seen: set[Pair] = set()
            per_english: Counter[str] = Counter()
            for source, target in read_source(data, name, language):
                reason = keep_pair(source, target, language, is_name=name in NAME_LISTS)
                norm = normalised(source)
                if not reason and (norm in forbidden or normalised(target) in forbidden):
                    reason = "in a test set"
                if not reason and ((source, target) in seen or per_english[norm] >= 4):
                    reason = "duplicate"
                counts[name][reason or "kept"] += 1
                if not reason:
                    seen.add((source, target))
                    per_english[norm] += 1
                    rows.append((source, target))
            if rows:
                kept.setdefault(name, {})[language] = rows
    return kept, counts


def mix(
    kept: dict[str, dict[str, list[Pair]]], language: str, hidden: frozenset[str], seed: int, synthetic: int
) -> tuple[list[Pair], dict[str, int]]:
    """The training pairs of one language, and how many came from each set.

    No pair has a side in ``hidden`` (test sets and held-out sentences), made-up and renamed pairs included.
    """
    rng = random.Random(f"mix-{language}-{seed}")
    chosen: list[Pair] = []
    sizes: dict[str, int] = {}
    for name, (cap, repeats) in {**CAPS, **CAPS_OF.get(language, {})}.items():
        rows = [row for row in kept.get(name, {}).get(language, []) if normalised(row[0]) not in hidden]
        rows = sorted(rows, key=lambda row: key(seed, "\t".join(row)))[:cap]
        if name == "tatoeba":
            rows = [rename(*row, rng) if rng.random() < 0.4 else row for row in rows]
            # Two sentences in a row, so that the model does not stop at the first full stop.
            joined = rng.sample(range(len(rows)), 2 * (len(rows) // 30)) if len(rows) > 1 else []
            rows += [
                (f"{rows[a][0]} {rows[b][0]}", f"{rows[a][1]} {rows[b][1]}")
                for a, b in zip(joined[::2], joined[1::2], strict=True)
            ]
        sizes[name] = len(rows) * repeats
        chosen.extend(rows * repeats)
    made = synthetic_pairs(synthetic, language, seed)
    sizes["synthetic"] = len(made)
    chosen = [noise(*row, rng) for row in chosen + made]
    chosen = [row for row in chosen if not {normalised(side) for side in row} & hidden]
    rng.shuffle(chosen)
    return chosen, sizes


def prepare(
    data: Path,
    out: Path,
    languages: list[str],
    *,
    held_out: int = HELD_OUT,
    synthetic: int = SYNTHETIC,
    seed: int = 1,
) -> dict[str, object]:
    """Write the training and held-out pairs below ``out`` and return the facts of ``mix.json``."""
    out.mkdir(parents=True, exist_ok=True)
    forbidden = frozenset(test_sides(data, languages))
    kept, counts = gather(data, languages, forbidden)
    heldout = hold_out(kept.get("tatoeba", {}), held_out, seed)
    hidden = forbidden.union(normalised(source) for rows in heldout.values() for source, _ in rows)
    facts: dict[str, object] = {"seed": seed, "test_sides": len(forbidden)}
    facts["removed"] = {name: dict(sorted(c.items())) for name, c in counts.items()}
    rows: list[tuple[str, str, str]] = []
    sizes: dict[str, dict[str, int]] = {}
    for language in languages:
        pairs, sizes[language] = mix(kept, language, hidden, seed, synthetic)
        rows += [(language, *pair) for pair in pairs]
        lines = ["\t".join(pair) for pair in heldout.get(language, [])]
        (out / f"heldout.{language}.tsv").write_text("".join(f"{x}\n" for x in lines), encoding="utf-8")
    random.Random(f"order-{seed}").shuffle(rows)
    (out / "train.tsv").write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    facts["mix"] = sizes
    facts["pairs"] = len(rows)
    (out / "mix.json").write_text(json.dumps(facts, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return facts


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--languages", nargs="+", default=list(LANGUAGES))
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    facts = prepare(args.data, args.out, args.languages, seed=args.seed)
    print(json.dumps(facts, indent=2))


if __name__ == "__main__":
    main()

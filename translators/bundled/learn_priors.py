"""Learn the word translation priors from the decontaminated training text.

``python -m spanferry.translators.bundled.learn_priors --data ../shared/data --out DIR --language nl`` aligns every public pair of
English and the language with eflomal and writes ``DIR/en-nl.npz``.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from spanferry.corpora.text.words import words
from spanferry.translators.bundled.priors import save_prior, table_from_counts
from spanferry.translators.bundled.texts.clean import keep_pair, normalised
from spanferry.translators.bundled.texts.prepare import NAME_LISTS, SYNTHETIC
from spanferry.translators.bundled.texts.read import read_source, test_sides
from spanferry.translators.bundled.texts.synthetic import WRITTEN, synthetic_pairs
from spanferry.translators.bundled.wordalign import Link, align_texts, tokens

Pair = tuple[str, str]
_OTHER_SCRIPTS = frozenset({"ar", "ja", "ru", "zh"})


def text_pairs(data: Path, language: str) -> list[Pair]:
    """Every fit pair of English and ``language`` that is in no test set, each once, in the order of the sets.

    Sets under CC BY-SA (``sa-``) are left out; the made-up pairs of the training text are in.
    """
    forbidden = frozenset(test_sides(data, [language]))
    more = sorted(p.name for p in (data / "more").glob("*") if not p.name.startswith(("sa-", "names-wikidata")))
    found: dict[Pair, None] = {}
    for name in ("tatoeba", "ebible", "python-docs", *more):
        for source, target in read_source(data, name, language):
            if normalised(source) in forbidden or normalised(target) in forbidden:
                continue
            # Script and length checks are made for languages with spaces and Latin letters.
            loose = name in NAME_LISTS or language in _OTHER_SCRIPTS
            if not keep_pair(source, target, language, is_name=loose) and words(source) and words(target):
                found[(source, target)] = None
    if language in WRITTEN:
        found.update(dict.fromkeys(synthetic_pairs(SYNTHETIC, language, 1)))
    return list(found)


def count_links(pairs: Iterable[Pair], links: Iterable[tuple[set[Link], set[Link]]]) -> Counter[Pair]:
    """Expected links of word pairs: the mean of what the two directions say."""
    counts: Counter[Pair] = Counter()
    for (source, target), (forward, backward) in zip(pairs, links, strict=True):
        left, right = tokens(source), tokens(target)
        for direction in (forward, backward):
            for s, t in direction:
                counts[(left[s], right[t])] += 1
    return Counter({pair: n / 2 for pair, n in counts.items()})


def prune(counts: Counter[Pair], least: float, share: float) -> dict[Pair, float]:
    """Pairs counted at least ``least`` times that take at least ``share`` of either word's links.

    A word that was copied fewer than three times is left out: aligners know it by its spelling.
    """
    by_source: defaultdict[str, float] = defaultdict(float)
    by_target: defaultdict[str, float] = defaultdict(float)
    for (s, t), n in counts.items():
        by_source[s] += n
        by_target[t] += n
    return {
        (s, t): n
        for (s, t), n in counts.items()
        if n >= (3.0 if s == t else least) and (n >= share * by_source[s] or n >= share * by_target[t])
    }


def learn(data: Path, out: Path, language: str, least: float = 1.0, share: float = 0.01) -> int:
    """Write ``out/en-<language>.npz`` and return the number of word pairs in it."""
    pairs = text_pairs(data, language)
    links = align_texts([source for source, _ in pairs], [target for _, target in pairs])
    kept = prune(count_links(pairs, links), least, share)
    save_prior(table_from_counts(kept), out / f"en-{language}.npz")
    return len(kept)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--language", required=True)
    parser.add_argument("--least", type=float, default=1.0)
    parser.add_argument("--share", type=float, default=0.01)
    args = parser.parse_args()
    print(f"{learn(args.data, args.out, args.language, args.least, args.share)} word pairs")


if __name__ == "__main__":
    main()

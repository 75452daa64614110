"""Marker augmentation of a training text: a share of its pairs gets ``[ ]`` around aligned phrases on both sides.

``python -m spanferry.projectors.markers.training_text --out DIR`` is a step of the bundled models' recipe
(``translators/bundled/README.md``). It reads ``DIR/train.tsv`` and writes ``DIR/marked.tsv``: target language, source,
target, and the word links of the marked texts as ``i-j`` (words of ``words``). Pairs of the languages
that are also translated into English follow once more the other way round. ``DIR/heldout.XX.marked.tsv`` is for the
evaluation.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from spanferry.corpora.text.words import words
from spanferry.projectors.aligners.lexical.aligner import LexicalAligner
from spanferry.projectors.base import Aligner, FittableAligner, ProjectionInput
from spanferry.translators.bundled.evaluate import test_set
from spanferry.translators.bundled.markers import Link, format_links, mark

SHARE = 0.34
INTO_ENGLISH = ("es", "de")
REVERSED = 0.7
FITTED = 60_000
_CHUNK = 2_000
_TRIES = 20
_STAND_IN = 2_000


def fit(pairs: Sequence[tuple[str, str]], language: str) -> FittableAligner:
    """The aligner of English and ``language``, learned from at most ``FITTED`` of the pairs."""
    return LexicalAligner(max_pairs=FITTED, max_cells=20_000_000).fit(_inputs(pairs, language))


def align(fitted: Aligner, pairs: Sequence[tuple[str, str]], language: str) -> Iterator[set[Link]]:
    """Word links of English and ``language``, pair by pair."""
    inputs = _inputs(pairs, language)
    for start in range(0, len(inputs), _CHUNK):
        for alignment in fitted.align(inputs[start : start + _CHUNK]):
            yield set(alignment.links)


def _inputs(pairs: Sequence[tuple[str, str]], language: str) -> list[ProjectionInput]:
    return [ProjectionInput("", source, target, (), "en", language) for source, target in pairs]


def mark_heldout(folder: Path, language: str, fitted: Aligner, *, data: Path | None = None, seed: int = 1) -> int:
    """Write ``heldout.<language>.marked.tsv``: held-out pairs with one aligned phrase in brackets on both sides.

    Columns: English, the other language, and both once more with brackets. Pairs without such a phrase are left out.

    Args:
        folder: Where ``heldout.<language>.tsv`` lies.
        language: The other language.
        fitted: Its aligner.
        data: Folder of the test sets; sentences of ``tatoeba-test`` stand in for a language without held-out pairs.
        seed: Of the phrases.

    Returns:
        Pairs written.
    """
    lines = (folder / f"heldout.{language}.tsv").read_text(encoding="utf-8").splitlines()
    pairs = [(source, target) for source, target in (line.split("\t")[:2] for line in lines)]
    rng = random.Random(f"heldout-{seed}")
    if not pairs and data is not None:
        known = test_set(data, "tatoeba-test", language)
        pairs = rng.sample(known, min(_STAND_IN, len(known)))
    written = []
    for (source, target), links in zip(pairs, align(fitted, pairs, language), strict=True):
        tries = (mark(source, target, links, rng) for _ in range(_TRIES))
        found = next((marked for marked in tries if marked[0].count("[") == 1), None)
        if found:
            written.append(f"{source}\t{target}\t{found[0]}\t{found[1]}\n")
    (folder / f"heldout.{language}.marked.tsv").write_text("".join(written), encoding="utf-8")
    return len(written)


def augment(
    folder: Path,
    *,
    share: float = SHARE,
    into_english: Collection[str] = INTO_ENGLISH,
    reversed_share: float = REVERSED,
    data: Path | None = None,
    seed: int = 1,
) -> tuple[int, int]:
    """Align ``train.tsv`` by language, mark a share of its pairs and write ``marked.tsv`` in random order.

    The held-out pairs are marked as well (:func:`mark_heldout`).

    Args:
        folder: Where ``train.tsv`` and the held-out pairs lie.
        share: Share of the pairs in which phrases are marked, in either direction.
        into_english: Languages whose pairs are also written from the language into English.
        reversed_share: Share of their pairs that is.
        data: Folder of the test sets; see :func:`mark_heldout`.
        seed: Of all that is drawn.

    Returns:
        Pairs written and pairs marked.
    """
    rows = [line.split("\t") for line in (folder / "train.tsv").read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if words(row[1]) and words(row[2])]
    rng = random.Random(f"markers-{seed}")
    written: list[str] = []
    count = 0

    def write(language: str, source: str, target: str, links: set[Link]) -> int:
        before = source
        if rng.random() < share:
            source, target, links = mark(source, target, links, rng)
        written.append(f"{language}\t{source}\t{target}\t{format_links(links)}\n")
        return source != before

    for language in sorted({row[0] for row in rows}):
        own = [(source, target) for other, source, target in rows if other == language]
        fitted = fit(own, language)
        mark_heldout(folder, language, fitted, data=data, seed=seed)
        for (source, target), links in zip(own, align(fitted, own, language), strict=True):
            count += write(language, source, target, links)
            if language in into_english and rng.random() < reversed_share:
                count += write("en", target, source, {(t, s) for s, t in links})
    rng.shuffle(written)
    (folder / "marked.tsv").write_text("".join(written), encoding="utf-8")
    return len(written), count


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True, help="folder with train.tsv")
    parser.add_argument("--share", type=float, default=SHARE)
    parser.add_argument("--into-english", nargs="*", default=list(INTO_ENGLISH), help="languages also translated from")
    parser.add_argument("--data", type=Path, help="test sets, for languages without held-out pairs")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    chosen = {"share": args.share, "into_english": args.into_english, "data": args.data, "seed": args.seed}
    total, marked = augment(args.out, **chosen)
    print(f"{marked} of {total} pairs marked")


if __name__ == "__main__":
    main()

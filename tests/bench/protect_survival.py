"""What comes through a translation of technical text, with and without protection, and what it costs.

    python tests/bench/protect_survival.py [--data ../shared/data] [--rows 200] [--target es]

Rows of python-docs with at least one item (role, literal, URL, placeholder …), under 250 characters, drawn with a seed.
An item survives if the translation, scanned in the same way, holds it as often as the source. chrF and BLEU are of
sacrebleu against the human translation; the bundled models were trained on python-docs, so they tell of the difference
and of nothing else. ``split`` translates what lies between the items and no stand-ins, for comparison.
"""

import argparse
import gzip
import random
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import sacrebleu

from spanferry.corpora.schema import Translation
from spanferry.translators.loading.load import load_translator
from spanferry.translators.wrappers import protect
from spanferry.translators.wrappers.protect import ProtectedTranslator
from spanferry.translators.wrappers.protect_items import protected_items


def items(text: str) -> Counter[str]:
    """Item texts and how often each is there."""
    return Counter(item.text for item in protected_items(text))


def report(name: str, sources: Sequence[str], found: Sequence[Translation], gold: Sequence[str], cost: float) -> None:
    """One line of numbers."""
    wanted, there = [items(text) for text in sources], [items(one.text) for one in found]
    kept = sum((a & b).total() for a, b in zip(wanted, there, strict=True)) / sum(a.total() for a in wanted)
    rows = sum(a <= b for a, b in zip(wanted, there, strict=True)) / len(sources)
    texts = [one.text for one in found]
    chrf, bleu = sacrebleu.corpus_chrf(texts, [list(gold)]).score, sacrebleu.corpus_bleu(texts, [list(gold)]).score
    failed = dict(Counter(one.reason for one in found if one.reason))
    print(
        f"{name:>8}: {kept:.1%} of the items, {rows:.1%} of the rows whole, rejected {failed}, "
        f"chrF {chrf:.1f}, BLEU {bleu:.1f}, {cost:.1f} s of processor time",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--target", default="es")
    parser.add_argument("--translator", default="bundled")
    parser.add_argument("--rows", type=int, default=200)
    args = parser.parse_args()
    with gzip.open(args.data / "python-docs" / f"en-{args.target}.tsv.gz", "rt", encoding="utf-8") as lines:
        pairs = [line.rstrip("\n").split("\t")[1:3] for line in lines]
    pairs = [pair for pair in pairs if len(pair[0]) < 250]
    random.Random(7).shuffle(pairs)
    pairs = [pair for pair in pairs[: 20 * args.rows] if protected_items(pair[0])][: args.rows]
    sources, gold = [source for source, _ in pairs], [target for _, target in pairs]
    model = load_translator(args.translator, source="en", target=args.target)
    print(
        f"{len(sources)} rows, {sum(items(text).total() for text in sources)} items, {model.signature if model else ''}"
    )
    schemes = protect.SCHEMES
    for name, translator, used in (
        ("plain", model, schemes),
        ("protect", ProtectedTranslator(model), schemes),
        ("split", ProtectedTranslator(model), ()),
    ):
        protect.SCHEMES = used
        started = time.process_time()
        found = translator.translate(sources, "en", args.target) if translator else []
        report(name, sources, found, gold, time.process_time() - started)


if __name__ == "__main__":
    main()

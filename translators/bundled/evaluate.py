"""Measure a converted model: BLEU and chrF on test sets it never saw, and whether it carries brackets.

``python -m spanferry.translators.bundled.evaluate --model DIR --data ../shared/data --work DIR`` prints one JSON
object. Test sentences whose English side is in the training text are left out (there should be none) and counted.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spanferry.translators.bundled.convert import DESCRIPTION, describe
from spanferry.translators.bundled.texts.clean import normalised
from spanferry.translators.bundled.texts.read import ISO3, read_lines
from spanferry.translators.bundled.vocabulary import END, language_token

_NEWS = {"zho": "zho-CN"}


class Model:
    """A converted model with its vocabulary: text in, text out."""

    def __init__(self, folder: Path, threads: int = 2) -> None:
        import ctranslate2
        import sentencepiece

        # Asking for int8 with float32 outside the products is what a CPU does anyway, without a warning.
        self.translator = ctranslate2.Translator(str(folder), compute_type="int8", intra_threads=threads)
        self.pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "source.spm"))

    def translate(self, texts: Sequence[str], language: str, beam: int = 4) -> list[str]:
        """Translate texts; deterministic."""
        token = language_token(language)
        rows = [[token, *self.pieces.encode(text, out_type=str)[:500], END] for text in texts]
        found = self.translator.translate_batch(
            rows, beam_size=beam, max_batch_size=2048, batch_type="tokens", max_decoding_length=256
        )
        return [self.pieces.decode(row.hypotheses[0]) for row in found]


TEST_SETS = ("tatoeba-test", "ntrex128", "tico19")


def test_set(data: Path, name: str, language: str) -> list[tuple[str, str]]:
    """Pairs of one of ``TEST_SETS``, English first; none where the set has not the language."""
    code = ISO3[language]
    if name == "tico19":
        code = {"es": "es-LA"}.get(language, language)
        path = data / name / f"en-{code}.tsv.gz"
        rows = [line.split("\t") for line in read_lines(path)] if path.exists() else []
        return [(row[1], row[2]) for row in rows if len(row) > 2 and row[1] and row[2]]
    if name == "ntrex128":
        sides = [data / name / f"newstest2019-{kind}.txt.gz" for kind in ("src.eng", f"ref.{_NEWS.get(code, code)}")]
    else:
        folder = next(p for p in sorted((data / name).glob(f"*{code}*")) if "eng" in p.name)
        sides = [next(folder.glob(f"*.{end}.gz")) for end in ("eng", code)]
    return list(zip(*map(read_lines, sides), strict=True))


def scores(found: Sequence[str], wanted: Sequence[str], language: str) -> dict[str, Any]:
    """BLEU (over characters for Chinese) and chrF with their signatures."""
    from sacrebleu.metrics import BLEU, CHRF

    out: dict[str, Any] = {}
    for name, metric in (("bleu", BLEU(tokenize="zh" if language == "zh" else None)), ("chrf", CHRF())):
        out[name] = round(metric.corpus_score(list(found), [list(wanted)]).score, 1)
        out[f"{name}_signature"] = str(metric.get_signature())
    return out


def balanced(text: str) -> bool:
    """Whether exactly one ``[`` is followed by exactly one ``]`` with something between."""
    start, end = text.find("["), text.find("]")
    return text.count("[") == 1 and text.count("]") == 1 and bool(text[start + 1 : max(end, 0)].strip())


def without_markers(text: str) -> str:
    """The text with its brackets taken out."""
    return " ".join(text.replace("[", " ").replace("]", " ").split()).replace(" ,", ",").replace(" .", ".")


def evaluate(
    model: Model, data: Path, work: Path, directions: Sequence[tuple[str, str]], sample: int
) -> dict[str, Any]:
    """All numbers of the model card, by ``<set>.<source>-<target>``.

    Args:
        model: The model.
        data: Folder of the test sets.
        work: Folder with ``train.tsv`` and ``heldout.<language>.marked.tsv``.
        directions: Pairs (source, target), one of them English.
        sample: Test sentences per set, at most, chosen by a fixed seed.
    """
    seen = {normalised(line.split("\t")[1]) for line in read_lines(work / "train.tsv")}
    out: dict[str, Any] = {}
    for source, target in directions:
        other = source if target == "en" else target
        for name in TEST_SETS:
            pairs = test_set(data, name, other)
            clean = [pair for pair in pairs if normalised(pair[0]) not in seen]
            chosen = random.Random(1).sample(clean, min(sample, len(clean)))
            if not chosen:
                continue
            sides = [pair if source == "en" else pair[::-1] for pair in chosen]
            start = time.perf_counter()
            found = model.translate([text for text, _ in sides], target)
            seconds = time.perf_counter() - start
            out[f"{name}.{source}-{target}"] = {
                "sentences": len(chosen), "of": len(pairs), "in_training": len(pairs) - len(clean),
                "sentences_per_second": round(len(chosen) / seconds, 1),
                **scores(found, [text for _, text in sides], target),
            }  # fmt: skip
        out[f"markers.{source}-{target}"] = markers_kept(model, work, source, target, seen, sample)
    return out


def markers_kept(model: Model, work: Path, source: str, target: str, seen: set[str], sample: int) -> dict[str, Any]:
    """How often brackets come out balanced, and what they cost, on sentences that were held out of the training.

    The bracketed phrases are those of ``heldout.<language>.marked.tsv``, which the reference has in one piece, too.
    """
    other = source if target == "en" else target
    rows = [line.split("\t") for line in read_lines(work / f"heldout.{other}.marked.tsv")]
    rows = [row for row in rows if normalised(row[0]) not in seen][:sample]
    own, wanted_side, marked_side = (0, 1, 2) if source == "en" else (1, 0, 3)
    plain = model.translate([row[own] for row in rows], target)
    bracketed = model.translate([row[marked_side] for row in rows], target)
    wanted = [row[wanted_side] for row in rows]
    return {
        "sentences": len(rows),
        "balanced": round(sum(map(balanced, bracketed)) / max(len(rows), 1), 4),
        "without": scores(plain, wanted, target),
        "with": scores(list(map(without_markers, bracketed)), wanted, target),
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", type=Path, required=True, help="CTranslate2 directory")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="folder written by prepare")
    parser.add_argument("--directions", nargs="*", default=[], help="SOURCE-TARGET …; all of the model's")
    parser.add_argument("--sample", type=int, default=2_000)
    parser.add_argument("--record", action="store_true", help="write the numbers into the model's spanferry.json")
    args = parser.parse_args()
    facts = json.loads((args.model / DESCRIPTION).read_text(encoding="utf-8"))
    chosen = [tuple(item.split("-")) for item in args.directions] or facts["directions"]
    found = evaluate(Model(args.model), args.data, args.work, chosen, args.sample)
    print(json.dumps(found, indent=2))
    if args.record:
        # Seconds differ from run to run; what is recorded must not.
        kept = {name: {k: v for k, v in row.items() if k != "sentences_per_second"} for name, row in found.items()}
        describe(args.model, {**facts, "scores": kept})


if __name__ == "__main__":
    main()

"""What Firefox's models reach on ntrex128 (news, 1,997 sentences), and their pace.

``python tests/bench/firefox_quality.py --models DIR`` prints one line of JSON for each direction that DIR and ntrex128 have.
"""

import argparse
import gzip
import json
import os
import time
from pathlib import Path

import sacrebleu

from spanferry.translators.firefox.files import legs_in
from spanferry.translators.firefox.translator import FirefoxTranslator

ROOT = Path(__file__).resolve().parents[2]
CODES = {"ar": "arb", "de": "deu", "fr": "fra", "hi": "hin", "it": "ita", "ja": "jpn", "nl": "nld", "pt": "por"}
CODES |= {"ru": "rus", "es": "spa", "sw": "swa", "tr": "tur", "zh": "zho-CN", "en": "eng"}


def _lines(folder: Path, code: str) -> list[str]:
    side = "src" if code == "eng" else "ref"
    with gzip.open(folder / f"newstest2019-{side}.{code}.txt.gz", "rt", encoding="utf-8") as file:
        return file.read().splitlines()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, required=True, help="a folder of Firefox's models")
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("SPANFERRY_DATA", ROOT.parent / "shared/data"))
    )
    arguments = parser.parse_args()
    for leg in legs_in(arguments.models):
        if leg.source not in CODES or leg.target not in CODES:
            continue
        folder = arguments.data / "ntrex128"
        sources, references = (_lines(folder, CODES[code]) for code in (leg.source, leg.target))
        translator = FirefoxTranslator(leg.source, leg.target, arguments.models)
        translator.translate(sources[:2], leg.source, leg.target)
        started = time.perf_counter()
        found = translator.translate(sources, leg.source, leg.target)
        seconds = time.perf_counter() - started
        texts = [t.text for t in found]
        print(
            json.dumps(
                {
                    "direction": f"{leg.source}-{leg.target}",
                    "megabytes": round(leg.bytes / 1e6, 1),
                    "bleu": round(sacrebleu.corpus_bleu(texts, [references]).score, 1),
                    "chrf": round(sacrebleu.corpus_chrf(texts, [references]).score, 1),
                    "rows_per_second": round(len(texts) / seconds, 1),
                    "failed": sum(t.reason is not None for t in found),
                }
            )
        )
        translator.close()


if __name__ == "__main__":
    main()

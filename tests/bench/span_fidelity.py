"""How well ``span_fidelity`` and confidence tell right spans from wrong ones in a run over Europarl's English side.

``python tests/bench/span_fidelity.py --run OUT`` prints one line of JSON for each target language of OUT. A span is
right where it is spelled at least .75 like what stands under the same label in the human translation (token-sorted
ratio).
"""

import argparse
import json
import os
from pathlib import Path

import numpy as np
from rapidfuzz import fuzz

from spanferry.corpora.readers import open_reader
from spanferry.corpora.stored.emitted import EmittedDataset
from spanferry.projectors.filters.span_fidelity import SpanFidelity, span_scores

DATA = Path(os.environ.get("SPANFERRY_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
ALIKE = 75


def _auc(scores: np.ndarray, right: np.ndarray) -> float:
    above, below = scores[right], scores[~right]
    return float((above[:, None] > below).mean() + 0.5 * (above[:, None] == below).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="the folder of the run")
    run: Path = parser.parse_args().run
    low = SpanFidelity().low
    for folder in sorted(path.parent for path in run.glob("*/dataset_dict.json")):
        gold_file = DATA / "europarl-ner" / f"{folder.name}-europarl.test.conll02"
        if not gold_file.is_file():
            continue
        gold = {row.id: row for row in open_reader(gold_file, lang=folder.name, format="conll").read()}
        fidelity: list[float] = []
        confidence: list[float] = []
        right: list[bool] = []
        for pair in (pair for batch in EmittedDataset(folder).pairs() for pair in batch):
            if pair.target is None or pair.source.id not in gold:
                continue
            found, human = span_scores(pair), gold[pair.source.id]
            scores = {p.source_span_id: p.score for p in pair.projections}
            for span in pair.target.spans:
                words, score = pair.target.quote(span).lower(), found[span.id]
                same = [human.quote(s).lower() for s in human.spans if s.label == span.label]
                fidelity.append(0.5 if score is None else score)
                confidence.append(scores[span.id])
                right.append(max((fuzz.token_sort_ratio(words, one) for one in same), default=0) >= ALIKE)
        values, good = np.array(fidelity), np.array(right)
        reported = {
            "language": folder.name,
            "spans": len(good),
            "right": good.mean(),
            "auc": _auc(values, good),
            "auc_confidence": _auc(np.array(confidence), good),
            "wrong_rejected": (values[~good] < low).mean(),
            "right_rejected": (values[good] < low).mean(),
        }
        print(json.dumps({key: round(float(v), 3) if isinstance(v, float) else v for key, v in reported.items()}))


if __name__ == "__main__":
    main()

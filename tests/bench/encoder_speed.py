"""Aligner ``encoder`` against the simalign package on the same weights: pairs a second and links.

    python tests/bench/encoder_speed.py --pairs 64 --rounds 3
    taskset -c 0 python tests/bench/encoder_speed.py --pairs 24 --method match
    python tests/bench/encoder_speed.py --model DIRECTORY

Without ``--model`` it makes an encoder of BERT-base's size with BERT's own random initial weights and a WordPiece
vocabulary learned from the Europarl gold. Both use all cores they may; the package runs all twelve layers. Rounds
alternate; the medians of the ratios are printed, by the clock and by processor time, which a busy machine disturbs
less. ``simalign mai`` is the package as it comes, all three methods of which are computed; ``--mai`` adds it.
"""

import argparse
import cProfile
import logging
import os
import pstats
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402

from spanferry.projectors.aligners.encoder.aligner import EncoderAligner  # noqa: E402
from spanferry.projectors.aligners.simalign import SimalignAligner  # noqa: E402
from spanferry.projectors.base import Aligner, Alignment  # noqa: E402
from spanferry.translators.engine.devices import cores  # noqa: E402
from tests.projectors import encoders  # noqa: E402
from tests.projectors.gold_pairs import europarl  # noqa: E402

BASE = {
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "max_position_embeddings": 512,
    "initializer_range": 0.02,
}


def timed(run: Callable[[], list[Alignment]]) -> tuple[list[Alignment], float, float]:
    """The alignments, seconds by the clock and of processor time."""
    clock, processor = time.perf_counter(), time.process_time()
    found = run()
    return found, time.perf_counter() - clock, time.process_time() - processor


def all_links(alignments: list[Alignment]) -> set[tuple[int, tuple[int, int]]]:
    return {(k, link) for k, alignment in enumerate(alignments) for link in alignment.links}


def main() -> None:
    """Prints one line per aligner."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--model", type=Path, help="an encoder in Hugging Face layout")
    parser.add_argument("--method", default="argmax", choices=("argmax", "itermax", "match"))
    parser.add_argument("--layer", type=int, default=8)
    parser.add_argument("--pairs", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mai", action="store_true", help="also the package with its own defaults")
    parser.add_argument("--profile", action="store_true", help="where the time of int8 goes")
    options = parser.parse_args()
    logging.disable(logging.INFO)
    torch.set_num_threads(cores())
    gold = europarl(options.data, "es").inputs
    inputs = gold[:: max(1, len(gold) // options.pairs)][: options.pairs]
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("SPANFERRY_CACHE", str(Path(folder) / "cache"))
        texts = [text for item in gold for text in (item.source_text, item.target_text)]
        directory = options.model or encoders.bert(Path(folder) / "bert-base", texts, 12_000, **BASE)
        sides: dict[str, Aligner] = {
            "simalign": SimalignAligner(str(directory), options.method, layer=options.layer),
            **{
                kind: EncoderAligner(
                    str(directory), options.method, layer=options.layer, device="cpu", compute_type=kind
                )
                for kind in ("float32", "int8")
            },
        }
        if options.mai:
            whole = SimalignAligner(str(directory), options.method, layer=options.layer)
            whole._aligner.matching_methods = ["mwmf", "inter", "itermax"]
            sides["simalign mai"] = whole
        seconds: dict[str, list[float]] = {name: [] for name in sides}
        processor: dict[str, list[float]] = {name: [] for name in sides}
        links = {}
        for aligner in sides.values():
            aligner.align(inputs[:2])
        for _ in range(options.rounds):
            for name, aligner in sides.items():
                found, clock, own = timed(lambda a=aligner: a.align(inputs))  # type: ignore[misc]
                links[name] = all_links(found)
                seconds[name].append(clock)
                processor[name].append(own)
        words = sum(len(a.source_words) + len(a.target_words) for a in found) / len(found)
        print(
            f"{len(inputs)} pairs, {words:.0f} words a pair, {options.method}, layer {options.layer}, {cores()} cores"
        )
        for name in sides:
            ratio, own = (
                statistics.median(a / b for a, b in zip(each["simalign"], each[name], strict=True))
                for each in (seconds, processor)
            )
            same = len(links[name] & links["simalign"]) / max(1, len(links[name] | links["simalign"]))
            rate = len(inputs) / statistics.median(seconds[name])
            print(
                f"{name:<13}{rate:8.2f} pairs/s{ratio:8.1f} times simalign{own:8.1f} in processor time"
                f"   {same:.2%} of the links"
            )
        if options.profile:
            profile = cProfile.Profile()
            profile.runcall(sides["int8"].align, inputs)
            pstats.Stats(profile).sort_stats("tottime").print_stats(12)


if __name__ == "__main__":
    main()

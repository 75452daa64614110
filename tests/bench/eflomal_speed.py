"""Aligner ``eflomal`` against its own command line on the same words: seconds of both and their ratio.

    python tests/bench/eflomal_speed.py --pairs 5000 --rounds 3

The command gets files that are ready and writes its links; ours starts from texts with words and ends with
probabilities and links. One run of the sampler each; rounds alternate, the median of the ratios is printed, by the
clock and by processor time, child processes included. With --runs 4 the command is run four times as well.
"""

import argparse
import gzip
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

from spanferry.corpora.text.words import word_strings, words  # noqa: E402
from spanferry.projectors.aligners.eflomal.aligner import EflomalAligner  # noqa: E402
from spanferry.projectors.aligners.eflomal.files import tokens  # noqa: E402
from spanferry.projectors.base import ProjectionInput  # noqa: E402


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock, and of processor time with child processes."""
    clock, before = time.perf_counter(), os.times()
    work()
    after = os.times()
    return time.perf_counter() - clock, sum(after[:4]) - sum(before[:4])


def main() -> None:
    """Prints the seconds of both and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--pairs", type=int, default=5000, help="of Tatoeba, en-es")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    path = options.data / "tatoeba" / "spa-eng.txt.gz"
    inputs = []
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            source, target = line.rstrip("\n").split("\t")[:2]
            inputs.append(
                ProjectionInput(str(len(inputs)), source, target, (), "en", "es", words(source), words(target))
            )
            if len(inputs) == options.pairs:
                break
    aligner = EflomalAligner(options.runs, prior="none")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for side in ("source", "target"):
            lines = (tokens(word_strings(getattr(i, f"{side}_text"), getattr(i, f"{side}_words"))) for i in inputs)
            (folder / side).write_text("".join(" ".join(line) + "\n" for line in lines), encoding="utf-8")
        command = [str(Path(sys.executable).with_name("eflomal-align")), "--model", "3", "--overwrite"]
        command += ["-s", "source", "-t", "target", "-f", "forward", "-r", "backward"]

        def bare() -> None:
            for _ in range(options.runs):
                subprocess.run(command, cwd=folder, check=True, capture_output=True)

        rounds = [(timed(bare), timed(lambda: aligner.align(inputs))) for _ in range(options.rounds)]
    for k, kind in enumerate(("clock", "processor")):
        theirs, ours = (statistics.median(r[side][k] for r in rounds) for side in (0, 1))
        ratio = statistics.median(r[1][k] / r[0][k] for r in rounds)
        print(f"{kind:<10} command {theirs:7.2f} s   aligner {ours:7.2f} s   ratio {ratio:.3f}")


if __name__ == "__main__":
    main()

"""What the flow costs beyond the work it can't do without, on Europarl en -> es, in one process and one run.

    python tests/bench/flow_overhead.py [--data ../shared/data] [--rows 799] [--repeat 3]

The yardstick is raw ``translate_batch`` of the same segments with the best batch settings, plus the forced scoring of
the same spans; Prefect is started before the clock. Prints seconds of each and the ratio, by repetition.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from spanferry.corpora.arrow import pairs_from_table
from spanferry.flows import models
from spanferry.flows.config import RunConfig, build_config
from spanferry.flows.engine.step import ordered
from spanferry.flows.engine.store import Stage
from spanferry.flows.translate.flow import translate_flow
from spanferry.flows.translate.run import run_flow
from spanferry.projectors.constrained.projector import ConstrainedProjector
from spanferry.projectors.pipeline import stages
from spanferry.translators.engine.limits import output_cap


def main() -> None:
    """Runs the comparison and prints it."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, default=Path("../shared/data"))
    options.add_argument("--rows", type=int, default=799)
    options.add_argument("--repeat", type=int, default=3)
    chosen = options.parse_args()
    source = chosen.data / "europarl-ner" / "en-europarl.test.conll02"
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        run_flow(_config(source, Path(folder) / "warm", 20))  # starts Prefect and loads everything
        for number in range(chosen.repeat):
            config = _config(source, Path(folder) / str(number), chosen.rows)
            started = time.monotonic()
            run_flow(config)
            whole = time.monotonic() - started
            raw, forced = _yardstick(config)
            ratios.append(whole / (raw + forced))
            print(f"flow {whole:6.2f} s   translate_batch {raw:6.2f} s   forced {forced:6.2f} s   {ratios[-1]:.3f}")
    print(f"median ratio {statistics.median(ratios):.3f} of {chosen.rows} rows", file=sys.stdout)


def _config(source: Path, out: Path, rows: int) -> Any:
    values = {"read.path": str(source), "target": ["es"], "out": out, "limit": rows}
    values["translator.memory_mb"] = 0  # rounds after the first would find their translations
    return build_config(RunConfig, "translate-train", options=values)


def _yardstick(config: RunConfig) -> tuple[float, float]:
    """Seconds of the raw translation and of the forced scoring of one shard's worth after the other."""
    translator = models.translator(config.translator, "en", "es")
    read, segment, translate = (_stage(config, name) for name in ("read", "segment", "translate-es"))
    raw = forced = 0.0
    constrained = ConstrainedProjector(translator)
    for shard in read.entries():
        pairs = pairs_from_table(read.read(shard))
        segments = stages.segments_from_table(segment.read(shard))
        tokens = [translator.encode_source(piece.text, "en", "es") for _, piece in segments]
        started = time.monotonic()
        # A model caught in a loop fills whatever it is given: both sides get the same for the longest row.
        longest = max(output_cap(len(row), translator.limits) for row in tokens)
        settings = {"max_batch_size": 2048, "batch_type": "tokens", "max_decoding_length": longest}
        translator.raw.translate_batch(tokens, beam_size=4, **settings)
        raw += time.monotonic() - started
        translations = stages.translations_from_table(translate.read(shard))
        inputs = stages.projection_inputs(pairs, segments, translations, "en", "es")
        wanted = [item for item in inputs if item is not None and item.spans]
        started = time.monotonic()
        constrained.nbest(wanted)
        forced += time.monotonic() - started
    return raw, forced


def _stage(config: RunConfig, name: str) -> Stage:
    steps = ordered(translate_flow(config).outputs)
    return next(step for step in steps if step.name == name).stage(config.out / "stages")


if __name__ == "__main__":
    main()

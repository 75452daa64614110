"""How fast ``CT2Translator`` is, as ratios measured in one run: to CTranslate2 itself, to transformers; and its memory.

    python tests/bench/translate_speed.py --model ../shared/models/en-es-first --sentences 20000
    python tests/bench/translate_speed.py --model DIR --device cuda --compute-type float16 int8_float16

* against ``translate_batch`` of the same model with tokens that are ready, all at once, with the best of several batch
  sizes and ways to divide the cores (``inter_threads`` x ``intra_threads``);
* against ``generate`` of transformers on the same weights (``--model`` has to be in Hugging Face layout), the same beam
  and cores, float32 (float16 on a GPU), sorted by length, with the best of several batch sizes, on the first
  ``--transformers`` sentences, which ``translate`` gets alone too;
* the peak of resident memory while a stream of n and of 10 n sentences is translated, in a process of its own each;
* with several types, or a GPU: the share of outputs that are the same as int8's on the CPU.

Rounds alternate between the sides, so that a busy machine hits all alike, and the ratio is the median over rounds;
seconds of processor time are shown beside those of the clock. Without ``--input`` the sentences are made up.
"""

import argparse
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import ctranslate2

from spanferry.translators.conversion.convert import is_hugging_face
from spanferry.translators.engine import devices, limits
from spanferry.translators.engine.ct2 import CT2Translator
from spanferry.translators.loading.load import load_translator
from spanferry.translators.pieces import one_line


def made_up(count: int) -> Iterator[str]:
    """English sentences of 3 to 40 words."""
    draw = random.Random(0)
    who = ["Tom", "my sister", "the old teacher", "a group of students", "nobody", "the government"]
    does = ["bought", "will visit", "has never seen", "talked about", "is waiting for", "wants"]
    what = ["a new car", "the museum in Boston", "two black cats", "the report from last year", "coffee", "peace"]
    join = [" and ", " because ", ", but ", " while ", " before "]
    for _ in range(count):
        clauses = [
            f"{draw.choice(who)} {draw.choice(does)} {draw.choice(what)}" for _ in range(draw.choice([1, 1, 2, 4]))
        ]
        text = clauses[0] + "".join(draw.choice(join) + clause for clause in clauses[1:])
        yield text[0].upper() + text[1:] + "."


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock and of processor time, all threads together."""
    clock, processor = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - clock, time.process_time() - processor


def compare(name: str, other: Callable[[], object], ours: Callable[[], object], rounds: int, sentences: int) -> None:
    """Runs both sides in turn and prints how many times the other's time ours fits in."""
    pairs = [(timed(other), timed(ours)) for _ in range(rounds)]
    for i, kind in enumerate(("clock", "processor")):
        ratios = [theirs[i] / own[i] for theirs, own in pairs]
        theirs, own = (statistics.median(side[i] for side in column) for column in zip(*pairs, strict=True))
        spread = f"{min(ratios):.3f} to {max(ratios):.3f}"
        print(
            f"{name:>14}, {kind:>9}: {theirs:7.2f} s, translate {own:6.2f} s ({sentences / own:4.0f} sentences/s), "
            f"ratio {statistics.median(ratios):.3f} ({spread} in {rounds} rounds)",
            flush=True,
        )


def tokens_of(model: CT2Translator, texts: Sequence[str], source: str, target: str) -> list[list[str]]:
    """What the engine is given for each text."""
    frame = model.family.frame(source, target)
    pieces = model.family.pieces("source").encode([one_line(text) for text in texts])
    return [[*frame.source_prefix, *row, *frame.source_suffix] for row in pieces]


def against_engine(model: CT2Translator, texts: Sequence[str], args: argparse.Namespace) -> None:
    """``translate`` against the best bare ``translate_batch``."""
    tokens = tokens_of(model, texts, args.source, args.target)
    frame = model.family.frame(args.source, args.target)
    # A model caught in a loop fills whatever it is given: both sides get the same for the longest row.
    longest = max(limits.output_cap(len(row), model.limits) for row in tokens)
    cores = devices.cores()
    divided = (
        sorted({(cores, 1), (max(1, cores // 2), min(2, cores)), (1, cores)}) if model.device == "cpu" else [(1, 0)]
    )
    kind = {"device": model.device, "compute_type": model.compute_type}
    engines = {
        (inter, intra): ctranslate2.Translator(str(model.directory), inter_threads=inter, intra_threads=intra, **kind)
        for inter, intra in divided
    }

    def bare(division: tuple[int, int], size: int, rows: Sequence[list[str]]) -> object:
        prefix = [list(frame.target_prefix)] * len(rows) if frame.target_prefix else None
        return engines[division].translate_batch(
            list(rows),
            prefix,
            max_batch_size=size,
            batch_type="tokens",
            beam_size=model.beam,
            max_decoding_length=longest,
        )

    trial = tokens[: max(200, len(tokens) // 10)]
    for division in divided:
        bare(division, args.batch_tokens[0], trial[:100])
    seconds = {
        (division, size): min(timed(lambda d=division, s=size: bare(d, s, trial))[0] for _ in range(2))
        for division in divided
        for size in args.batch_tokens
    }
    (division, size), _ = min(seconds.items(), key=lambda entry: entry[1])
    shown = ", ".join(f"{d[0]}x{d[1]}/{s}: {t:.2f}" for (d, s), t in seconds.items())
    print(f"bare, {len(trial)} sentences, threads/batch: seconds   {shown}")
    print(f"best: {division[0]} x {division[1]} threads, {size} tokens")
    compare(
        "translate_batch",
        lambda: bare(division, size, tokens),
        lambda: model.translate(texts, args.source, args.target),
        args.rounds,
        len(texts),
    )


def against_transformers(model: CT2Translator, texts: Sequence[str], args: argparse.Namespace) -> None:
    """``translate`` against ``generate`` on the same weights."""
    import torch
    import transformers

    torch.set_num_threads(devices.cores())
    tokenizer = transformers.AutoTokenizer.from_pretrained(args.model)
    kind = torch.float16 if model.device == "cuda" else torch.float32
    origin = transformers.AutoModelForSeq2SeqLM.from_pretrained(args.model, dtype=kind).to(model.device).eval()
    ordered = sorted(texts, key=len, reverse=True)

    def generate(size: int, rows: Sequence[str]) -> object:
        with torch.inference_mode():
            for i in range(0, len(rows), size):
                batch = tokenizer(list(rows[i : i + size]), return_tensors="pt", padding=True).to(model.device)
                found = origin.generate(**batch, num_beams=model.beam, max_new_tokens=256)
                tokenizer.batch_decode(found, skip_special_tokens=True)
        return None

    trial = ordered[:: max(1, len(ordered) // 64)]
    generate(args.generate_batch[0], trial[:4])
    seconds = {size: timed(lambda s=size: generate(s, trial))[0] for size in args.generate_batch}
    best = min(seconds, key=lambda size: seconds[size])
    print(f"generate, {len(trial)} sentences, batch: seconds   {seconds}; best: {best}")
    compare(
        "generate",
        lambda: generate(best, ordered),
        lambda: model.translate(texts, args.source, args.target),
        args.rounds,
        len(texts),
    )


def peak_memory(args: argparse.Namespace) -> None:
    """Peak resident memory over streams of n and 10 n sentences, and of the loaded model alone."""
    for count in (0, args.sentences, 10 * args.sentences):
        command = [sys.executable, __file__, "--model", args.model, "--source", args.source, "--target", args.target]
        done = subprocess.run([*command, "--stream", str(count)], check=True, capture_output=True, text=True)
        print(f"peak resident memory, {count:>7} sentences streamed: {done.stdout.strip()}", flush=True)


def stream(args: argparse.Namespace) -> None:
    """Translates a stream and prints the peak; greedy, because memory and not time is looked at."""
    model = load_translator(args.model, source=args.source, target=args.target, device="cpu", beam=1)
    if not isinstance(model, CT2Translator):
        raise SystemExit(f"{args.model} is not a CTranslate2 model")
    model.translate(["One sentence."], args.source, args.target)
    characters = sum(len(found.text) for found in model.stream(made_up(args.stream), args.source, args.target))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{peak:.0f} MiB ({characters} characters out)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="bundled")
    parser.add_argument("--source", default="en")
    parser.add_argument("--target", default="es")
    parser.add_argument("--input", type=Path, help="one sentence a line")
    parser.add_argument("--sentences", type=int, default=2000)
    parser.add_argument("--transformers", type=int, default=400, help="sentences for generate; 0: none")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--compute-type", nargs="+", default=["default"])
    parser.add_argument("--batch-tokens", type=int, nargs="+", default=[128, 512, 2048], help="of the bare call")
    parser.add_argument("--generate-batch", type=int, nargs="+", default=[8, 32, 64], help="of generate")
    parser.add_argument("--memory", action="store_true", help="measure the memory of streams too")
    parser.add_argument("--stream", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.stream is not None:
        return stream(args)
    texts = args.input.read_text(encoding="utf-8").splitlines() if args.input else list(made_up(args.sentences))
    texts = texts[: args.sentences]
    base: Any = None
    for compute_type in args.compute_type:
        options = {"source": args.source, "target": args.target}
        model = load_translator(args.model, device=args.device, compute_type=compute_type, **options)
        if not isinstance(model, CT2Translator):
            parser.error(f"{args.model} is not a CTranslate2 model")
        print(f"{len(texts)} sentences, {model.signature}, {devices.cores()} cores", flush=True)
        against_engine(model, texts, args)
        if args.transformers and is_hugging_face(Path(args.model)):
            against_transformers(model, texts[: args.transformers], args)
        if args.device != "cpu" or len(args.compute_type) > 1:
            base = base or load_translator(args.model, device="cpu", **options).translate(
                texts, args.source, args.target
            )
            found = model.translate(texts, args.source, args.target)
            same = sum(one.text == other.text for one, other in zip(base, found, strict=True)) / len(texts)
            print(f"the same text as int8 on the CPU: {same:.4f}", flush=True)
    if args.memory:
        peak_memory(args)


if __name__ == "__main__":
    main()

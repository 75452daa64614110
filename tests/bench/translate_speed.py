"""How much of CTranslate2's own speed is left: ``translate`` against a bare ``translate_batch`` of the same sentences.

    python tests/bench/translate_speed.py --sentences 2000

Both use the same model in memory and the same beam; the bare call gets tokens that are ready, all at once, with the
batch size that measured best. Rounds alternate, so that a busy machine hits both alike; seconds of processor time are
shown beside those of the clock. Without ``--input`` the sentences are made from a small grammar.
"""

import argparse
import random
import time
from collections.abc import Callable
from pathlib import Path

from translators.ct2 import CT2Translator
from translators.load import load_translator
from translators.pieces import one_line


def made_up(count: int) -> list[str]:
    """English sentences of 3 to 40 words."""
    draw = random.Random(0)
    who = ["Tom", "my sister", "the old teacher", "a group of students", "nobody", "the government"]
    does = ["bought", "will visit", "has never seen", "talked about", "is waiting for", "wants"]
    what = ["a new car", "the museum in Boston", "two black cats", "the report from last year", "coffee", "peace"]
    join = [" and ", " because ", ", but ", " while ", " before "]
    sentences = []
    for _ in range(count):
        clauses = [
            f"{draw.choice(who)} {draw.choice(does)} {draw.choice(what)}" for _ in range(draw.choice([1, 1, 2, 4]))
        ]
        text = clauses[0] + "".join(draw.choice(join) + clause for clause in clauses[1:])
        sentences.append(text[0].upper() + text[1:] + ".")
    return sentences


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock and of processor time, all threads together."""
    clock, processor = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - clock, time.process_time() - processor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", default="bundled")
    parser.add_argument("--source", default="en")
    parser.add_argument("--target", default="es")
    parser.add_argument("--input", type=Path, help="one sentence a line")
    parser.add_argument("--sentences", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch-tokens", type=int, nargs="+", default=[1024, 2048, 4096], help="of the bare call")
    args = parser.parse_args()
    model = load_translator(args.model, source=args.source, target=args.target, device=args.device)
    if not isinstance(model, CT2Translator):
        parser.error(f"{args.model} is not a CTranslate2 model")
    texts = args.input.read_text(encoding="utf-8").splitlines() if args.input else made_up(args.sentences)
    texts = texts[: args.sentences]
    frame = model.family.frame(args.source, args.target)
    pieces = model.family.pieces("source").encode([one_line(text) for text in texts])
    tokens = [[*frame.source_prefix, *row, *frame.source_suffix] for row in pieces]
    prefix = [list(frame.target_prefix)] * len(tokens) if frame.target_prefix else None

    def bare(size: int) -> object:
        return model.raw.translate_batch(
            tokens, prefix, max_batch_size=size, batch_type="tokens", beam_size=model.beam, max_decoding_length=256
        )

    bare(args.batch_tokens[0])
    best = min(args.batch_tokens, key=lambda size: timed(lambda: bare(size))[0])
    print(f"{len(texts)} sentences, {sum(map(len, tokens))} source tokens, {model.signature}; bare batch {best} tokens")
    rounds = [
        (timed(lambda: bare(best)), timed(lambda: model.translate(texts, args.source, args.target)))
        for _ in range(args.rounds)
    ]
    for i, name in enumerate(("clock", "processor")):
        raw, ours = (min(side[i] for side in column) for column in zip(*rounds, strict=True))
        pace = f"ratio {raw / ours:.3f}, {len(texts) / ours:.0f} sentences/s"
        print(f"{name:>10}: bare {raw:.2f} s, translate {ours:.2f} s, {pace}")


if __name__ == "__main__":
    main()

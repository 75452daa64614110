"""Train the bundled model: plain torch, bfloat16 products, on a CPU or a GPU, to be stopped and resumed at will.

``python -m spanferry.translators.bundled.train --out DIR`` reads ``DIR/train.npz``, writes
``DIR/checkpoints/step-N.pt`` and, at the end, a Hugging Face Marian directory ``DIR/hf`` with the mean of the last
checkpoints. The learning rate warms up, stays, and falls linearly to zero over the last ``--decay`` steps (Hägele
et al. 2024, "Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations", section 3), so that a run
may be prolonged by resuming it with a larger ``--steps``. Matrices are stepped by Muon (Jordan et al. 2024; the
learning rate scaled as in Liu et al. 2025, "Muon is Scalable for LLM Training", section 2.2), the rest by AdamW.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spanferry.translators.bundled.steps import optimizers, rate_at, take_step

CONFIG = {
    "activation_function": "relu",
    "architectures": ["MarianMTModel"],
    "bos_token_id": 0,
    "eos_token_id": 0,
    "forced_eos_token_id": 0,
    "is_encoder_decoder": True,
    "max_position_embeddings": 512,
    "model_type": "marian",
    "scale_embedding": True,
    "share_encoder_decoder_embeddings": True,
    "tie_word_embeddings": True,
}


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that decides the outcome of a run besides its data.

    Attributes:
        steps: Steps of the optimizers.
        warmup: Steps of linear warm-up.
        decay: Last steps, over which the rate falls to zero.
        batch_tokens: Target pieces in a batch of one worker, padding counted.
        rate: Learning rate of AdamW.
        smoothing: Label smoothing.
        guided: Weight of the guided attention losses.
        matrix_rate: Learning rate of Muon in units of ``rate``.
        workers: Processes, each with a batch in every step.
        seed: Of the weights and the order of the batches.
    """

    steps: int = 3_300
    warmup: int = 150
    decay: int = 1_700
    batch_tokens: int = 2_500
    rate: float = 0.002
    smoothing: float = 0.1
    guided: float = 0.1
    matrix_rate: float = 2.0
    workers: int = 2
    seed: int = 1


def batches(data: dict[str, np.ndarray], tokens: int, seed: int, epoch: int) -> list[np.ndarray]:
    """Row numbers of the batches of one epoch.

    Rows of one source length are shuffled, sorted by target length in blocks and cut so that a batch holds about
    ``tokens`` target pieces, padding counted. The batches then come in random order.
    """
    rng = np.random.default_rng((seed, epoch))
    source = np.diff(data["source_offsets"])
    target = np.diff(data["target_offsets"]) + 1
    out: list[np.ndarray] = []
    order = rng.permutation(len(source))
    order = order[np.lexsort((target[order], source[order]))]
    start = 0
    while start < len(order):
        length, end = source[order[start]], start
        while end < len(order) and source[order[end]] == length:
            # Sources longer than their targets must not fill the memory either.
            if (end + 1 - start) * max(target[order[end]], length) > tokens:
                break
            end += 1
        end = max(end, start + 1)
        out.append(order[start:end])
        start = end
    return [out[i] for i in rng.permutation(len(out))]


def tensors(data: dict[str, np.ndarray], rows: np.ndarray, pad: int, end: int) -> tuple[Any, Any, Any]:
    """Source ids, target ids with end and padding, and piece links of a batch; see ``Network.forward``."""
    import torch

    spans = {k: (data[f"{k}_offsets"][rows], data[f"{k}_offsets"][rows + 1]) for k in ("source", "target", "links")}
    length = int(spans["source"][1][0] - spans["source"][0][0])
    width = int((spans["target"][1] - spans["target"][0]).max()) + 1
    source = np.empty((len(rows), length), dtype=np.int64)
    target = np.full((len(rows), width), pad, dtype=np.int64)
    links = np.zeros((len(rows), width, length), dtype=bool)
    for i in range(len(rows)):
        source[i] = data["source"][spans["source"][0][i] : spans["source"][1][i]]
        own = data["target"][spans["target"][0][i] : spans["target"][1][i]]
        target[i, : len(own)] = own
        target[i, len(own)] = end
        pairs = data["links"][spans["links"][0][i] : spans["links"][1][i]]
        links[i, pairs[:, 1], pairs[:, 0]] = True
    return torch.from_numpy(source), torch.from_numpy(target), torch.from_numpy(links)


def stream(data: dict[str, np.ndarray], plan: Plan, first: int, rank: int = 0) -> Iterator[np.ndarray]:
    """Batches of one worker from step ``first`` on, epoch after epoch, the same as if it had never been stopped."""
    epoch, done = 0, 0
    while True:
        own = batches(data, plan.batch_tokens, plan.seed, epoch)
        steps = len(own) // plan.workers
        for step in range(max(0, first - done), steps):
            yield own[step * plan.workers + rank]
        done += steps
        epoch += 1


def latest(folder: Path) -> list[Path]:
    """Checkpoints, oldest first."""
    return sorted(folder.glob("step-*.pt"), key=lambda p: int(re.findall(r"\d+", p.stem)[0]))


def work(rank: int, meeting: str, folder: Path, plan: Plan, shape: Any, options: dict[str, Any]) -> None:
    """One worker of several: one thread, its own batches."""
    import torch
    import torch.distributed as dist

    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=plan.workers)
    run(folder, plan, shape, rank=rank, **options)
    dist.destroy_process_group()


def train(folder: Path, plan: Plan, shape: Any, **options: Any) -> int:
    """:func:`run` in ``plan.workers`` processes.

    Several single-threaded processes with a batch each waste less of a shared machine than one process whose
    threads wait for each other in every product.
    """
    if plan.workers == 1:
        return run(folder, plan, shape, **options)
    import torch.multiprocessing

    with tempfile.TemporaryDirectory() as meeting:
        arguments = (f"{meeting}/meeting", folder, plan, shape, options)
        torch.multiprocessing.spawn(work, arguments, nprocs=plan.workers)
    return min(plan.steps, options.get("stop") or plan.steps)


def run(
    folder: Path,
    plan: Plan,
    shape: Any,
    *,
    rank: int = 0,
    minutes: float = 5.0,
    keep: int = 12,
    stop: int | None = None,
    start: Path | None = None,
) -> int:
    """Train from the last checkpoint (or from ``start``, or from nothing) to ``plan.steps`` and return the steps done.

    Args:
        folder: Where ``train.npz`` lies.
        plan: Schedule and sizes.
        shape: ``network.Shape``.
        rank: Number of this worker, out of ``plan.workers``; the first one writes.
        minutes: A checkpoint is written after this time.
        keep: Checkpoints kept.
        stop: Leave (with a checkpoint) after this step.
        start: A converted model whose weights are the first ones; None: random ones.
    """
    import torch

    from spanferry.translators.bundled.network import Network

    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(plan.seed)
    with np.load(folder / "train.npz") as file:
        data = {name: file[name] for name in file.files}
    network = Network(shape).to(device)
    if start is not None:
        from spanferry.translators.bundled.warm import starting_weights

        network.load_state_dict(starting_weights(start, folder, plan.seed))
    steppers = optimizers(network, plan, ("shared.weight",), rank)
    checkpoints = folder / "checkpoints"
    checkpoints.mkdir(parents=True, exist_ok=True)
    first, seen = 0, 0
    if found := latest(checkpoints):
        state = torch.load(found[-1], map_location=device, weights_only=True)
        network.load_state_dict(state["network"])
        for stepper, own in zip(steppers, state["steppers"], strict=True):
            stepper.load_state_dict(own)
        first, seen = state["step"], state["tokens"]
    pad = shape.vocabulary - 1
    last = min(plan.steps, stop or plan.steps)
    saved = noted = time.monotonic()
    totals = np.zeros(3)

    def save(step: int) -> None:
        state = {"network": network.state_dict(), "steppers": [s.state_dict() for s in steppers]}
        path = checkpoints / f"step-{step}.pt"
        torch.save({**state, "step": step, "tokens": seen, "plan": asdict(plan), "shape": asdict(shape)}, path)
        for old in latest(checkpoints)[:-keep]:
            old.unlink()

    for step, rows in zip(range(first, last), stream(data, plan, first, rank), strict=False):
        source, target, links = (t.to(device) for t in tensors(data, rows, pad, 0))
        loss, count, guided = network(source, target, links, plan.smoothing, torch.bfloat16)
        (loss + plan.guided * guided * count).backward()
        numbers = torch.stack([loss.detach(), count.float(), (guided * count).detach()])
        take_step(network, steppers, plan, step, numbers)
        totals += numbers.double().cpu().numpy()
        seen += int(numbers[1])
        if (step + 1) % 50 == 0 and rank == 0:
            now = time.monotonic()
            print(
                f"step {step + 1} tokens {seen} loss {totals[0] / totals[1]:.3f} guided {totals[2] / totals[1]:.3f} "
                f"rate {rate_at(plan, step):.5f} tokens/s {totals[1] / (now - noted):.0f}",
                flush=True,
            )
            totals[:], noted = 0, now
        if rank == 0 and (step + 1 == last or time.monotonic() - saved > minutes * 60):
            save(step + 1)
            saved = time.monotonic()
    return last


def export(folder: Path, out: Path, average: int = 1) -> int:
    """Write the mean of the last ``average`` checkpoints as a Hugging Face Marian directory.

    Returns:
        Target pieces seen by the last of them.
    """
    import torch
    from safetensors.torch import save_file

    states = [torch.load(p, map_location="cpu", weights_only=True) for p in latest(folder / "checkpoints")[-average:]]
    shape = states[-1]["shape"]
    weights = {}
    for name in states[-1]["network"]:
        mean = sum(state["network"][name].float() for state in states) / len(states)
        weights["model." + name] = mean.contiguous()
    out.mkdir(parents=True, exist_ok=True)
    save_file(weights, out / "model.safetensors", metadata={"format": "pt"})
    pad = shape["vocabulary"] - 1
    config = {
        **CONFIG,
        "d_model": shape["width"],
        "decoder_start_token_id": pad,
        "pad_token_id": pad,
        "vocab_size": shape["vocabulary"],
        "decoder_vocab_size": shape["vocabulary"],
    }
    for side in ("encoder", "decoder"):
        config[f"{side}_layers"] = shape[f"{side}_layers"]
        config[f"{side}_attention_heads"] = shape["heads"]
        config[f"{side}_ffn_dim"] = shape["feed"]
    (out / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    tokenizer = {"source_lang": "eng", "target_lang": "mul", "tokenizer_class": "MarianTokenizer"}
    tokenizer |= {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>", "model_max_length": 512}  # type: ignore[dict-item]
    (out / "tokenizer_config.json").write_text(json.dumps(tokenizer, indent=2) + "\n", encoding="utf-8")
    for name in ("source.spm", "target.spm", "vocab.json"):
        shutil.copyfile(folder / name, out / name)
    facts = {"plan": states[-1]["plan"], "steps": states[-1]["step"], "target_pieces": states[-1]["tokens"]}
    facts["averaged_checkpoints"] = len(states)
    (out / "training.json").write_text(json.dumps(facts, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return int(states[-1]["tokens"])


def main() -> None:
    """Command line."""
    from spanferry.translators.bundled.network import Shape

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True, help="folder with train.npz")
    for name, default in asdict(Plan()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
    parser.add_argument("--stop", type=int, help="leave after this step")
    parser.add_argument("--start", type=Path, help="converted model to go on from")
    parser.add_argument("--average", type=int, default=1, help="checkpoints to average at the end")
    args = parser.parse_args()
    plan = Plan(**{name: getattr(args, name) for name in asdict(Plan())})
    size = len(json.loads((args.out / "vocab.json").read_text(encoding="utf-8")))
    done = train(args.out, plan, Shape(vocabulary=size), stop=args.stop, start=args.start)
    seen = export(args.out, args.out / "hf", args.average)
    print(f"{done} steps, {seen} target pieces, perplexity floor {math.exp(plan.smoothing):.2f}")


if __name__ == "__main__":
    main()

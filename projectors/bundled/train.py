"""Train the bundled aligner: on a CPU or a GPU, to be stopped and resumed.

    python -m spanferry.projectors.bundled.train --out WORK

reads ``WORK/<language>.npz`` and writes ``WORK/last.pt``. The learning rate warms up, stays, and falls linearly to zero
over the last steps (see ``spanferry.translators.bundled.train``); matrices are stepped by Muon, the rest by AdamW.
"""

import argparse
import tempfile
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from spanferry.projectors.bundled.batches import Batch, stream
from spanferry.projectors.bundled.texts import TOKENIZER
from spanferry.translators.bundled.steps import optimizers, take_step

CHECKPOINT = "last.pt"
_REPORT = 50


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that decides the outcome of a run besides its data.

    Attributes:
        steps: Steps of the optimizers.
        warmup: Steps of linear warm-up.
        decay: Last steps, over which the rate falls to zero.
        pieces: Pieces in a batch of one worker, of both sides, padding counted.
        rate: Learning rate of AdamW.
        matrix_rate: Learning rate of Muon in units of ``rate``.
        masks: What a masked piece counts against one that is linked.
        workers: Processes, each with a batch in every step.
        seed: Of the weights and of the batches.
    """

    steps: int = 7_500
    warmup: int = 200
    decay: int = 3_500
    pieces: int = 4_096
    rate: float = 0.002
    matrix_rate: float = 2.0
    masks: float = 0.1
    workers: int = 2
    seed: int = 1


def train(folder: Path, plan: Plan, shape: Any, minutes: float = 5.0, *, compiled: bool = True) -> None:
    """Train from the last checkpoint, or from nothing, to ``plan.steps``.

    Args:
        folder: Where the numbers lie.
        plan: Schedule.
        shape: ``network.Shape``.
        minutes: A checkpoint is written after this time.
        compiled: Whether torch compiles the network, which needs a C++ compiler and pays on long runs.
    """
    if plan.workers == 1:
        return _run(0, "", folder, plan, shape, minutes, compiled)
    import torch.multiprocessing

    with tempfile.TemporaryDirectory() as meeting:
        arguments = (f"{meeting}/meeting", folder, plan, shape, minutes, compiled)
        torch.multiprocessing.spawn(_run, arguments, nprocs=plan.workers)


def _run(rank: int, meeting: str, folder: Path, plan: Plan, shape: Any, minutes: float, compiled: bool) -> None:
    import torch
    import torch.distributed as dist

    from spanferry.projectors.bundled.network import Network

    device = "cuda" if torch.cuda.is_available() else "cpu"
    if plan.workers > 1:
        torch.set_num_threads(1)
        dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=plan.workers)
    torch.manual_seed(plan.seed)
    data = {}
    for path in sorted(folder.glob("??.npz")):
        with np.load(path) as file:
            data[path.stem] = {name: file[name] for name in file.files}
    network = Network(shape).to(device)
    steppers = optimizers(network, plan, ("pieces.weight", "positions.weight"), rank)
    checkpoint, first, seen = folder / CHECKPOINT, 0, 0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        network.load_state_dict(state["network"])
        for stepper, own in zip(steppers, state["steppers"], strict=True):
            stepper.load_state_dict(own)
        first, seen = state["step"], state["pieces"]
    forward = torch.compile(network, dynamic=False) if compiled else network
    saved = noted = time.monotonic()
    totals = np.zeros(5)
    batches = stream(data, plan.pieces, (plan.seed, rank, first))
    for step, batch in zip(range(first, plan.steps), batches, strict=False):
        arrays = [torch.from_numpy(getattr(batch, f.name)).to(device) for f in fields(Batch) if f.name != "count"]
        with torch.autocast(device, torch.bfloat16):
            links, count, masks = forward(*arrays)
        guessed, real = (arrays[-1] >= 0).sum(), torch.tensor(float(batch.count), device=device)
        (links + plan.masks * masks * count / guessed.clamp(min=1)).backward()
        numbers = torch.stack([links.detach(), count, masks.detach(), guessed.float(), real])
        take_step(network, steppers, plan, step, numbers)
        totals += numbers.double().cpu().numpy()
        seen += int(numbers[-1])
        if rank == 0 and (step + 1) % _REPORT == 0:
            now = time.monotonic()
            print(
                f"step {step + 1} pieces {seen} links {totals[0] / totals[1]:.3f} masks {totals[2] / totals[3]:.3f} "
                f"pieces/s {totals[4] / (now - noted):.0f}",
                flush=True,
            )
            totals[:], noted = 0, now
        if rank == 0 and (step + 1 == plan.steps or time.monotonic() - saved > minutes * 60):
            state = {"network": network.state_dict(), "steppers": [s.state_dict() for s in steppers]}
            part = checkpoint.with_suffix(".part")
            facts = {"step": step + 1, "pieces": seen, "plan": asdict(plan), "shape": asdict(shape)}
            torch.save({**state, **facts}, part)
            part.replace(checkpoint)
            saved = time.monotonic()
    if plan.workers > 1:
        dist.destroy_process_group()


def main() -> None:
    """Command line."""
    from tokenizers import Tokenizer

    from spanferry.projectors.bundled.network import Shape

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="folder with the numbers")
    for name, default in asdict(Plan()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
    args = parser.parse_args()
    plan = Plan(**{name: getattr(args, name) for name in asdict(Plan())})
    pieces = Tokenizer.from_file(str(args.out / TOKENIZER)).get_vocab_size()
    train(args.out, plan, Shape(pieces=pieces))


if __name__ == "__main__":
    main()

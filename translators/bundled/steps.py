"""Steps of a training: the schedule of the learning rate, the optimizers, and one step shared by several workers."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Protocol


class Schedule(Protocol):
    """What a plan says of its steps.

    Attributes:
        steps: Steps of the optimizers.
        warmup: Steps of linear warm-up.
        decay: Last steps, over which the rate falls to zero.
        rate: Learning rate of AdamW.
        matrix_rate: Learning rate of Muon in units of ``rate``.
        workers: Processes, each with a batch in every step.
    """

    @property
    def steps(self) -> int: ...
    @property
    def warmup(self) -> int: ...
    @property
    def decay(self) -> int: ...
    @property
    def rate(self) -> float: ...
    @property
    def matrix_rate(self) -> float: ...
    @property
    def workers(self) -> int: ...


def rate_at(plan: Schedule, step: int) -> float:
    """Learning rate of a step (0-based): linear warm-up, constant, linear decay to zero."""
    return plan.rate * min(1.0, (step + 1) / plan.warmup, (plan.steps - step) / max(plan.decay, 1))


def optimizers(network: Any, plan: Schedule, tables: Collection[str], rank: int = 0) -> list[Any]:
    """AdamW for the ``tables`` of embeddings and for vectors, Muon for all other matrices, each with its rate."""
    import torch

    from spanferry.translators.bundled.muon import Muon

    named = list(network.named_parameters())
    matrices = [p for name, p in named if p.dim() == 2 and name not in tables]
    rest = [p for name, p in named if p.dim() != 2 or name in tables]
    adam = torch.optim.AdamW(rest, lr=plan.rate, betas=(0.9, 0.98), eps=1e-9, weight_decay=0.0, fused=True)
    return [adam, Muon(matrices, plan.rate * plan.matrix_rate, rank=rank, workers=plan.workers)]


def take_step(network: Any, steppers: list[Any], plan: Schedule, step: int, numbers: Any) -> None:
    """One step along the gradients of all workers.

    Args:
        network: Its gradients are of summed losses.
        steppers: What ``optimizers`` gave.
        plan: The schedule.
        step: Number of the step, 0-based.
        numbers: What each worker has counted, float32; summed over the workers in place. The second is how many the
            loss sums over.
    """
    import torch

    if plan.workers > 1:
        _share_gradients(network, numbers)
    for parameter in network.parameters():
        parameter.grad.div_(numbers[1])
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    for stepper, factor in zip(steppers, (1.0, plan.matrix_rate), strict=True):
        for group in stepper.param_groups:
            group["lr"] = rate_at(plan, step) * factor
        stepper.step()
        stepper.zero_grad(set_to_none=True)


def _share_gradients(network: Any, numbers: Any) -> None:
    """Sum gradients, and the tensor ``numbers``, over the workers, in one message."""
    import torch
    import torch.distributed as dist

    gradients = [p.grad for p in network.parameters()]
    flat = torch.cat([*(g.flatten() for g in gradients), numbers])
    dist.all_reduce(flat)
    numbers.copy_(flat[-len(numbers) :])
    done = 0
    for gradient in gradients:
        gradient.copy_(flat[done : done + gradient.numel()].view_as(gradient))
        done += gradient.numel()

"""Muon for many small matrices at once: momentum, made orthogonal by a Newton-Schulz iteration.

Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"; the scale of the step is that of Liu
et al. 2025, "Muon is Scalable for LLM Training", section 2.2 (0.2 times the root of the larger side), so that learning
rates are comparable with Adam's. Matrices of one shape are stacked: on a CPU one batched product of forty matrices
is several times faster than forty products.
"""

from __future__ import annotations

import math

import torch
import torch.distributed as dist
from torch import Tensor

_STEPS = 5
_A, _B, _C = 3.4445, -4.7750, 2.0315


def orthogonal(stack: Tensor) -> Tensor:
    """About the nearest (semi-)orthogonal matrix of each matrix in (n, rows, columns), in bfloat16."""
    x = stack.bfloat16()
    tall = x.shape[1] > x.shape[2]
    if tall:
        x = x.transpose(1, 2).contiguous()
    x = x / (x.float().flatten(1).norm(dim=1).clamp(min=1e-7)[:, None, None]).bfloat16()
    for _ in range(_STEPS):
        square = torch.bmm(x, x.transpose(1, 2))
        x = _A * x + torch.bmm(_B * square + _C * torch.bmm(square, square), x)
    return x.transpose(1, 2) if tall else x


class Muon(torch.optim.Optimizer):
    """Muon with Nesterov momentum for two-dimensional parameters.

    Args:
        params: Matrices.
        lr: Learning rate, comparable with Adam's.
        momentum: Decay of the running mean of gradients.
        rank: Number of this worker.
        workers: Workers that hold the same gradients; each makes its part of the matrices orthogonal.
    """

    def __init__(
        self, params: list[Tensor], lr: float, momentum: float = 0.95, rank: int = 0, workers: int = 1
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})
        self.rank, self.workers = rank, workers

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """One step on every matrix that has a gradient."""
        for group in self.param_groups:
            shapes: dict[tuple[int, ...], list[Tensor]] = {}
            for p in group["params"]:
                if p.grad is not None:
                    shapes.setdefault(tuple(p.shape), []).append(p)
            for shape, matrices in shapes.items():
                moved = []
                for p in matrices:
                    mean = self.state[p].setdefault("mean", torch.zeros_like(p))
                    mean.lerp_(p.grad, 1 - group["momentum"])
                    moved.append(p.grad.lerp(mean, group["momentum"]))
                scale = 0.2 * math.sqrt(max(shape)) * group["lr"]
                for p, direction in zip(matrices, self._shared(torch.stack(moved)), strict=True):
                    p.add_(direction.to(p.dtype), alpha=-scale)

    def _shared(self, stack: Tensor) -> Tensor:
        """:func:`orthogonal`, with the work split over the workers."""
        if self.workers == 1:
            return orthogonal(stack)
        own = torch.zeros_like(stack)
        mine = orthogonal(stack[self.rank :: self.workers])
        own[self.rank :: self.workers] = mine.to(stack.dtype)
        dist.all_reduce(own)
        return own

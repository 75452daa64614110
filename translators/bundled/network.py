"""A Marian transformer (post-norm, tied embeddings, sinusoidal positions) written for fast training on a CPU.

Parameter names and arithmetic are those of ``MarianMTModel`` of transformers, so a checkpoint loads there unchanged;
what differs is speed: batches hold sources of one length (no source padding, no masks), queries, keys and values
are one product, the logits are computed for real tokens only, and products run in bfloat16.

torch is imported at module level here because the network is made of its classes; nothing imports this module but
the training.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_ROWS = 256


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the network; ``vocabulary`` counts the padding piece, which is the last one."""

    vocabulary: int = 8_000
    width: int = 256
    feed: int = 1024
    heads: int = 4
    encoder_layers: int = 4
    decoder_layers: int = 2


def positions(length: int, width: int) -> Tensor:
    """(length, width) sinusoids as transformers' Marian has them: sines in the first half, cosines in the second."""
    angle = torch.arange(length)[:, None] / 10000 ** (2 * torch.arange(width // 2) / width)
    return torch.cat([angle.sin(), angle.cos()], dim=1).float()


class Attention(nn.Module):
    """Multi-head attention; see :class:`Network` for the shapes."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.k_proj, self.v_proj, self.q_proj, self.out_proj = (nn.Linear(width, width) for _ in range(4))

    def split(self, x: Tensor) -> Tensor:
        """(batch, length, width) to (batch, heads, length, width / heads)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def mix(self, q: Tensor, k: Tensor, v: Tensor, causal: bool) -> tuple[Tensor, Tensor]:
        """Weighted values, (batch, length, width), and the scores (batch, heads, length, other length).

        Written out, since for short rows two batched products are faster on a CPU than the fused kernel.
        """
        q, k, v = self.split(q), self.split(k), self.split(v)
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
        if causal:
            ahead = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).triu(1)
            scores = scores.masked_fill(ahead, -1e4)
        return linear((scores.softmax(-1) @ v).transpose(1, 2).flatten(2), self.out_proj), scores

    def itself(self, x: Tensor, causal: bool) -> Tensor:
        """Self-attention of (batch, length, width)."""
        q, k, v = together(x, self.q_proj, self.k_proj, self.v_proj)
        return self.mix(q, k, v, causal)[0]

    def across(self, x: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Attention from (batch, target, width) to (batch, source, width), and the log-weights of head 0."""
        k, v = together(memory, self.k_proj, self.v_proj)
        mixed, scores = self.mix(linear(x, self.q_proj), k, v, causal=False)
        return mixed, scores[:, 0].float().log_softmax(-1)


def together(x: Tensor, *layers: nn.Linear) -> tuple[Tensor, ...]:
    """Several linear layers of one input as one product."""
    weight = torch.cat([layer.weight for layer in layers]).to(x.dtype)
    bias = torch.cat([layer.bias for layer in layers]).to(x.dtype)
    result: tuple[Tensor, ...] = F.linear(x, weight, bias).chunk(len(layers), dim=-1)
    return result


def linear(x: Tensor, layer: nn.Linear) -> Tensor:
    """A linear layer in the type of ``x``."""
    return F.linear(x, layer.weight.to(x.dtype), layer.bias.to(x.dtype))


def norm(x: Tensor, layer: nn.LayerNorm) -> Tensor:
    """A layer norm in the type of ``x``."""
    return F.layer_norm(x, layer.normalized_shape, layer.weight.to(x.dtype), layer.bias.to(x.dtype))


class Layer(nn.Module):
    """One encoder layer, or one decoder layer when ``cross``."""

    def __init__(self, shape: Shape, cross: bool) -> None:
        super().__init__()
        self.self_attn = Attention(shape.width, shape.heads)
        self.self_attn_layer_norm = nn.LayerNorm(shape.width)
        self.cross = cross
        if cross:
            self.encoder_attn = Attention(shape.width, shape.heads)
            self.encoder_attn_layer_norm = nn.LayerNorm(shape.width)
        self.fc1, self.fc2 = nn.Linear(shape.width, shape.feed), nn.Linear(shape.feed, shape.width)
        self.final_layer_norm = nn.LayerNorm(shape.width)

    def forward(self, x: Tensor, memory: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """(batch, length, width) to the same, and head 0's cross-attention log-weights for a decoder layer."""
        weights = None
        x = norm(x + self.self_attn.itself(x, causal=self.cross), self.self_attn_layer_norm)
        if memory is not None:
            mixed, weights = self.encoder_attn.across(x, memory)
            x = norm(x + mixed, self.encoder_attn_layer_norm)
        x = norm(x + linear(F.relu(linear(x, self.fc1)), self.fc2), self.final_layer_norm)
        return x, weights


class Stack(nn.Module):
    """The layers of one side, under the name transformers gives them."""

    def __init__(self, shape: Shape, layers: int, cross: bool) -> None:
        super().__init__()
        self.layers = nn.ModuleList([Layer(shape, cross) for _ in range(layers)])


class Network(nn.Module):
    """The whole model: ``forward`` gives the losses of a batch."""

    def __init__(self, shape: Shape, max_length: int = 512) -> None:
        super().__init__()
        self.shape = shape
        self.shared = nn.Embedding(shape.vocabulary, shape.width)
        self.encoder = Stack(shape, shape.encoder_layers, cross=False)
        self.decoder = Stack(shape, shape.decoder_layers, cross=True)
        self.register_buffer("positions", positions(max_length, shape.width), persistent=False)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                std = 0.04 if name == "shared.weight" else math.sqrt(1 / parameter.shape[1])
                nn.init.normal_(parameter, std=std)
            elif "layer_norm" not in name:
                nn.init.zeros_(parameter)
        with torch.no_grad():
            self.shared.weight[-1] = 0.0

    def embed(self, ids: Tensor, dtype: torch.dtype) -> Tensor:
        """(batch, length) to (batch, length, width); the padding piece, which starts a target, is zero."""
        table = self.shared.weight
        x = F.embedding(ids, table, padding_idx=self.shape.vocabulary - 1) * math.sqrt(self.shape.width)
        return (x + self.get_buffer("positions")[: ids.shape[1]]).to(dtype)

    def forward(
        self, source: Tensor, target: Tensor, links: Tensor, smoothing: float, dtype: torch.dtype
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Losses of a batch, summed.

        Args:
            source: (batch, source) ids, all rows of one length.
            target: (batch, target) ids with the end piece, padded behind it.
            links: (batch, target, source) bool, the source pieces a target piece is aligned to.
            smoothing: Label smoothing (Szegedy et al. 2016, section 7).
            dtype: Type of the products.

        Returns:
            Cross-entropy over target pieces (nats, summed), number of target pieces, and the guided attention
            losses (Garg et al. 2019, section 4.2): minus the mean log of the attention that head 0 gives to linked
            pieces, in the last layer by the step that predicts a piece and in the first layer by the step
            that has read it.
        """
        pad = self.shape.vocabulary - 1
        memory = self.embed(source, dtype)
        for layer in self.encoder.layers:
            memory, _ = layer(memory)
        start = torch.full_like(target[:, :1], pad)
        x = self.embed(torch.cat([start, target[:, :-1]], dim=1), dtype)
        attention = []
        for layer in self.decoder.layers:
            x, weights = layer(x, memory)
            attention.append(weights)
        real = target != pad
        loss: Tensor = SmoothedLoss.apply(x[real], self.shared.weight[:-1].to(dtype), target[real], smoothing)
        guided = aligned_loss(attention[-1], links)
        if len(attention) > 1:
            guided = guided + aligned_loss(attention[0][:, 1:], links[:, :-1])
        return loss, real.sum(), guided


class SmoothedLoss(torch.autograd.Function):
    """Summed label-smoothed cross-entropy of ``x @ table.T`` that makes its gradient on the way forward.

    The (tokens, vocabulary) matrix is the largest of the model: it is gone through as few times as can be.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, table: Tensor, wanted: Tensor, smoothing: float) -> Tensor:
        """Loss of rows x (tokens, width) against ``wanted`` (tokens,) for a table (vocabulary, width)."""
        loss = torch.zeros((), device=x.device)
        by_x, by_table = torch.empty_like(x), torch.zeros(table.shape, device=x.device)
        # A few rows at a time, so that the logits stay in the cache of a CPU.
        for start in range(0, len(x), _ROWS):
            rows = x[start : start + _ROWS]
            chosen = wanted[start : start + _ROWS, None]
            logits = F.linear(rows, table).float()
            total = logits.logsumexp(-1, keepdim=True)
            right = logits.gather(1, chosen)
            loss += (total - (1 - smoothing) * right - smoothing * logits.mean(-1, keepdim=True)).sum()
            gradient = logits.sub_(total).exp_().sub_(smoothing / table.shape[0])
            gradient.scatter_add_(1, chosen, torch.full_like(right, smoothing - 1))
            gradient = gradient.to(x.dtype)
            torch.mm(gradient, table, out=by_x[start : start + _ROWS])
            by_table += gradient.t() @ rows
        ctx.save_for_backward(by_x, by_table)
        return loss

    @staticmethod
    def backward(ctx: Any, outer: Tensor) -> tuple[Tensor, Tensor, None, None]:
        """Gradients of x and of the table."""
        by_x, by_table = ctx.saved_tensors
        return by_x * outer.to(by_x.dtype), (by_table * outer).to(by_x.dtype), None, None


def aligned_loss(log_weights: Tensor, links: Tensor) -> Tensor:
    """Mean of -log(attention on linked source pieces) over target pieces that have a link; 0 where none has."""
    rows = links.any(-1)
    if not bool(rows.any()):
        return log_weights.sum() * 0.0
    kept = log_weights[rows].masked_fill(~links[rows], float("-inf"))
    return -kept.logsumexp(-1).mean()

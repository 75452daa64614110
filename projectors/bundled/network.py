"""The bundled aligner in plain torch: an encoder of BERT's layout (Devlin et al., NAACL 2019) with two objectives.

Links: in either direction a piece must find, among all pieces of the other text and an empty word, those that its word
is linked to, or the empty word where it is linked to none. That is the softmax over the products of contextual vectors
of AWESOME (Dou and Neubig, EACL 2021, section 2.1) with an empty word, trained on given links instead of its own.
Masks: a tenth of the pieces is masked and predicted from the rest, so that links are learned from context too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spanferry.projectors.bundled.texts import PAD

_LAST_NORM = 0.25  # so that products of vectors begin between -16 and 16
_LOWEST = torch.finfo(torch.float32).min / 4


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the network."""

    pieces: int
    width: int = 256
    layers: int = 4
    heads: int = 4
    feed: int = 1024
    positions: int = 512


class Layer(nn.Module):
    """Self-attention and feed-forward, each added to its input and then normalised."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.queries_keys_values = nn.Linear(shape.width, 3 * shape.width)
        self.mix = nn.Linear(shape.width, shape.width)
        self.mixed = nn.LayerNorm(shape.width, eps=1e-12)
        self.up = nn.Linear(shape.width, shape.feed)
        self.down = nn.Linear(shape.feed, shape.width)
        self.fed = nn.LayerNorm(shape.width, eps=1e-12)
        for linear, spread in ((self.queries_keys_values, 0.04), (self.up, 0.04), (self.mix, 0.02), (self.down, 0.02)):
            nn.init.normal_(linear.weight, std=spread)
            nn.init.zeros_(linear.bias)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(n_texts, n_pieces, width), with ``mask`` (n_texts, 1, 1, n_pieces) added to the weights of attention."""
        texts, length, width = x.shape
        parts = self.queries_keys_values(x).view(texts, length, 3, self.heads, width // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        # Written out: torch's own attention takes twice as long on a CPU with matrices so small.
        weights = (q @ k.transpose(-1, -2) / math.sqrt(width // self.heads) + mask).softmax(-1)
        found = (weights.to(v.dtype) @ v).transpose(1, 2).reshape(texts, length, width)
        x = self.mixed(x + self.mix(found))
        normed: Tensor = self.fed(x + self.down(F.gelu(self.up(x))))
        return normed


class Network(nn.Module):
    """The encoder and what it is trained by."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.pieces = nn.Embedding(shape.pieces, shape.width)
        self.positions = nn.Embedding(shape.positions, shape.width)
        self.embedded = nn.LayerNorm(shape.width, eps=1e-12)
        self.layers = nn.ModuleList([Layer(shape) for _ in range(shape.layers)])
        self.guess = nn.Linear(shape.width, shape.width)
        self.guessed = nn.LayerNorm(shape.width)
        self.bias = nn.Parameter(torch.zeros(shape.pieces))
        nn.init.normal_(self.pieces.weight, std=0.05)
        nn.init.normal_(self.positions.weight, std=0.02)
        nn.init.constant_(self.layers[-1].fed.weight, _LAST_NORM)

    def vectors(self, pieces: Tensor, start: Tensor) -> Tensor:
        """Contextual vectors of ``pieces`` (n_texts, n_pieces), the first at position ``start`` (n_texts, 1)."""
        at = start + torch.arange(pieces.shape[1], device=pieces.device)
        x: Tensor = self.embedded(self.pieces(pieces) + self.positions(at))
        mask = torch.where(pieces != PAD, 0.0, -30.0)[:, None, None, :].to(torch.bfloat16)
        for layer in self.layers:
            x = layer(x, mask)
        return x

    def forward(
        self,
        pieces: Tensor,
        start: Tensor,
        sure: Tensor,
        seen: Tensor,
        supervised: Tensor,
        masked: Tensor,
        wanted: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Summed losses of a batch of n pairs whose texts have room for m pieces.

        Args:
            pieces: (2 * n, m): the sources, then the targets.
            start: First positions, (2 * n, 1).
            sure: Which pieces are linked, bool (n, m, m).
            seen: Which a piece chooses among: all but the padding, the specials and the possible links, bool (n, m, m).
            supervised: Of which pieces it is known what they are linked to, if to anything, bool (2 * n, m).
            masked: Numbers of the masked pieces among all 2 * n * m.
            wanted: What stood there; -100 counts for nothing.

        Returns:
            The loss of the links, the number of pieces it sums over, and the loss of the masked pieces.
        """
        vectors = self.vectors(pieces, start)
        n = len(sure)
        source, target = vectors[:n].float(), vectors[n:].float()
        products = source @ target.transpose(1, 2)
        among, right = products.masked_fill(~seen, _LOWEST), products.masked_fill(~sure, _LOWEST)
        loss, count = products.new_zeros(()), products.new_zeros(())
        for axis, known in ((2, supervised[:n]), (1, supervised[n:])):
            empty = torch.zeros_like(products.select(axis, 0)).unsqueeze(axis)
            everything = torch.cat([among, empty], axis).logsumexp(axis)
            found = torch.where(sure.any(axis), right.logsumexp(axis), 0.0)
            loss = loss + ((everything - found) * known).sum()
            count = count + known.sum()
        hidden = self.guessed(F.gelu(self.guess(vectors.flatten(0, 1)[masked])))
        guesses = F.linear(hidden, self.pieces.weight, self.bias).float()
        return loss, count, F.cross_entropy(guesses, wanted, reduction="sum")

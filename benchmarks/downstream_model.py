"""A small language model of its own: trained on a stream of tokens, measured by what it loses on texts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

END = 0
"""The token between texts."""


@dataclass(frozen=True)
class Shape:
    """How large the model is and how it learns; 560,000 parameters by default.

    Attributes:
        vocabulary: tokens.
        context: tokens that it sees at once.
        width, layers, heads: of the transformer.
        batch: contexts of a step.
        rate: highest rate of AdamW, after a warm-up of one step in twenty, then a cosine down to a tenth.
    """

    vocabulary: int = 2048
    context: int = 256
    width: int = 96
    layers: int = 3
    heads: int = 4
    batch: int = 4
    rate: float = 6e-3


@dataclass(frozen=True)
class Piece:
    """Part of a text to be measured.

    Attributes:
        tokens: int64, those before which each target stands; the first is ``END`` or the last of the piece before.
        targets: int64, of the same shape.
        counted: bool, (2, tokens): which targets count, in all and in the completion.
    """

    tokens: NDArray[np.int64]
    targets: NDArray[np.int64]
    counted: NDArray[np.bool_]


def pieces(prompt: Sequence[int], completion: Sequence[int], context: int) -> list[Piece]:
    """Cut a text into pieces of at most ``context`` targets. No piece sees another, and each target is in one."""
    targets = np.array([*prompt, *completion], np.int64)
    tokens = np.array([END, *targets[:-1]], np.int64)
    counted = np.ones((2, len(targets)), np.bool_)
    counted[1, : len(prompt)] = False
    return [
        Piece(tokens[at : at + context], targets[at : at + context], counted[:, at : at + context])
        for at in range(0, len(targets), context)
    ]


def fresh(shape: Shape, seed: int) -> Any:
    """Return a model that has learned nothing; equal seeds make equal models."""
    import torch
    from torch import nn
    from torch.nn import functional

    class Block(nn.Module):
        """Attention to what came before, and a layer of its own for each token."""

        def __init__(self) -> None:
            super().__init__()
            self.before, self.between = nn.LayerNorm(shape.width), nn.LayerNorm(shape.width)
            self.seen, self.told = nn.Linear(shape.width, 3 * shape.width), nn.Linear(shape.width, shape.width)
            self.wide, self.back = nn.Linear(shape.width, 4 * shape.width), nn.Linear(4 * shape.width, shape.width)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            many, length, width = x.shape
            q, k, v = (
                part.view(many, length, shape.heads, width // shape.heads).transpose(1, 2)
                for part in self.seen(self.before(x)).split(width, dim=2)
            )
            mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.told(mixed.transpose(1, 2).reshape(many, length, width))
            found: torch.Tensor = x + self.back(functional.gelu(self.wide(self.between(x))))
            return found

    class Decoder(nn.Module):
        """A decoder whose output weights are those of its embedding."""

        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(shape.vocabulary, shape.width)
            self.places = nn.Embedding(shape.context, shape.width)
            self.blocks = nn.ModuleList(Block() for _ in range(shape.layers))
            self.last = nn.LayerNorm(shape.width)

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            x = self.embedding(tokens) + self.places.weight[: tokens.shape[1]]
            for block in self.blocks:
                x = block(x)
            return self.last(x) @ self.embedding.weight.T

    model, generator = Decoder(), torch.Generator().manual_seed(seed)
    for name, weights in sorted(model.named_parameters()):
        if weights.dim() > 1:
            deep = math.sqrt(2 * shape.layers) if name.endswith(("told.weight", "back.weight")) else 1.0
            nn.init.normal_(weights, std=0.02 / deep, generator=generator)
        elif name.endswith("bias"):
            nn.init.zeros_(weights)
    return model


def trained(shape: Shape, seed: int, stream: NDArray[np.int64]) -> Any:
    """Return a model that has seen a stream of tokens once, from its start to its end.

    Args:
        shape: of the model.
        seed: of its first weights.
        stream: int64; what is left over after the last whole step is not seen.
    """
    import torch
    from torch.nn import functional

    model = fresh(shape, seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=shape.rate, betas=(0.9, 0.95), weight_decay=0.1)
    size = shape.batch * shape.context
    steps = (len(stream) - 1) // size
    tokens = torch.from_numpy(stream)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = shape.rate * pace(step, steps)
        at = step * size
        logits = model(tokens[at : at + size].view(shape.batch, shape.context))
        loss = functional.cross_entropy(logits.flatten(0, 1), tokens[at + 1 : at + size + 1])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return model


def pace(step: int, steps: int) -> float:
    """Return the share of the highest rate at a step: up for a twentieth of them, then down to a tenth."""
    warm = max(1, steps // 20)
    if step < warm:
        return (step + 1) / warm
    return 0.1 + 0.45 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def losses(model: Any, texts: Sequence[Piece], batch: int = 32) -> NDArray[np.float64]:
    """Return what a model loses on pieces: float64, (2,), nats of all that count, and of completions."""
    import torch
    from torch.nn import functional

    total = np.zeros(2)
    order = sorted(range(len(texts)), key=lambda i: len(texts[i].tokens))
    with torch.no_grad():
        for first in range(0, len(order), batch):
            some = [texts[i] for i in order[first : first + batch]]
            longest = len(some[-1].tokens)
            tokens, targets = np.zeros((2, len(some), longest), np.int64)
            counted = np.zeros((2, len(some), longest))
            for row, piece in enumerate(some):
                size = len(piece.tokens)
                tokens[row, :size], targets[row, :size] = piece.tokens, piece.targets
                counted[:, row, :size] = piece.counted
            logits = model(torch.from_numpy(tokens)).flatten(0, 1)
            lost = functional.cross_entropy(logits, torch.from_numpy(targets).flatten(), reduction="none")
            total += counted.reshape(2, -1) @ lost.double().numpy()
    return total

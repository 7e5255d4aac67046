"""The losses that a learned hash is trained with.

The margin loss is that of NLSHBlock (Wang et al., SDM 2024, arXiv 2401.18064): matches are drawn within a radius R,
others pushed beyond c R, as a family of (R, c R, p1, p2)-sensitive hash functions wants them:

    L = max(R, d(p, q)) - min(c R, d(p, r))        q a match of p, r none
      = [d(p, q) - R]+ + [c R - d(p, r)]+ - (c - 1) R

The second line is the double-margin contrastive loss but for a constant; so there is no gradient within the margins.
Tensors are those of torch, of any float type and device.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def margin_loss(near: "Tensor", far: "Tensor", radius: float, ratio: float) -> "Tensor":
    """Return the margin loss of each triple as it is published; its least value is ``-(ratio - 1) * radius``.

    Args:
        near: distances of anchors and their matches, any shape.
        far: distances of the same anchors and records that are no match.
        radius: R, above 0.
        ratio: c, above 1.
    """
    return near.clamp(min=radius) - far.clamp(max=ratio * radius)


def double_margin_loss(near: "Tensor", far: "Tensor", radius: float, ratio: float) -> "Tensor":
    """Return ``margin_loss`` plus ``(ratio - 1) * radius``: 0 where both margins are kept."""
    return (near - radius).clamp(min=0) + (ratio * radius - far).clamp(min=0)


def distances(vectors: "Tensor") -> "Tensor":
    """Return the Euclidean distances of all rows: shape (n, n). The gradient is finite at 0 too."""
    squares = (vectors * vectors).sum(1)
    squared = squares[:, None] + squares[None, :] - 2.0 * vectors @ vectors.T
    distance: Tensor = squared.clamp(min=1e-12).sqrt()
    return distance


def batch_margin_loss(
    distance: "Tensor",
    first: "Tensor",
    second: "Tensor",
    groups: "Tensor",
    radius: float,
    ratio: float,
    hardest: int,
) -> "Tensor":
    """Return the double-margin loss of a batch: each end of a match against what is nearest to it and no match.

    Args:
        distance: shape (t, t): of all texts of the batch.
        first, second: int64, shape (n,): the matches, by place among the texts.
        groups: int64, shape (t,): texts of the same group are never taken as others.
        radius, ratio: as ``margin_loss``.
        hardest: so many of the nearest others of each end count.

    Returns:
        a scalar: the mean over matches plus the mean over ends and their others; 0 where all keep their margins.
    """
    import torch

    ends = torch.cat([first, second])
    others = groups[ends][:, None] != groups[None, :]
    far = torch.where(others, distance[ends], torch.inf).topk(min(hardest, len(groups)), dim=1, largest=False).values
    near = (distance[first, second] - radius).clamp(min=0).mean()
    beyond: Tensor = (ratio * radius - far).clamp(min=0).mean()
    return near + beyond


def straight_through(values: "Tensor") -> "Tensor":
    """Return the signs, 1 or -1 (that of 0 is 1); the gradient is that of tanh (Bengio et al. 2013)."""
    import torch

    soft = torch.tanh(values)
    hard = torch.where(values >= 0, 1.0, -1.0).to(values.dtype)
    return soft + (hard - soft).detach()


def balance_loss(bits: "Tensor") -> "Tensor":
    """Return the mean square of the mean of each bit: 0 where each is 1 as often as -1.

    Args:
        bits: shape (n, bits), from -1 to 1.
    """
    return bits.mean(0).square().mean()


def decorrelation_loss(bits: "Tensor") -> "Tensor":
    """Return the mean square of the products of different bits: 0 where no bit tells of another.

    Args:
        bits: shape (n, bits), from -1 to 1; at least two bits.
    """
    import torch

    n, width = bits.shape
    products = (bits.T @ bits) / n
    apart = ~torch.eye(width, dtype=torch.bool, device=bits.device)
    return products[apart].square().mean()


def quantisation_loss(values: "Tensor") -> "Tensor":
    """Return the mean of 1 - cos(v, sign v): 0 where all values of a row are equally far from 0.

    Args:
        values: shape (n, bits): what the signs are taken of.
    """
    import torch

    signs = torch.where(values >= 0, 1.0, -1.0).to(values.dtype)
    return (1.0 - torch.nn.functional.cosine_similarity(values, signs, dim=1)).mean()

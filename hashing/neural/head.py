"""The hashing head: layers that make a few values of a vector, whose signs are its code."""

import io
import zipfile
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import ArtefactError, ConfigError
from ..layers import ACTIVATIONS, GELU, gelu, linear, relu


@dataclass(frozen=True)
class Head:
    """Layers with an activation between them; the last one has none.

    A layer makes ``x @ weights + bias`` of x. PyTorch keeps ``weights`` transposed: ``linear.weight.T``.

    Attributes:
        weights: float32, of each layer, shape (values before it, values behind it).
        biases: float32, of each layer, shape (values behind it,).
        activation: ``gelu`` or ``relu``.

    Raises:
        ConfigError: the shapes do not fit together, or a value is not finite.
    """

    weights: tuple[NDArray[np.float32], ...]
    biases: tuple[NDArray[np.float32], ...]
    activation: str = GELU

    def __post_init__(self) -> None:
        shapes = [(w.shape, b.shape) for w, b in zip(self.weights, self.biases, strict=False)]
        fits = bool(shapes) and len(self.weights) == len(self.biases)
        fits = fits and all(len(w) == 2 and b == w[1:] and 0 not in w for w, b in shapes)
        fits = fits and all(w[1] == after[0] for (w, _), (after, _) in zip(shapes, shapes[1:], strict=False))
        if not fits or self.activation not in ACTIVATIONS:
            raise ConfigError(
                f"layers of a head take what the one before makes, with one of {', '.join(ACTIVATIONS)} between them",
                value=f"{self.activation}, shapes {shapes}",
                remedy="Give weights as (values before, values behind) and a bias for each value behind.",
            )
        if not all(np.isfinite(array).all() for array in (*self.weights, *self.biases)):
            raise ConfigError(
                "the values of a head are finite", value="one is not", remedy="Train with a lower learning rate."
            )
        for name in ("weights", "biases"):
            arrays = tuple(np.ascontiguousarray(array, np.float32) for array in getattr(self, name))
            object.__setattr__(self, name, arrays)

    @property
    def dim(self) -> int:
        """Values of a vector that it takes."""
        return int(self.weights[0].shape[0])

    @property
    def bits(self) -> int:
        """Values that the last layer makes."""
        return int(self.weights[-1].shape[1])

    @property
    def hidden(self) -> tuple[int, ...]:
        """Values that each layer but the last makes."""
        return tuple(int(array.shape[1]) for array in self.weights[:-1])

    def __call__(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what the last layer makes of some vectors: equal bits on every machine, whatever stands beside them.

        Args:
            vectors: float32, shape (n, dim).

        Returns:
            float32, shape (n, bits).
        """
        values = np.ascontiguousarray(vectors, np.float32)
        between = gelu if self.activation == GELU else relu
        for number, (weights, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            values = linear(between(values) if number else values, weights, bias)
        return values


def head_bytes(head: Head) -> bytes:
    """Return a head as a file of NumPy: w0, b0, w1, b1 ...; equal heads give equal bytes."""
    arrays = {f"w{i}": array for i, array in enumerate(head.weights)}
    arrays |= {f"b{i}": array for i, array in enumerate(head.biases)}
    stream = io.BytesIO()
    np.savez(stream, **{name: arrays[name] for name in sorted(arrays)})  # type: ignore[arg-type]
    return stream.getvalue()


def read_head(content: bytes, activation: str, place: str) -> Head:
    """Return the head in a file of NumPy.

    Args:
        content: of the file.
        activation: ``gelu`` or ``relu``.
        place: where it was, for errors.

    Raises:
        ArtefactError: it is not one.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            layers = sum(name.startswith("w") for name in arrays.files)
            weights, biases = ([arrays[f"{kind}{i}"] for i in range(layers)] for kind in "wb")
        return Head(tuple(weights), tuple(biases), activation)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, ConfigError) as error:
        raise ArtefactError(
            "the file of a head has arrays w0, b0, w1, b1 ... that fit together",
            value=f"{place}: {error}",
            remedy="Restore it, or train again.",
        ) from error

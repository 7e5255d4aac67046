"""The network that is trained: an encoder of sentence-transformers, and a head that makes codes of its vectors."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from ..mix import derive_seed
from .export import load_model
from .head import Head
from .onnx_encoder import library_for_vectors
from .settings import TrainSettings

if TYPE_CHECKING:
    from torch import Tensor

_ROWS = 64
"""Texts that are encoded at a time."""


class Network:
    """An encoder and, where there are bits, a head.

    Attributes:
        encoder: a ``SentenceTransformer``.
        head: linear layers with GELU between; None: there is none.
        settings: what it was made by.
    """

    def __init__(self, settings: TrainSettings) -> None:
        self.settings = settings
        self.encoder = load_encoder(settings)
        _freeze(self.encoder, settings.layers)
        dim = int(self.vectors(["a"]).shape[1])
        self.head = _head(dim, settings).to(self.encoder.device) if settings.bits else None

    @property
    def modules(self) -> list[Any]:
        """Return what holds the weights."""
        return [self.encoder] if self.head is None else [self.encoder, self.head]

    def vectors(self, texts: Sequence[str]) -> "Tensor":
        """Return the vectors of some texts as the network is now, with gradients: float32, shape (n, dim)."""
        import torch

        device = self.encoder.device
        asked = self.encoder.preprocess(list(texts))
        features = {name: part.to(device) if torch.is_tensor(part) else part for name, part in asked.items()}
        with torch.autocast(device.type, torch.bfloat16, enabled=self.settings.precision == "bfloat16"):
            found = self.encoder(features)["sentence_embedding"]
        vectors: Tensor = found.float()
        return vectors

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of texts without dropout and gradients: float32, shape (n, dim)."""
        import torch

        order = np.argsort([-len(text) for text in texts], kind="stable")  # so that little is padded
        parts = []
        with torch.inference_mode(), evaluating(self.encoder):
            for start in range(0, len(texts), _ROWS):
                some = [texts[i] for i in order[start : start + _ROWS]]
                parts.append(self.vectors(some).cpu().numpy())
        vectors = np.empty((len(texts), parts[0].shape[1] if parts else 0), np.float32)
        if parts:
            vectors[order] = np.concatenate(parts)
        return vectors

    def project(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the values of which the signs are a code: float32, shape (n, bits)."""
        import torch

        if self.head is None:
            raise ConfigError("there is a head to make codes with", value="0 bits", remedy="Train with `bits`.")
        with torch.inference_mode():
            given = torch.from_numpy(np.ascontiguousarray(vectors, np.float32)).to(self.encoder.device)
            values: NDArray[np.float32] = self.head(given).cpu().numpy()
        return values

    def saved_head(self) -> Head | None:
        """Return the head as hashers keep it."""
        import torch

        if self.head is None:
            return None
        layers = [part for part in self.head if isinstance(part, torch.nn.Linear)]
        weights = tuple(one.weight.detach().cpu().numpy().T for one in layers)
        return Head(weights, tuple(one.bias.detach().cpu().numpy() for one in layers))


def check_device(device: str) -> None:
    """Make sure that torch is installed and has a device.

    Raises:
        ConfigError: it is not, or has not.
    """
    torch = library_for_vectors("torch")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    there = ["cpu", *(["cuda"] if count else []), *(f"cuda:{i}" for i in range(count))]
    if device not in there:
        raise ConfigError(f"the device is one of {', '.join(there)}", value=device, remedy="Mend `device`.")


def load_encoder(settings: TrainSettings) -> Any:
    """Return the encoder as a ``SentenceTransformer`` that cuts texts and gives vectors as the settings want.

    Its weights are float32, also where they were saved with 16 bits: steps of AdamW are too small for those.

    Raises:
        ConfigError: a library is not installed, or the model is not there.
    """
    encoder = load_model(settings.encoder, device=settings.device).float()
    limit = encoder.max_seq_length or encoder.tokenizer.model_max_length
    encoder.max_seq_length = min(settings.max_tokens, limit)
    if settings.normalise and type(encoder[-1]).__name__ != "Normalize":
        encoder.append(_normalise())
    return encoder


def _normalise() -> Any:
    """Return a module that gives vectors length 1."""
    if find_spec("sentence_transformers.sentence_transformer"):
        from sentence_transformers.sentence_transformer import modules
    else:  # before version 6
        from sentence_transformers import models as modules
    return modules.Normalize()


@contextmanager
def evaluating(module: Any) -> Iterator[None]:
    """Switch dropout off for a while."""
    before = module.training
    module.eval()
    try:
        yield
    finally:
        module.train(before)


def _freeze(encoder: Any, layers: int | None) -> None:
    """Let the highest so many layers alone be trained, and what comes after them."""
    if layers is None:
        return
    for one in encoder.parameters():
        one.requires_grad_(False)
    if not layers:
        return
    stack = _layers(encoder)
    if layers > len(stack):
        raise ConfigError(
            "no more layers are trained than the encoder has",
            value=f"{layers} of {len(stack)}",
            remedy="Mend `layers`.",
        )
    for part in (*stack[len(stack) - layers :], *list(encoder.children())[1:]):
        for one in part.parameters():
            one.requires_grad_(True)


def _layers(encoder: Any) -> list[Any]:
    """Return the layers of the transformer, the lowest first."""
    import torch

    count = getattr(getattr(encoder.transformers_model, "config", None), "num_hidden_layers", 0)
    for module in encoder.modules():
        if isinstance(module, torch.nn.ModuleList) and len(module) == count:
            return list(module)
    raise ConfigError(
        "`layers` counts those of a transformer", value="an encoder of another kind", remedy="Leave `layers` out."
    )


def _head(dim: int, settings: TrainSettings) -> Any:
    """Return a head that begins as random hyperplanes, or with layers of random weights before them."""
    import torch

    generator = torch.Generator().manual_seed(derive_seed(settings.seed, "head") >> 1)
    parts: list[Any] = []
    width = dim
    for size in (*settings.hidden, settings.bits):
        layer = torch.nn.Linear(width, size)
        spread = 1.0 if width == dim and not parts else (2.0 / width) ** 0.5
        with torch.no_grad():
            layer.weight.copy_(torch.randn(size, width, generator=generator) * spread)
            layer.bias.zero_()
        parts += [torch.nn.GELU(), layer] if parts else [layer]
        width = size
    return torch.nn.Sequential(*parts)

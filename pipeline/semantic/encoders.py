"""What makes vectors of documents: a hasher's encoder, or hashed n-grams, which need no model."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ...hashing.errors import ConfigError
from ...hashing.hashed_vectors import DIMENSIONS, NGRAM, hashed_vectors
from ...hashing.neural.hasher import HEADER, Hasher, load_hasher
from ..engine import Engine
from ..text_column import text_buffers

HASHED = "hashed-ngrams"
"""Names the encoder that needs no model."""


class Encoder(Protocol):
    """Makes vectors of texts, each of its text alone; plain data that can be sent to other processes."""

    @property
    def dim(self) -> int:
        """Values of a vector."""

    @property
    def facts(self) -> dict[str, Any]:
        """What its vectors depend on, as plain data: not where it lies."""

    def shared(self, engine: Engine) -> "Encoder":
        """Return the same, from where every task of an engine sees its files."""

    def __call__(self, texts: pa.Array) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return (float32 vectors, shape (n, dim); whether each text is longer than what was encoded of it)."""


@dataclass(frozen=True)
class HashedNgrams:
    """Hashed character n-grams of whole texts; see ``hashing/hashed_vectors.py``."""

    @property
    def dim(self) -> int:
        """Values of a vector."""
        return DIMENSIONS

    @property
    def facts(self) -> dict[str, Any]:
        """What its vectors depend on."""
        return {"name": HASHED, "dimensions": DIMENSIONS, "ngram": NGRAM, "profile": "words-v1"}

    def shared(self, engine: Engine) -> Encoder:
        """Return this: there are no files."""
        return self

    def __call__(self, texts: pa.Array) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return vectors, and that no text is cut."""
        return hashed_vectors(*text_buffers(texts)), np.zeros(len(texts), np.bool_)


@dataclass(frozen=True)
class ModelEncoder:
    """The encoder of a hasher.

    Attributes:
        hasher: read from its folder.
    """

    hasher: Hasher

    @property
    def dim(self) -> int:
        """Values of a vector."""
        return self.hasher.settings.encoder.dim

    @property
    def facts(self) -> dict[str, Any]:
        """What its vectors depend on."""
        encoder = self.hasher.settings.encoder
        return {
            "name": encoder.name,
            "max_tokens": encoder.max_tokens,
            "dimensions": encoder.dim,
            "sha256": self.hasher.encoder_fingerprint,
        }

    def shared(self, engine: Engine) -> Encoder:
        """Return the same hasher in the folder that all tasks see."""
        return ModelEncoder(replace(self.hasher, path=str(engine.share(Path(self.hasher.path)))))

    def __call__(self, texts: pa.Array) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return vectors, and which texts have more tokens than the encoder reads."""
        strings = texts.cast(pa.large_string()).to_pylist()
        return self.hasher.encode(strings), self.hasher.cuts(strings)


def open_encoder(model: str) -> Encoder:
    """Return the encoder of that name, or in that folder, after a look at every byte of it.

    Raises:
        ConfigError: there is none.
        ArtefactError: the folder is damaged, or of another version.
    """
    if model == HASHED:
        return HashedNgrams()
    if not (Path(model) / HEADER).exists():
        raise ConfigError(
            f"`model` is {HASHED} or the folder of a hasher",
            value=model,
            remedy="Make one of a model of sentence-transformers: `tamis block encoder MODEL --out DIR`.",
        )
    return ModelEncoder(load_hasher(model))

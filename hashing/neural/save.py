"""A trained network as a hasher: one folder that needs no PyTorch."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .export import export_encoder
from .hasher import Hasher
from .train import Trained


def save_trained(
    trained: Trained,
    out: str | Path,
    *,
    name: str | None = None,
    bands: tuple[int, int] | None = None,
    measures: Mapping[str, Any] | None = None,
) -> Hasher:
    """Save a trained network with a card of settings, seeds, data and history.

    Args:
        trained: what ``train_hasher`` returned.
        out: a new or empty folder.
        name: of the encoder, for people; default: what the settings call it, of a folder its last part.
        bands: (bands, bits of each) for buckets of its codes.
        measures: what it was measured to do, as plain values; the card says it.

    Raises:
        ConfigError: nothing can be saved there, or the encoder cannot be exported.
        ArtefactError: the graph makes other vectors than the network.
    """
    network = trained.network
    settings = network.settings
    card = trained.card() | ({"measures": dict(measures)} if measures else {})
    unit = type(network.encoder[-1]).__name__ == "Normalize"
    return export_encoder(
        network.encoder,
        out,
        name=name or (Path(settings.encoder).name if Path(settings.encoder).is_dir() else settings.encoder),
        max_tokens=network.encoder.max_seq_length,
        text=settings.text,
        head=network.saved_head(),
        bands=bands,
        metric="cosine" if unit else "euclidean",
        trained=card,
    )

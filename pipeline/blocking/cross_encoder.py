"""Scores of a cross-encoder: a model that reads both records of a pair together.

Loaded by sentence-transformers (extra ``neural``). A model is a folder, or the name of one that is in the cache of
Hugging Face already: nothing is downloaded here. Each distinct pair of texts is scored once, alone in its batch and by
one thread, so that its score does not depend on the other pairs or on the number of processors (batches of 32 are a
quarter faster, and move the last bits of scores). Scores are kept by content.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ...hashing.errors import ArtefactError, ConfigError
from .score_store import keep_scores, kept_scores, pair_keys

KEPT_AT_ONCE = 4096
"""Scores that are kept together: work of a minute or so, which is lost at most when a run is killed."""

_HEAD = "ForSequenceClassification"


def cross_encoder_scores(
    left_texts: pa.Array, right_texts: pa.Array, model: str, *, folder: Path | None = None, device: str = "cpu"
) -> NDArray[np.float64]:
    """Return the score of each pair of texts, as the model gives it: float64, shape (n,).

    Args:
        left_texts, right_texts: string or large_string, shape (n,).
        model: folder of a model for one score (``num_labels`` 1), or its name in the cache of Hugging Face.
        folder: where scores are kept between runs; None: they are not.
        device: where the model works, as torch names it. Others than ``cpu`` move the last bits of scores, so theirs
            are kept apart, and none is used because it is there.

    Raises:
        ConfigError: the extra is not installed, the model is not on this machine, or it is no cross-encoder.
        ArtefactError: the model or kept scores are damaged.
    """
    place = _place(model)
    keys = pair_keys(left_texts, right_texts)
    distinct, first, which = np.unique(keys, return_index=True, return_inverse=True)
    scores = np.full(len(distinct), np.nan)
    store = None if folder is None else folder / _store_name(model, device)
    if store is not None:
        known, values = kept_scores(store)
        at = np.searchsorted(known, distinct) if len(known) else np.zeros(len(distinct), np.int64)
        there = np.isin(distinct, known)
        scores[there] = values[at[there]]
    missing = np.flatnonzero(np.isnan(scores))
    if len(missing):
        encoder = _loaded(place, device)
        for start in range(0, len(missing), KEPT_AT_ONCE):
            some = missing[start : start + KEPT_AT_ONCE]
            rows = pa.array(first[some])
            texts = list(zip(left_texts.take(rows).to_pylist(), right_texts.take(rows).to_pylist(), strict=True))
            scores[some] = _predicted(encoder, texts, place)
            if store is not None:
                keep_scores(store, distinct[some], scores[some])
    result: NDArray[np.float64] = scores[which]
    return result


def model_fingerprint(model: str) -> str:
    """Return a digest of all files of a model.

    Raises:
        ConfigError: as ``cross_encoder_scores``.
    """
    place = _place(model)
    digest = hashlib.sha256()
    for path in sorted(path for path in place.rglob("*") if path.is_file()):
        with open(path, "rb") as file:
            content = hashlib.file_digest(file, "sha256").digest()
        digest.update(str(path.relative_to(place)).encode() + b"\0" + content)
    return digest.hexdigest()[:32]


def _store_name(model: str, device: str) -> str:
    """Return under which name scores are kept: that of the model, and of the device where it is no processor."""
    kind = device.partition(":")[0]
    return model_fingerprint(model) + ("" if kind == "cpu" else f"-{kind}")


def _predicted(encoder: Any, texts: list[tuple[str, str]], place: Path) -> NDArray[np.float64]:
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        found = np.asarray(encoder.predict(texts, batch_size=1, show_progress_bar=False), np.float64)
    finally:
        torch.set_num_threads(threads)
    if np.isnan(found).any():
        raise ArtefactError("a model gives numbers", value=f"NaN from {place}", remedy="Check its weights.")
    return found


def _place(model: str) -> Path:
    """Return the folder of a model, after a look at what it is."""
    folder = Path(model).expanduser()
    place = folder if folder.is_dir() else _cached(model)
    try:
        config = json.loads((place / "config.json").read_text(encoding="utf-8"))
        kinds, outputs = config.get("architectures") or [], len(config.get("id2label", (0, 1)))
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ConfigError(
            "a model has a config.json", value=f"{place}: {error}", remedy="Name the folder of a cross-encoder."
        ) from error
    if not any(str(kind).endswith(_HEAD) for kind in kinds) or outputs != 1:
        raise ConfigError(
            f"a cross-encoder is a trained model {_HEAD} with one output",
            value=f"{model}: {', '.join(map(str, kinds)) or 'no architecture'}, {outputs} outputs",
            remedy="Name one that scores pairs of texts, such as cross-encoder/ms-marco-MiniLM-L6-v2.",
        )
    return place


def _cached(model: str) -> Path:
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HFValidationError
    except ImportError as error:
        raise _no_extra(error) from error
    try:
        return Path(snapshot_download(model, local_files_only=True))
    except (OSError, HFValidationError) as error:
        raise ConfigError(
            "a model is a folder, or in the cache of Hugging Face on this machine",
            value=model,
            remedy=f"Fetch it where there is a network (`hf download {model}`), or name its folder.",
        ) from error


def _loaded(place: Path, device: str) -> Any:
    try:
        from safetensors import SafetensorError
        from sentence_transformers import CrossEncoder
    except ImportError as error:
        raise _no_extra(error) from error
    try:
        return CrossEncoder(str(place), device=device, local_files_only=True)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise ArtefactError(
            "a cross-encoder can be loaded", value=f"{place}: {error}", remedy="Fetch or save the model again."
        ) from error


def _no_extra(error: ImportError) -> ConfigError:
    return ConfigError(
        "a cross-encoder needs the extra `neural`", value=str(error), remedy="pip install 'tamis[neural]'"
    )

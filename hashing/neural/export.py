"""Makes a hasher of a sentence-transformers model: its ONNX graph, compared with PyTorch before it is saved."""

import copy
import io
import os
import threading
import urllib.error
import urllib.request
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ArtefactError, ConfigError
from .hasher import Hasher, HasherSettings, save_hasher
from .head import Head
from .onnx_encoder import CLS, GRAPH, INPUTS, MEAN, EncoderSettings, OnnxEncoder, library_for_vectors

OPSET = 17
TOLERANCE = 1e-5
"""How far a value of the graph may be from PyTorch's, as a share of the largest value of its vector."""

REACHED_SECONDS = 5.0

PROBES = (
    "",
    "a",
    "Tamis 3.5",
    "COL name VAL Sony Bravia KDL-40 COL price VAL 499.99",
    "Ein Sieb, durch das Mehl gedrückt wird; 粉をふるう道具; دقيق",
    " ".join(f"word{i}" for i in range(40)),
    "the quick brown fox jumps over the lazy dog " * 40,
)
"""Texts of several lengths, the last beyond most limits, by which a graph is compared with its model."""


def export_encoder(
    model: Any,
    out: str | Path,
    *,
    name: str | None = None,
    max_tokens: int | None = None,
    text: str = "marked",
    head: Head | None = None,
    bands: tuple[int, int] | None = None,
    metric: str = "cosine",
    trained: Mapping[str, Any] | None = None,
    card: str = "",
) -> Hasher:
    """Save a sentence-transformers model as a hasher that needs no PyTorch.

    A model of a transformer, pooling by mean or first token, and perhaps length one afterwards, is exported up to the
    vectors of its tokens; of any other one, the graph makes the vectors themselves.

    Args:
        model: a folder, the name of a model, or a loaded ``SentenceTransformer``.
        out: a new or empty folder.
        name: of the model, for people; default: what ``model`` says.
        max_tokens: tokens of a text that count; default: the model's own limit.
        text, head, bands, metric, trained, card: of the hasher; see ``HasherSettings`` and ``save_hasher``.

    Raises:
        ConfigError: torch or another library is not installed, the model is not there or cannot be exported, or
            nothing can be saved at ``out``.
        ArtefactError: the graph makes other vectors than the model.
    """
    loaded = _plain(_loaded(model))
    settings = _settings(loaded, name or _name(model), _max_tokens(loaded, max_tokens))
    loaded.max_seq_length = settings.max_tokens
    tokenizer = _tokenizer_text(loaded)
    graph = _graph(loaded, settings)
    _compare(loaded, OnnxEncoder(settings, graph, tokenizer, settings.name))
    around = HasherSettings(settings, text=text, bands=bands, metric=metric, trained=trained)
    return save_hasher(out, around, graph=graph, tokenizer=tokenizer, head=head, card=card)


def load_model(model: str | Path, *, device: str = "cpu") -> Any:
    """Return a sentence-transformers model by its folder or name.

    A name is looked for among the models that were fetched before; then it is fetched, if the hub can be reached.

    Raises:
        ConfigError: sentence-transformers is not installed, or no model can be had; within seconds.
    """
    library = library_for_vectors("sentence_transformers")
    folder = Path(model).expanduser()
    local = folder.is_dir()
    if not local and (isinstance(model, Path) or str(model).startswith((".", "/", "~"))):
        raise _no_model(str(model), "there is no such folder")
    try:
        return library.SentenceTransformer(str(folder) if local else str(model), device=device, local_files_only=True)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        if local:
            raise _no_model(str(model), str(error).partition("\n")[0]) from error
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "TRUE", "YES", "ON"):
        raise _no_model(str(model), "it is not among those fetched before, and HF_HUB_OFFLINE is set")
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    if not _reached(endpoint):
        raise _no_model(str(model), f"it is not among those fetched before, and {endpoint} cannot be reached")
    try:
        return library.SentenceTransformer(str(model), device=device)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise _no_model(str(model), str(error).partition("\n")[0]) from error


def _no_model(model: str, why: str) -> ConfigError:
    return ConfigError(
        "an encoder is the folder of a sentence-transformers model, or the name of one that can be fetched",
        value=f"{model}: {why}",
        remedy="Fetch it where there is a network (hf download NAME --local-dir FOLDER), name that folder, and set "
        "HF_HUB_OFFLINE=1 where there is none.",
    )


def _reached(endpoint: str) -> bool:
    """Say whether a server answers within seconds; looking up its name may take longer, so a thread does it."""
    answered: list[bool] = []

    def ask() -> None:
        try:
            with urllib.request.urlopen(endpoint, timeout=REACHED_SECONDS):
                answered.append(True)
        except urllib.error.HTTPError:
            answered.append(True)  # it answers; whether it has the model is seen when it is asked for it
        except (OSError, ValueError):
            answered.append(False)

    thread = threading.Thread(target=ask, daemon=True, name="tamis-reached")
    thread.start()
    thread.join(REACHED_SECONDS)
    return answered == [True]


def _loaded(model: Any) -> Any:
    library = library_for_vectors("sentence_transformers")
    loaded = model if isinstance(model, library.SentenceTransformer) else load_model(model)
    kinds = [type(module).__name__ for module in loaded]
    if kinds[:1] != ["Transformer"] or not getattr(loaded.tokenizer, "is_fast", False):
        raise ConfigError(
            "an encoder begins with a transformer whose tokenizer is one of the tokenizers library",
            value=f"{_name(model)}: {', '.join(kinds)}",
            remedy="Choose another model.",
        )
    return loaded


def _plain(model: Any) -> Any:
    """Return a copy of a model on the processor, in float32, without dropout: the other one stays as it is."""
    return copy.deepcopy(model).to("cpu").float().eval()


def _name(model: Any) -> str:
    if isinstance(model, str | Path):
        place = Path(model)
        return place.resolve().name if place.is_dir() else str(model)
    return str(getattr(model, "model_card_data", None) and model.model_card_data.base_model or "encoder")


def _max_tokens(model: Any, wanted: int | None) -> int:
    own = model.max_seq_length or model.tokenizer.model_max_length
    if wanted is None:
        return int(own)
    if not 2 <= wanted <= own:
        raise ConfigError(
            "texts are cut to tokens that the model can take",
            value=f"{wanted} where 2 to {own} can be",
            remedy="Ask for fewer.",
        )
    return wanted


def _settings(model: Any, name: str, max_tokens: int) -> EncoderSettings:
    modules = list(model)
    kinds = [type(module).__name__ for module in modules]
    pooling = GRAPH
    if kinds in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
        pooling = {"mean": MEAN, "cls": CLS}.get(_pooling_mode(modules[1]), GRAPH)
    prompt = model.default_prompt_name and model.prompts.get(model.default_prompt_name)
    if prompt and not getattr(modules[1], "include_prompt", True):
        raise ConfigError(
            "a prompt counts among the tokens of a text",
            value=f"{name}, which leaves its prompt out",
            remedy="Choose another model.",
        )
    dim = len(model.encode("", convert_to_numpy=True, show_progress_bar=False))
    return EncoderSettings(name, max_tokens, pooling, pooling != GRAPH and len(kinds) == 3, dim, prompt or "")


def _pooling_mode(module: Any) -> str:
    mode = getattr(module, "pooling_mode", None)
    if isinstance(mode, str):
        return mode
    return str(module.get_pooling_mode_str())


def _tokenizer_text(model: Any) -> str:
    tokenizer = library_for_vectors("tokenizers").Tokenizer.from_str(model.tokenizer.backend_tokenizer.to_str())
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return str(tokenizer.to_str(pretty=True))


def _graph(model: Any, settings: EncoderSettings) -> bytes:
    """Return the ONNX graph of a model, for any number of texts of any length."""
    torch = library_for_vectors("torch")
    library_for_vectors("onnx")  # torch needs it, and would say so later

    class Flat(torch.nn.Module):  # type: ignore[name-defined, misc]
        """The model with tensors in place of dictionaries."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            features = {"input_ids": input_ids, "attention_mask": attention_mask}
            for module in list(self.model)[: None if settings.pooling == GRAPH else 1]:
                features = module(features)
            return features["sentence_embedding" if settings.pooling == GRAPH else "token_embeddings"]

    ids = torch.ones((2, min(7, settings.max_tokens)), dtype=torch.int64)
    stream = io.BytesIO()
    axes = {0: "texts", 1: "tokens"}
    made = "vectors" if settings.pooling == GRAPH else "token_vectors"
    output_axes = {0: "texts"} if settings.pooling == GRAPH else axes
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of tracing: what is made is compared below
            torch.onnx.export(
                Flat().eval(),
                (ids, torch.ones_like(ids)),
                stream,
                input_names=list(INPUTS),
                output_names=[made],
                dynamic_axes={**dict.fromkeys(INPUTS, axes), made: output_axes},
                opset_version=OPSET,
                dynamo=False,
            )
    except (RuntimeError, TypeError, ValueError, NotImplementedError, AttributeError) as error:
        raise ConfigError(
            "an encoder can be written as an ONNX graph",
            value=f"{settings.name}: {str(error).partition(chr(10))[0]}",
            remedy="Choose another model.",
        ) from error
    return stream.getvalue()


def _compare(model: Any, encoder: OnnxEncoder) -> None:
    """Make sure that graph and model make the same vectors.

    Raises:
        ArtefactError: they do not.
    """
    theirs = model.encode(list(PROBES), convert_to_numpy=True, show_progress_bar=False)
    ours = encoder.encode(PROBES)
    scale = np.abs(theirs).max(axis=1, keepdims=True)
    apart = float((np.abs(ours - theirs) / np.maximum(scale, 1e-30)).max())
    if not apart <= TOLERANCE:
        raise ArtefactError(
            "an ONNX graph makes the vectors of its model",
            value=f"{encoder.settings.name}: values are up to {apart:.1e} of the largest one apart",
            remedy="Choose another model, or another version of torch.",
        )

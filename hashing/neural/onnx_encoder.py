"""An encoder as an ONNX graph with its tokenizer: the vector of a text depends on nothing but the text.

Texts that stand in one batch are padded to one length elsewhere, and padding changes the order of sums, so a vector's
last bits depend on its neighbours. Here only texts with equally many tokens share a batch, and the runtime works on it
with one thread; several batches run at once, in threads of ours. What remains is the processor: kernels with wider
registers may add up in another order.
"""

import importlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ArtefactError, ConfigError, InputError
from ..layers import mean_of_tokens, unit_rows
from ..refusals import Refusals

MEAN, CLS, GRAPH = "mean", "cls", "graph"
POOLINGS = (MEAN, CLS, GRAPH)
"""How the vectors of tokens become one: their mean, the first one, or by the graph itself."""

INPUTS = ("input_ids", "attention_mask")
BATCH_TOKENS = 1024
"""At most about how many tokens a batch has: what a layer makes of them fits the processor's cache."""

TOKENIZED_TEXTS = 1024
"""Texts that are cut into tokens at once."""

_WHOLE = f"an encoder is an ONNX graph of {' and '.join(INPUTS)} with one output, and a tokenizer.json"
_AGAIN = "Export the encoder again."


@dataclass(frozen=True)
class EncoderSettings:
    """What is done with a text around the graph.

    Attributes:
        name: of the model, for people.
        max_tokens: tokens of a text that count, with those that the tokenizer adds.
        pooling: ``mean``, ``cls`` or ``graph``.
        normalise: whether vectors are brought to length one.
        dim: values of a vector.
        query_prefix: stands before each text.

    Raises:
        ConfigError: one of them cannot be.
    """

    name: str
    max_tokens: int
    pooling: str
    normalise: bool
    dim: int
    query_prefix: str = ""

    def __post_init__(self) -> None:
        typed = isinstance(self.name, str) and isinstance(self.query_prefix, str) and isinstance(self.normalise, bool)
        whole = all(isinstance(n, int) and not isinstance(n, bool) and n >= 1 for n in (self.max_tokens, self.dim))
        if not typed or not whole or self.pooling not in POOLINGS:
            raise ConfigError(
                f"an encoder has tokens and values, at least 1, and pools by one of {', '.join(POOLINGS)}",
                value=f"{self}",
                remedy="Mend these settings.",
            )


class OnnxEncoder:
    """A graph and a tokenizer in memory; several threads may use it at once.

    Args:
        settings: what is done around the graph.
        graph: bytes of the ONNX graph: int64 ``input_ids`` and ``attention_mask``, shape (n, t), to float32, shape
            (n, t, dim), or with pooling ``graph`` (n, dim).
        tokenizer: text of a tokenizer.json.
        place: where they come from, for errors.

    Raises:
        ConfigError: onnxruntime or tokenizers is not installed.
        ArtefactError: the graph or the tokenizer is not one.
    """

    def __init__(self, settings: EncoderSettings, graph: bytes, tokenizer: str, place: str) -> None:
        self.settings = settings
        self.place = place
        self._tokenizer = _tokenizer(tokenizer, settings.max_tokens, place)
        self._session = _session(graph, place)

    def encode(self, texts: Sequence[str], *, threads: int = 1) -> NDArray[np.float32]:
        """Return the vectors of some texts; each depends on its text alone.

        Args:
            texts: some texts; what is behind ``max_tokens`` is left out. One without tokens has a vector of zeros.
            threads: of this process; they change no result.

        Returns:
            float32, shape (n, dim).

        Raises:
            InputError: a text is not one that the tokenizer can take.
            ArtefactError: the graph makes something else than its settings say.
        """
        tokens = self._tokens(texts)
        vectors = np.zeros((len(texts), self.settings.dim), np.float32)
        batches = list(_batches(np.array([len(ids) for ids in tokens], np.int64)))

        def fill(rows: NDArray[np.int64]) -> None:
            vectors[rows] = self._vectors(np.array([tokens[row] for row in rows.tolist()], np.int64))

        if threads == 1 or len(batches) < 2:
            for rows in batches:
                fill(rows)
        else:
            with ThreadPoolExecutor(threads, thread_name_prefix="tamis-encode") as pool:
                list(pool.map(fill, batches[::-1]))  # the longest texts first: no thread is left with them at the end
        return vectors

    def cuts(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Return which texts have more tokens than ``max_tokens``, bool, shape (n,).

        Raises:
            InputError: a text is not one that the tokenizer can take.
        """
        return np.array([bool(encoding.overflowing) for encoding in self._encodings(texts)], np.bool_)

    def _tokens(self, texts: Sequence[str]) -> list[list[int]]:
        return [encoding.ids for encoding in self._encodings(texts)]

    def _encodings(self, texts: Sequence[str]) -> Iterator[Any]:
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # read by the library at every call
        prefix = self.settings.query_prefix
        for first in range(0, len(texts), TOKENIZED_TEXTS):
            part = [prefix + text for text in texts[first : first + TOKENIZED_TEXTS]]
            try:
                yield from self._tokenizer.encode_batch_fast(part)
            except (TypeError, UnicodeEncodeError) as error:
                raise InputError(
                    "texts to encode are Unicode", value=f"{error}", remedy="Leave out texts that are not."
                ) from error

    def _vectors(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the vectors of texts with equally many tokens, int64 of shape (n, t), as float32 (n, dim)."""
        try:
            (found,) = self._session.run(None, dict(zip(INPUTS, (ids, np.ones_like(ids)), strict=True)))
        except _runtime_errors(_runtime()) as error:
            raise self._unfit(str(error)) from error
        pooling, dim = self.settings.pooling, self.settings.dim
        shape = (len(ids), dim) if pooling == GRAPH else (*ids.shape, dim)
        if found.dtype != np.float32 or found.shape != shape:
            raise self._unfit(f"{found.dtype} of shape {found.shape} where {shape} is due")
        if pooling == MEAN:
            found = mean_of_tokens(found)
        elif pooling == CLS:
            found = np.ascontiguousarray(found[:, 0])
        return unit_rows(found) if self.settings.normalise else found

    def _unfit(self, why: str) -> ArtefactError:
        return ArtefactError(
            "the graph of an encoder makes the vectors that its settings say",
            value=f"{self.place}: {why}",
            remedy=_AGAIN,
        )


def _batches(lengths: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield the rows of each batch, shorter texts first; those without tokens are in none."""
    order = np.argsort(lengths, kind="stable")
    sorted_lengths = lengths[order]
    for length in np.unique(lengths[lengths > 0]).tolist():
        start, stop = np.searchsorted(sorted_lengths, (length, length + 1)).tolist()
        rows = max(1, BATCH_TOKENS // length)
        for first in range(start, stop, rows):
            yield order[first : min(stop, first + rows)]


def _tokenizer(text: str, max_tokens: int, place: str) -> Any:
    library = library_for_vectors("tokenizers")
    with Refusals(_WHOLE, place, ArtefactError, _AGAIN):
        tokenizer = library.Tokenizer.from_str(text)
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_tokens)
    return tokenizer


def _session(graph: bytes, place: str) -> Any:
    library = _runtime()
    options = library.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    options.enable_mem_pattern = False  # it pays where shapes repeat; here each length has its own
    options.log_severity_level = 3
    try:
        session = library.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except _runtime_errors(library) as error:
        raise _damaged(place, error) from error
    found = tuple(sorted(entry.name for entry in session.get_inputs()))
    if found != tuple(sorted(INPUTS)) or len(session.get_outputs()) != 1:
        raise _damaged(place, f"inputs {found}, outputs {len(session.get_outputs())}")
    return session


def _runtime_errors(library: ModuleType) -> tuple[type[Exception], ...]:
    """Return what the runtime raises, each a class of its own without a common one."""
    found = vars(library.capi.onnxruntime_pybind11_state).values()
    return tuple(kind for kind in found if isinstance(kind, type) and issubclass(kind, Exception))


def _damaged(place: str, why: object) -> ArtefactError:
    return ArtefactError(_WHOLE, value=f"{place}: {why}", remedy=_AGAIN)


def _runtime() -> ModuleType:
    return library_for_vectors("onnxruntime")


def library_for_vectors(name: str) -> ModuleType:
    """Return a library that encoding needs, loaded when it is asked for.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ConfigError(
            f"encoding texts needs the library {name}",
            value=f"no {error.name}",
            remedy="Install it: pip install 'tamis[neural]'.",
        ) from error

"""The blockers by name."""

from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ...hashing.codes import pack_signs
from ...hashing.dense_topk import Metric
from ...hashing.errors import ConfigError
from ...hashing.neural.hasher import Hasher, load_hasher
from ..engine import Engine
from ..state import cache_folder
from .allowed import Ranked, allowed_only
from .codes import code_search
from .dense import dense_search
from .lexical import lexical_search
from .minhash import minhash_search
from .options import Options
from .rules import rule_search, shared_keys
from .search import Search
from .sides import Sides
from .vectors import encoded

Vectors = NDArray[np.float32]


def prepare(name: str, sides: Sides, options: Options, engine: Engine) -> Search:
    """Prepare a blocker of some records, which finds no pair that is excluded.

    Args:
        name: one of ``options.BLOCKERS``.
        sides: the records.
        options: settings of all blockers.
        engine: whose workers encode texts.

    Raises:
        ConfigError: its options cannot be, or a library is not installed.
        ArtefactError: the hasher is damaged.
    """
    excluded = shared_keys(options.exclude, sides.left, sides.right) if options.exclude else None
    search = _PREPARED[name](sides, options, engine)
    return search if excluded is None else allowed_only(search, options.top_k, len(sides.searched), excluded)


def _lexical(sides: Sides, options: Options, engine: Engine) -> Ranked:
    ngrams, columns = options.ngrams, options.lexical_columns
    return lexical_search(sides.left, sides.right, options.top_k, ngrams=ngrams, columns=columns)


def _minhash(sides: Sides, options: Options, engine: Engine) -> Ranked:
    threshold, max_block = options.threshold, options.max_block
    return minhash_search(sides.left, sides.right, options.top_k, threshold=threshold, max_block=max_block)


def _rules(sides: Sides, options: Options, engine: Engine) -> Ranked:
    return rule_search(sides.left, sides.right, options.rules, options.top_k, max_block=options.max_block)


def _dense(sides: Sides, options: Options, engine: Engine) -> Ranked:
    hasher = load_hasher(cast(str, options.hasher))
    left, right = _vectors(sides, hasher, engine)
    metric: Metric = "cosine" if hasher.settings.metric == "cosine" else "euclidean"
    return dense_search(left, right, options.top_k, metric=metric, index=options.index)


def _learned(sides: Sides, options: Options, engine: Engine) -> Ranked:
    hasher = load_hasher(cast(str, options.hasher))
    bands = options.bands or hasher.settings.bands
    if bands is None:
        raise ConfigError(
            "codes are cut into bands",
            value=f"{options.hasher} says nothing of them",
            remedy="Name them: --bands 4x16.",
        )
    left, right = _vectors(sides, hasher, engine)
    values = hasher.project(left)
    by_cosine = hasher.settings.metric == "cosine"
    return code_search(
        pack_signs(values),
        None if right is None else pack_signs(hasher.project(right)),
        options.top_k,
        bands=bands[0],
        width=bands[1],
        bits=values.shape[1],
        probes=options.probes,
        values=values,
        vectors=(left, right) if by_cosine else None,
    )


def _vectors(sides: Sides, hasher: Hasher, engine: Engine) -> tuple[Vectors, Vectors | None]:
    """Return the vectors of both sides; distinct texts are encoded once, and kept for later runs."""
    texts = [getattr(some, hasher.settings.text) for some in (sides.left, sides.right) if some is not None]
    vectors = encoded(engine, pa.concat_arrays(texts), Path(hasher.path), cache=cache_folder() / "vectors")
    left = vectors[: len(sides.left)]
    return left, None if sides.right is None else vectors[len(sides.left) :]


_PREPARED: dict[str, Callable[[Sides, Options, Engine], Ranked]] = {
    "lexical": _lexical,
    "minhash": _minhash,
    "rules": _rules,
    "dense": _dense,
    "learned": _learned,
}

"""The log of a Delta table, read by ``deltalake``: one version, and only if all its features are honoured here.

The protocol: https://github.com/delta-io/delta/blob/master/PROTOCOL.md
"""

import json
import os
from typing import Any
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..hashing.errors import EngineError, InputError
from .listed_table import in_words, same_place

_DELETIONS = "deletionVectors"
_HONOURED = {
    _DELETIONS,
    "columnMapping",
    "timestampNtz",
    "typeWidening",
    "typeWidening-preview",
    "v2Checkpoint",
    "vacuumProtocolCheck",  # for those who vacuum
    "variantType",  # as long as no column is one
    "variantType-preview",
    "variantShredding-preview",
}


def open_log(root: str, version: int | None = None) -> Any:
    """Return the ``deltalake.DeltaTable`` of a folder.

    Args:
        root: path or URL.
        version: default: the current one.

    Raises:
        EngineError: if ``deltalake`` is not installed.
        InputError: if the log cannot be read, or asks of readers what is not honoured here.
    """
    try:
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError
    except ImportError as error:
        raise EngineError(
            "Delta tables are read by the library deltalake",
            value=f"no {error.name}, for {root}",
            remedy="Install it: pip install 'tamis[lake]'.",
        ) from error
    if "%" in root:  # deltalake takes it for an escape, and would open the log of another folder
        raise InputError("the path of a Delta table has no per cent sign", value=root, remedy="Rename the folder.")
    try:
        table = DeltaTable(root, version=version, storage_options=_storage_options())
        features = set(table.protocol().reader_features or ())
        columns = json.loads(table.schema().to_json())["fields"]
    except (DeltaError, OSError, ValueError) as error:
        asked = "" if version is None else f", version {version}"
        raise InputError(
            "the log of a Delta table can be read",
            value=f"{root}{asked}: {in_words(error)}",
            remedy="Mend the table, or leave it out.",
        ) from error
    variants = [f"column {column['name']!r} of type variant" for column in columns if _holds_variant(column["type"])]
    unknown = sorted(features - _HONOURED) + variants
    if unknown:
        raise InputError(
            "a Delta table asks of its readers only what is honoured here",
            value=f"{root}: {', '.join(unknown)}",
            remedy="Write a copy without it, or leave the table out.",
        )
    return table


def _storage_options() -> dict[str, str] | None:
    """Return what deltalake does not take from the environment, where it finds keys and addresses by itself."""
    plain = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
    return {"allow_http": "true"} if plain else None


def _holds_variant(kind: Any) -> bool:
    """Whether a type, as the log writes it, is a variant or has one inside."""
    if isinstance(kind, str):
        return kind == "variant"
    inside = [field["type"] for field in kind.get("fields", [])]
    inside += [kind[key] for key in ("elementType", "keyType", "valueType") if key in kind]
    return any(map(_holds_variant, inside))


def log_state(table: Any) -> str:
    """Return what identifies the version of an open table: number and id, which differs if it was made anew."""
    return f"{table.version()} of {table.metadata().id}"


def data_files(table: Any) -> pa.Table:
    """Return the data files of an open table, in order of their paths.

    Columns: ``path`` relative to its folder, or absolute; ``size_bytes``; ``modification_time``, milliseconds;
    ``partition``, a struct of typed values, where it is partitioned.
    """
    actions = pa.table(table.get_add_actions())
    paths = pa.array([unquote(path) for path in actions["path"].to_pylist()], pa.string())
    named = actions.set_column(actions.schema.get_field_index("path"), "path", paths)
    kept = [name for name in ("path", "size_bytes", "modification_time", "partition") if name in named.column_names]
    return named.select(kept).sort_by("path")


def data_path(root: str, path: str) -> str:
    """Return the absolute path or URL of a data file; those of shallow clones are absolute in the log."""
    absolute = path.startswith("/") or "://" in path or path.startswith("file:/")
    return same_place(path) if absolute else f"{root}/{path}"


def kept_rows(table: Any) -> dict[str, NDArray[np.bool_]]:
    """Return which records of data files are rows, for files that have deletion vectors.

    The masks are those of ``DeltaTable.deletion_vectors``; records after the end of a mask are rows.

    Returns:
        By path, as in ``data_files``: bool, shape (records,) or shorter.
    """
    if _DELETIONS not in (table.protocol().reader_features or ()):
        return {}
    root = unquote(table.table_uri).rstrip("/") + "/"
    found: dict[str, NDArray[np.bool_]] = {}
    for batch in pa.RecordBatchReader.from_stream(table.deletion_vectors()):
        for path, mask in zip(batch.column("filepath").to_pylist(), batch.column("selection_vector"), strict=True):
            found[unquote(path).removeprefix(root)] = mask.values.to_numpy(zero_copy_only=False).astype(np.bool_)
    return found

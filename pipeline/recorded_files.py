"""Written files as a manifest records them, and whether they are still what it says."""

import hashlib
from pathlib import Path
from typing import Any

from ..connectors.parquet_output import Written
from .counted import counted


def line_of(name: str, written: Written) -> dict[str, Any]:
    """Return the line about a file: ``name``, ``rows``, ``size_bytes`` and ``sha256``."""
    return {"name": name, "rows": written.rows, "size_bytes": written.size_bytes, "sha256": written.sha256}


def fault_of(path: Path, line: dict[str, Any]) -> str | None:
    """Return in words how a file differs from its line, with its name; None: it does not."""
    if not path.is_file():
        return f"{path} is missing"
    if (size := path.stat().st_size) != line["size_bytes"]:
        return f"{path} has {counted(size, 'byte')}, not {line['size_bytes']:,} as recorded"
    if (digest := _sha256(path)) != line["sha256"]:
        return f"{path} has sha256 {digest}, recorded is {line['sha256']}"
    return None


def _sha256(path: Path) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

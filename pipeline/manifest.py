"""The manifest: what was read, what was written, with checksums, and the ledger."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..connectors.corpus import Corpus
from ..connectors.split import Split
from ..hashing.errors import ArtefactError
from ..hashing.redaction import redacted
from ..reader.shard_set import FORMAT, FORMAT_VERSION, NAME, check_format
from .layout import Sets, ShardSet
from .ledger import Ledger
from .state import write_atomically

FOLDERS = ("data", "decisions", "pairs", "clusters", "quarantine", "edits", "unsampled", "index")
"""Where the files are that a manifest lists; ``index`` stands for one beside it."""

MORE_FOLDERS = ("semantic_pairs", "selection")
"""Those that only some runs have."""


def write_manifest(
    folder: Path,
    *,
    corpus: Corpus,
    splits: Sequence[Split],
    references: int,
    sets: Sets,
    files: dict[str, list[dict[str, Any]]],
    tokenizers: Sequence[dict[str, Any]],
    ledger: Ledger,
    settings: dict[str, Any],
) -> None:
    """Write ``manifest.json``: equal runs give equal bytes, so it holds no times and no absolute paths."""
    schema = pq.read_schema(folder / "data" / files["data"][0]["name"])  # of a map, Parquet has another name
    manifest = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "settings": settings,
        "inputs": _inputs(corpus, splits, references),
        "schema": [{"name": field.name, "type": str(field.type)} for field in schema],
        "schema_fingerprint": schema_fingerprint(schema),
        "tokenizers": list(tokenizers),
        "sets": [item.as_dict() for item in sets.sets],
        "files": files,
        "ledger": ledger.as_dict(),
    }
    write_atomically(folder / NAME, json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")


def schema_fingerprint(schema: pa.Schema) -> str:
    """Return the sha256 of names and types, one field a line: as anybody can compute it from a Parquet file."""
    lines = "".join(f"{field.name}\t{field.type}\n" for field in schema)
    return hashlib.sha256(lines.encode()).hexdigest()


def _inputs(corpus: Corpus, splits: Sequence[Split], references: int) -> list[dict[str, Any]]:
    """Return the files read, with their records where the plan knows them."""
    records: dict[int, int | None] = {}
    for split in splits:
        known = records.get(split.file, 0)
        records[split.file] = None if split.records is None or known is None else known + split.records
    return [
        {
            "file": file.ordinal,
            "path": redacted(file.relative),
            "size_bytes": file.size_bytes,
            "records": records.get(file.ordinal, 0),
            "reference": file.ordinal < references,
        }
        for file in corpus.files
    ]


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of an output folder.

    Raises:
        ArtefactError: if there is none, it is of another format or version, or names files outside its folder.
    """
    path = folder / NAME
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise ArtefactError(
            "an output folder has a manifest", value=path, remedy="Name the folder of a finished run."
        ) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ArtefactError(
            "a manifest is JSON", value=f"{path}: {error}", remedy="Restore it or run again."
        ) from error
    check_format(manifest, str(path))
    try:
        _check(manifest)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ArtefactError(
            "a manifest has the fields of its format, and files are named by plain names",
            value=f"{path}: {error!r}",
            remedy="Restore it or run again; do not trust this output.",
        ) from error
    return manifest


def _check(manifest: dict[str, Any]) -> None:
    Ledger.from_dict(manifest["ledger"])
    sets = Sets(tuple(ShardSet.from_dict(line) for line in manifest["sets"]))
    str(manifest["schema_fingerprint"])
    for line in manifest["tokenizers"]:
        str(line["name"])
    for line in manifest["inputs"]:
        int(line["file"]), str(line["path"]), bool(line["reference"]), line["records"]
    for stage in manifest["settings"]["stages"]:
        str(stage["stage"])
    str(manifest["settings"]["columns"]["text"])
    for folder in (*FOLDERS, *(name for name in MORE_FOLDERS if name in manifest["files"])):
        for line in manifest["files"][folder]:
            name = line["name"]
            if folder == "data":
                of, place = sets.of_file(int(line["file"]))
                int(line["first_row"]), line["groups"], line["sources"]
                if name != of.path(place) or line["set"] != of.name:
                    raise ValueError(f"file {line['file']} is {of.path(place)!r}, not {name!r}")
                name = name.rpartition("/")[2]
            if name != Path(name).name or name in ("", ".", ".."):
                raise ValueError(f"{name!r} is no plain name")
            int(line["rows"]), int(line["size_bytes"]), str(line["sha256"])
    for line in manifest["sets"]:
        if line["folder"] and (Path(line["folder"]).name != line["folder"] or line["folder"] == ".."):
            raise ValueError(f"{line['folder']!r} is no plain name")
    if extra := manifest["files"].keys() - {*FOLDERS, *MORE_FOLDERS}:
        raise ValueError(f"unknown folders {sorted(extra)}")

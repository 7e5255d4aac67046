"""Folders that Hugging Face ``datasets`` saves (``save_to_disk``): which of their files hold no records."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..hashing.errors import InputError
from .arrow_files import FILE_MAGIC
from .storage import Stored, open_binary

_STATE = "state.json"
_DESCRIPTIONS = (_STATE, "dataset_info.json")
_SPLITS = "dataset_dict.json"
_INDICES = ("_indices_files", "_indices_data_files")  # the name has changed over the years
_END = b"\xff\xff\xff\xff\0\0\0\0"
_INCOMPLETE = "Save the dataset again, or copy all of it."


def files_without_records(listed: Sequence[Stored], wanted: Callable[[Stored], bool]) -> set[str]:
    """Return the paths of descriptions of saved datasets, and of Arrow files that they do not name.

    The row counts of ``dataset_info.json`` are not compared: ``datasets`` keeps those of the time before a filter.

    Args:
        listed: all files below a folder.
        wanted: whether a file is to be read.

    Raises:
        InputError: if a saved dataset that is wanted has an index mapping, lacks a file or has one that is cut off.
    """
    folders: dict[str, dict[str, Stored]] = {}
    for stored in listed:
        folder, _, name = stored.relative.rpartition("/")
        folders.setdefault(folder, {})[name] = stored
    saved = {folder for folder, files in folders.items() if any(map(_is_arrow, files))}
    found: set[str] = set()
    for folder, files in folders.items():
        if folder in saved:
            found |= {files[name].path for name in _DESCRIPTIONS if name in files}
            if _STATE in files and any(_is_arrow(name) and wanted(file) for name, file in files.items()):
                found |= _unnamed(files)
        if _SPLITS in files and any(_parent(name) == folder for name in saved):
            found.add(files[_SPLITS].path)
            if wanted(files[_SPLITS]):
                _check_splits(files[_SPLITS], folder, saved)
    return found


def _is_arrow(name: str) -> bool:
    return name.endswith(".arrow")


def _parent(folder: str) -> str | None:
    return folder.rpartition("/")[0] if folder else None


def _unnamed(files: Mapping[str, Stored]) -> set[str]:
    """Return the Arrow files of a folder that its state does not name; check those that it does."""
    path = files[_STATE].path
    state = _load(path)
    if any(state.get(name) for name in _INDICES):
        raise InputError(
            "a saved dataset has no index mapping",
            value=path,
            remedy="Call flatten_indices() before save_to_disk.",
        )
    if "_data_files" not in state:
        return set()
    try:
        names = [str(entry["filename"]).rpartition("/")[2] for entry in state["_data_files"]]
    except (TypeError, KeyError) as error:
        raise _no_description(path, error) from error
    for name in names:
        if name not in files:
            raise InputError(
                "a saved dataset has all files that it names", value=f"no {name}, named in {path}", remedy=_INCOMPLETE
            )
        _check_end(files[name])
    return {file.path for name, file in files.items() if _is_arrow(name) and name not in names}


def _check_end(file: Stored) -> None:
    """Refuse a stream without end marker: Arrow reads one that was cut between two batches as a shorter one."""
    with open_binary(file.path) as stream:
        start = stream.read(len(FILE_MAGIC))
        stream.seek(max(0, file.size_bytes - len(_END)))
        if start != FILE_MAGIC and stream.read() != _END:
            raise InputError(
                "the files of a saved dataset end with Arrow's end marker",
                value=f"{file.path}, which seems cut off",
                remedy=_INCOMPLETE,
            )


def _check_splits(file: Stored, folder: str, saved: set[str]) -> None:
    splits = _load(file.path).get("splits")
    for split in splits if isinstance(splits, list) else ():
        if f"{folder}/{split}".lstrip("/") not in saved:
            raise InputError(
                "a saved dataset has all splits that it names",
                value=f"no {split}, named in {file.path}",
                remedy=_INCOMPLETE,
            )


def _load(path: str) -> dict[str, Any]:
    try:
        with open_binary(path) as stream:
            loaded = json.loads(stream.read())
    except (ValueError, RecursionError, OSError) as error:
        raise _no_description(path, error) from error
    if not isinstance(loaded, dict):
        raise _no_description(path, "no object")
    return loaded


def _no_description(path: str, error: object) -> InputError:
    return InputError(
        "a saved dataset is described in JSON",
        value=f"{path}: {error}",
        remedy="Save the dataset again, or exclude that folder.",
    )

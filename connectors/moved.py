"""Moving files and folders so that a stop at any point loses nothing.

On one file system it is a rename. To another one, everything is copied under an unfinished name, compared by sha256 and
renamed; only then does the source go.
"""

import errno
import hashlib
import os
import shutil
from pathlib import Path

from ..hashing.errors import InputError
from .unfinished import UNFINISHED


def move(source: Path, target: Path) -> None:
    """Move a file or folder to a path where nothing is.

    Raises:
        InputError: if it cannot be moved, or its copy is another one.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _clear(unfinished(target))
        try:
            os.rename(source, target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _copy(source, target)
            _remove(source)
        sync_folder(target.parent)
        sync_folder(source.parent)
    except OSError as error:
        raise InputError(
            "a table can be moved",
            value=f"{source} to {target}: {error.strerror or error}",
            remedy="Check your rights and room.",
        ) from error


def is_moved(source: Path, target: Path) -> bool:
    """Say whether a move that was stopped had come so far that the target is whole; if so, finish it.

    If not, the source is as it was, and what was copied is removed.

    Raises:
        InputError: if both are there and differ, or neither is.
    """
    if not source.exists() and not target.exists():
        raise InputError(
            "a table is where it was or in the quarantine",
            value=f"neither {source} nor {target}",
            remedy="Put the files back in one of these places; if they are gone, use `restore --rebuild`.",
        )
    if target.exists() and source.exists():
        if digests(source) != digests(target):
            raise InputError(
                "a table is in one place",
                value=f"{source} and {target}, with different bytes",
                remedy="Move one of them away.",
            )
        _remove(source)
    for path in (source, target):
        _clear(unfinished(path))
    return target.exists()


def unfinished(path: Path) -> Path:
    """Return the name that a file or folder has while it is not whole, beside it."""
    return path.with_name(f".{path.name}.tamis{UNFINISHED}")


def digests(path: Path) -> dict[str, str]:
    """Return the sha256 of a file, or of each file in a folder, by path below it."""
    if not path.is_dir():
        return {"": sha256_of(path)}
    return {str(file.relative_to(path)): sha256_of(file) for file in sorted(path.rglob("*")) if not file.is_dir()}


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sync_folder(path: Path) -> None:
    """Make sure that the names in a folder are on the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def sync_files(path: Path) -> None:
    """Make sure that a file, or all in a folder, is on the disk."""
    for file in [path, *path.rglob("*")] if path.is_dir() else [path]:
        if file.is_dir():
            sync_folder(file)
            continue
        with open(file, "rb") as stream:
            os.fsync(stream.fileno())


def _copy(source: Path, target: Path) -> None:
    copy = unfinished(target)
    if source.is_dir():
        shutil.copytree(source, copy, symlinks=True)
    else:
        shutil.copy2(source, copy)
    if digests(copy) != digests(source):
        raise InputError("a copy has the bytes of the file", value=copy, remedy="Check both disks.")
    sync_files(copy)
    os.rename(copy, target)
    sync_folder(target.parent)


def _remove(path: Path) -> None:
    """Remove a file or folder that has been copied; a folder vanishes as a whole first."""
    gone = unfinished(path)
    os.rename(path, gone)
    _clear(gone)


def _clear(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)

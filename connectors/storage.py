"""Files by path or URL: listing, opening, stating, through fsspec."""

import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import fsspec
import fsspec.core
from fsspec.implementations.local import LocalFileSystem

from ..hashing.errors import InputError

ENDS_BYTES = 64 * 1024
"""How much of each end of a file enters its fingerprint."""

GLOB = "*?["
"""Characters that make a path a pattern."""


@dataclass(frozen=True)
class Stored:
    """A file as storage lists it.

    Attributes:
        path: absolute path or URL.
        relative: path under the argument it was found through, with ``/``.
        size_bytes: its size.
        modified: modification time or entity tag, as text; "" where storage has none.
        is_file: False for a link that leads to no file: to a folder, or nowhere.
    """

    path: str
    relative: str
    size_bytes: int
    modified: str
    is_file: bool = True

    @property
    def stamp(self) -> str:
        """Size and time: what a changed file has others of."""
        return f"{self.size_bytes} {self.modified}"


def locate(path: str) -> tuple[Any, str]:
    """Return the fsspec filesystem of a path or URL, and the path within it."""
    try:
        with reached(path):
            filesystem, inside = fsspec.core.url_to_fs(path)
    except (ImportError, ValueError) as error:
        raise InputError(
            "a URL is of a kind that fsspec can open",
            value=f"{path}: {error}",
            remedy="Install what it names (for S3: tamis[s3]).",
        ) from error
    return filesystem, inside


def storage_errors() -> tuple[type[Exception], ...]:
    """Return what storage raises that cannot be reached; clients of S3 and HTTP have errors of their own, if loaded."""
    found: tuple[type[Exception], ...] = (OSError,)
    if s3 := sys.modules.get("botocore.exceptions"):
        found += (s3.BotoCoreError, s3.ClientError)
    if http := sys.modules.get("aiohttp"):
        found += (http.ClientError,)
    return found


@contextmanager
def reached(path: str) -> Iterator[None]:
    """Turn what storage raises into an error of ours.

    Raises:
        InputError: naming the path.
    """
    try:
        yield
    except storage_errors() as error:
        raise InputError(
            "a file or URL can be reached",
            value=f"{path}: {error or type(error).__name__}",
            remedy="Check the address, the network and your rights.",
        ) from error


def open_binary(path: str) -> Any:
    """Open a file for reading bytes.

    Raises:
        InputError: if it cannot be opened, naming it.
    """
    try:
        if _is_plain(path):  # fsspec would take longer to say so than to open it
            return open(path, "rb")
        filesystem, inside = locate(path)
        return filesystem.open(inside, "rb")
    except OSError as error:
        raise InputError(
            "an input can be opened", value=f"{path}: {error}", remedy="Check its permissions, or leave it out."
        ) from error


def is_local(path: str) -> bool:
    """Whether a path is on this machine's file system."""
    return _is_plain(path) or isinstance(locate(path)[0], LocalFileSystem)


def _is_plain(path: str) -> bool:
    """Whether a path is a local one at first sight: no URL, no chain of them, and not relative to anything."""
    return path.startswith("/") and ":/" not in path and "::" not in path


def exists(path: str) -> bool:
    """Whether there is a file or folder of that name."""
    filesystem, inside = locate(path)
    with reached(path):
        return bool(filesystem.exists(inside))


def is_folder(path: str) -> bool:
    """Whether a path is a folder."""
    filesystem, inside = locate(path)
    with reached(path):
        return bool(filesystem.isdir(inside))


def list_files(path: str) -> Iterator[Stored]:
    """Yield the files of a folder (recursively), of a glob, or the one file, in order of their relative path's bytes.

    Links are listed and not followed: a link to a file is a file, a link to a folder stands for itself.

    Raises:
        InputError: if nothing is there.
    """
    with reached(path):
        yield from _listed(path)


def _listed(path: str) -> list[Stored]:
    filesystem, inside = locate(path)
    if filesystem.isdir(inside):
        root, found = inside.rstrip("/"), filesystem.find(inside, detail=True)
    elif filesystem.exists(inside):  # before globs: a file's name may hold brackets
        found, root = {inside: filesystem.info(inside)}, inside.rpartition("/")[0]
    elif any(c in inside for c in GLOB):
        matches = filesystem.glob(inside, detail=True)
        found = {name: info for name, info in matches.items() if info["type"] != "directory"}
        parts = PurePosixPath(inside).parts
        fixed = next(i for i, part in enumerate(parts) if any(c in part for c in GLOB))
        root = str(PurePosixPath(*parts[:fixed])) if fixed else ""
    else:
        found, root = {}, ""
    if not found:
        raise InputError("an input names at least one file", value=path, remedy="Check the path.")
    stored = [_stored(filesystem, name, root, info) for name, info in found.items()]
    return sorted(stored, key=lambda item: item.relative.encode("utf-8", "surrogateescape"))


def _stored(filesystem: Any, name: str, root: str, info: dict[str, Any]) -> Stored:
    relative = name[len(root) :].lstrip("/") if root else name
    modified = next((str(info[key]) for key in ("mtime", "ETag", "etag", "LastModified") if info.get(key)), "")
    path = str(filesystem.unstrip_protocol(name)).removeprefix("file://")
    is_file = info["type"] == "file" or bool(filesystem.isfile(name))  # fsspec lists links as "other"
    return Stored(path, relative, int(info["size"]), modified, is_file)


def stated(path: str) -> str:
    """Return ``Stored.stamp`` of a file as it is now; "" if it is gone.

    Raises:
        InputError: if storage cannot be reached.
    """
    filesystem, inside = locate(path)
    with reached(path):
        try:
            return _stored(filesystem, inside, "", filesystem.info(inside)).stamp
        except FileNotFoundError:
            return ""


def ends_digest(path: str, size_bytes: int) -> str:
    """Return a sha256 over the first and last 64 KiB of a file."""
    return beginning_and_ends(path, size_bytes)[1]


def beginning_and_ends(path: str, size_bytes: int) -> tuple[bytes, str]:
    """Return the first 64 KiB of a file, and a sha256 over these and the last."""
    digest = hashlib.sha256()
    with reached(path), open_binary(path) as stream:
        beginning = stream.read(ENDS_BYTES)
        digest.update(beginning)
        if size_bytes > ENDS_BYTES:
            stream.seek(max(ENDS_BYTES, size_bytes - ENDS_BYTES))
            digest.update(stream.read(ENDS_BYTES))
    return beginning, digest.hexdigest()

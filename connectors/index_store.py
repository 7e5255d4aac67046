"""An index on disk: a header that names immutable files, replaced in one step.

    INDEX/index.json        the header: format, what the index is, its files with sizes and checksums
    INDEX/batch-00000/...   what a batch brought: its rows, their band keys, and the parts of filters that got keys
    INDEX/lock              held by the one process that adds

Whoever adds writes new files beside the old ones and then replaces the header. Killed at any moment, it leaves the old
index, and files that no header names, which the next one removes. Readers need no lock: the files of the header that
they read stay until the second update after it.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..hashing.errors import ArtefactError, ConfigError
from .unfinished import UNFINISHED

FORMAT = "tamis-index"
FORMAT_VERSION = 1
HEADER, LOCK = "index.json", "lock"
_OURS = re.compile(r"batch-\d{5}|\.batch-\d{5}\.unfinished")
"""Folders that an index makes, and may remove again."""

Header = dict[str, Any]
FileLine = dict[str, Any]


class IndexStore:
    """The files of an index.

    Args:
        path: its folder, on a disk that all processes which use it share.
    """

    def __init__(self, path: str) -> None:
        if "://" in path:
            raise ConfigError(
                "an index is on a disk", value=path, remedy="Copy it to a folder; filters are mapped into memory."
            )
        self.path = Path(path).expanduser()

    @property
    def exists(self) -> bool:
        """Whether there is an index."""
        return (self.path / HEADER).exists()

    def header(self) -> Header:
        """Return the header.

        Raises:
            ArtefactError: if there is no index here, or one of another format or version, or it is damaged.
        """
        place = self.path / HEADER
        try:
            text = place.read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            raise ArtefactError(
                "an index has a header", value=f"no {place}", remedy="Make one: tamis index build ... --out INDEX"
            ) from None
        except OSError as error:
            raise _damaged(place, str(error.strerror)) from error
        except UnicodeDecodeError as error:
            raise _damaged(place, str(error)) from error
        try:
            header: Header = json.loads(text)
            found = header["format"], header["format_version"]
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise _damaged(place, f"{error!r}") from error
        if found != (FORMAT, FORMAT_VERSION):
            raise ArtefactError(
                f"an index is of format {FORMAT} version {FORMAT_VERSION}",
                value=f"{place}: {found[0]} version {found[1]}",
                remedy="Use the version of Tamis that wrote it, or build it again.",
            )
        if header.get("checksum") != _checksum(header):
            raise _damaged(place, "its checksum does not fit its text")
        return header

    def check(self, lines: Sequence[FileLine]) -> None:
        """Make sure that files are whole: their sizes, and every byte.

        Args:
            lines: of a header: name, size_bytes, sha256.

        Raises:
            ArtefactError: for the first that is not.
        """
        for line in lines:
            place = self.path / _plain(line["name"])
            size = place.stat().st_size if place.exists() else None
            if size != line["size_bytes"]:
                found = "is missing" if size is None else f"has {size} bytes instead of {line['size_bytes']}"
                raise _damaged(place, found)
        with ThreadPoolExecutor(4) as pool:
            for line, digest in zip(
                lines, pool.map(lambda line: digest_of(self.path / line["name"]), lines), strict=True
            ):
                if digest != line["sha256"]:
                    raise _damaged(self.path / line["name"], "its bytes are not those that were written")

    def check_new(self) -> None:
        """Make sure that an index can be made here.

        Raises:
            ConfigError: if there is something else.
        """
        if self.path.exists() and not self.path.is_dir():
            raise ConfigError("an index is a folder", value=self.path, remedy="Name another one.")
        strange = [entry.name for entry in self.path.iterdir()] if self.path.exists() else []
        strange = sorted(name for name in strange if name != LOCK and not _OURS.fullmatch(name))
        if strange and not self.exists:
            raise ConfigError(
                "a new index has a folder of its own",
                value=f"{self.path} holds {', '.join(strange[:3])}",
                remedy="Name a new or empty folder.",
            )

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the one that adds to the index.

        Raises:
            ArtefactError: if another process is.
            ConfigError: if the folder cannot be written, or is not one of an index.
        """
        self.check_new()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            opened = open(self.path / LOCK, "w")  # noqa: SIM115  closed below
        except OSError as error:
            raise ConfigError(
                "the index can be written", value=f"{self.path}: {error.strerror}", remedy="Choose another folder."
            ) from error
        with opened as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ArtefactError(
                    "one process at a time adds to an index", value=f"{self.path} is in use", remedy="Wait for it."
                ) from None
            yield

    @contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        """Give a new folder to write files in; it gets its name when all are written."""
        folder = self.path / f".{name}{UNFINISHED}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        yield folder
        for written in folder.rglob("*"):
            _sync(written)
        _sync(folder)
        shutil.rmtree(self.path / name, ignore_errors=True)
        folder.rename(self.path / name)

    def commit(self, header: Header) -> None:
        """Replace the header, and with it the index, in one step; then drop what the last two headers do not name."""
        before = self.header() if self.exists else None
        whole = {"format": FORMAT, "format_version": FORMAT_VERSION, **header}
        whole["checksum"] = _checksum(whole)
        temporary = self.path / f".{HEADER}{UNFINISHED}"
        with open(temporary, "w", encoding="utf-8") as stream:
            json.dump(whole, stream, ensure_ascii=False, indent=1)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.rename(self.path / HEADER)
        _sync(self.path)
        self._sweep([whole, *([before] if before else [])])

    def _sweep(self, headers: Sequence[Header]) -> None:
        """Remove files of batches that no header names; nothing else in the folder is ours."""
        named = {_plain(line["name"]) for header in headers for line in header["contents"]}
        for folder in self.path.iterdir():
            if not _OURS.fullmatch(folder.name) or not folder.is_dir():
                continue
            if folder.name.endswith(UNFINISHED):
                shutil.rmtree(folder, ignore_errors=True)
                continue
            files = [entry for entry in folder.rglob("*") if entry.is_file()]
            for entry in files:
                if str(entry.relative_to(self.path)) not in named:
                    entry.unlink()
            if not any(str(entry.relative_to(self.path)) in named for entry in files):
                shutil.rmtree(folder, ignore_errors=True)


def file_line(place: Path, name: str, **facts: object) -> FileLine:
    """Return the line of a file for a header; ``name`` is its path inside the index."""
    return {"name": name, "size_bytes": place.stat().st_size, "sha256": digest_of(place), **facts}


def digest_of(place: Path) -> str:
    """Return the sha256 of a file."""
    with open(place, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _checksum(header: Header) -> str:
    plain = {key: value for key, value in header.items() if key != "checksum"}
    return hashlib.sha256(json.dumps(plain, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _plain(name: str) -> str:
    """Return the name of a file of an index, which must not lead out of it."""
    if name.startswith("/") or any(part in ("", ".", "..") for part in name.split("/")):
        raise ArtefactError(
            "files of an index are inside it", value=name, remedy="Do not trust this index; build it again."
        )
    return name


def _damaged(place: Path, why: str) -> ArtefactError:
    return ArtefactError("an index is whole", value=f"{place}: {why}", remedy="Restore it, or build it again.")


def _sync(place: Path) -> None:
    """Have what was written on the disk before the header names it."""
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

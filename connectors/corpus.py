"""A corpus: the input files of a run in order, their schema, their splits, and the one way to read them."""

import fnmatch
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa

from ..hashing.errors import ConfigError, InputError
from ..hashing.redaction import redacted
from .address import MAX_FILES
from .arrow_files import ARROW
from .batches import rebatch
from .compression import compression_of, ending_of
from .delimited import CSV
from .formats import Format, InputFile
from .jsonl import JSONL
from .parquet import PARQUET
from .saved_dataset import files_without_records
from .split import Split
from .storage import GLOB, Stored, beginning_and_ends, ends_digest, exists, is_folder, is_local, list_files
from .text_folder import TEXT
from .warc import WARC

FORMATS: dict[str, Format] = {known.name: known for known in (PARQUET, JSONL, CSV, ARROW, WARC, TEXT)}
_ENDINGS = {ending: known for known in FORMATS.values() for ending in known.endings}


@dataclass(frozen=True)
class InputSpec:
    """One input argument.

    Attributes:
        path: file, folder, glob or URL.
        format: one of ``FORMATS``, or None to go by the ending.
        source: name of the source for records without a source column; default: the argument's own name.
        include, exclude: glob patterns on the path relative to a folder.
    """

    path: str
    format: str | None = None
    source: str | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The source name that its records get when nothing else names one."""
        plain = redacted(self.path).partition("?")[0] if "://" in self.path else self.path
        return self.source or plain.rstrip("/").rpartition("/")[2] or plain


@dataclass(frozen=True)
class Corpus:
    """The inputs of one run.

    Attributes:
        files: in address order.
        ignored: paths found through folders and globs that are not read, for the report: hidden, excluded, of no known
            format, or links to folders.
        unread: those of them that nobody asked to leave out: neither hidden nor excluded.
    """

    files: tuple[InputFile, ...]
    ignored: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """A digest of paths, sizes, times and both ends' bytes of all files (of remote text folders: not the bytes)."""
        digest = hashlib.sha256()
        for file in self.files:
            digest.update(f"{file.relative}\0{file.fingerprint}\n".encode())
        return digest.hexdigest()

    @property
    def size_bytes(self) -> int:
        """Bytes of all files as stored."""
        return sum(file.size_bytes for file in self.files)


def open_corpus(
    inputs: Sequence[InputSpec],
    *,
    ends: bool = True,
    foreign: Callable[[str], bool] | None = None,
    listed: Sequence[Stored] | None = None,
) -> Corpus:
    """List the files of input arguments, in order of (argument, bytes of the relative path).

    Args:
        inputs: the arguments.
        ends: whether the ends of files enter their fingerprints, for which they are read; a compressed file that does
            not say so is then refused.
        foreign: whether a path, relative to its argument, is somebody else's: such files are neither read nor named as
            ignored, and an argument may hold no others.
        listed: the files of the one argument, where they were listed before.

    Raises:
        InputError: if an argument names nothing, or nothing that a reader understands.
    """
    files: list[InputFile] = []
    ignored: list[str] = []
    unread: list[str] = []
    for spec in inputs:
        before, skipped = len(files), len(ignored)
        for file in _files(spec, ignored, unread, ends, foreign, listed):
            files.append(file(len(files)))
        if len(files) == before and foreign is None:
            raise InputError(
                "an input holds files of a known format (or is read with `format: text`)",
                value=f"{spec.path} with {', '.join(ignored[skipped:][:3]) or 'no file'}",
                remedy="Check the path, or name its `format`.",
            )
    if len(files) > MAX_FILES:
        raise InputError(f"a run reads at most {MAX_FILES} files", value=len(files), remedy="Merge small files.")
    return Corpus(tuple(files), tuple(ignored), tuple(unread))


def _files(
    spec: InputSpec,
    ignored: list[str],
    unread: list[str],
    ends: bool,
    foreign: Callable[[str], bool] | None,
    listed: Sequence[Stored] | None,
) -> Iterator[Callable[[int], InputFile]]:
    """Yield, for each file of an argument, the function that makes it from its ordinal; note the others."""
    if spec.format is not None and spec.format not in FORMATS:
        raise ConfigError("a format is one of " + ", ".join(FORMATS), value=spec.format, remedy="Change `format`.")
    if not exists(spec.path) and not any(c in spec.path for c in GLOB):
        raise InputError("an input exists", value=spec.path, remedy="Check the path.")
    in_folder = is_folder(spec.path)
    if spec.format == "text":
        if not in_folder:
            raise InputError("a text input is a folder", value=spec.path, remedy="Name the folder and use `include`.")
        members = _texts(spec, ignored, unread)
        if members:
            yield partial(_text_folder, spec=spec, members=members)
        return
    every = list_files(spec.path) if listed is None else listed
    found = [stored for stored in every if foreign is None or not foreign(stored.relative)]
    others = files_without_records(found, partial(_is_chosen, spec=spec)) if in_folder else set()
    for stored in found:
        kind = spec.format or _format_of(stored.relative)
        hidden = in_folder and (kind is None or stored.path in others or not _is_chosen(stored, spec))
        if hidden or not stored.is_file:
            ignored.append(stored.path)
            if _is_chosen(stored, spec) and stored.path not in others:
                unread.append(stored.path)
        elif kind is None:
            raise InputError(
                f"a file's ending names its format ({_known_endings()})",
                value=stored.path,
                remedy="Name its `format`.",
            )
        else:
            _check_name(stored)
            yield partial(_file, stored=stored, kind=kind, source=spec.name, ends=ends)


def _texts(spec: InputSpec, ignored: list[str], unread: list[str]) -> tuple[Stored, ...]:
    """Return the files of a text folder, and note the others."""
    found = list(list_files(spec.path))
    chosen = [text for text in found if not _is_hidden(text.relative, ".") and _wanted(text.relative, spec)]
    members = tuple(text for text in chosen if text.is_file)
    ignored += sorted({text.path for text in found} - {text.path for text in members})
    unread += [text.path for text in chosen if not text.is_file]
    for member in members:
        _check_name(member)
    return members


def _is_chosen(stored: Stored, spec: InputSpec) -> bool:
    return not _is_hidden(stored.relative, "._") and _wanted(stored.relative, spec)


def _known_endings() -> str:
    plain = ", ".join(f".{known.endings[0]}" for known in FORMATS.values() if known.endings)
    return f"{plain}; compressed: .gz, .zst, .bz2, .xz"


def _is_hidden(relative: str, marks: str) -> bool:
    return any(part.startswith(tuple(marks)) for part in relative.split("/"))


def _check_name(stored: Stored) -> None:
    try:
        stored.path.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(
            "the names of input files are UTF-8", value=ascii(stored.path), remedy="Rename the file, or exclude it."
        ) from error


def _wanted(relative: str, spec: InputSpec) -> bool:
    included = not spec.include or any(_matches(relative, pattern) for pattern in spec.include)
    return included and not any(_matches(relative, pattern) for pattern in spec.exclude)


def _matches(relative: str, pattern: str) -> bool:
    """Match a path against a glob; ``**/`` stands for any folders, none included, and ``*`` matches ``/`` too."""
    return any(fnmatch.fnmatchcase(relative, variant) for variant in _variants(pattern))


def _variants(pattern: str) -> list[str]:
    head, found, tail = pattern.partition("**/")
    return [head + folders + rest for rest in _variants(tail) for folders in ("*/", "")] if found else [pattern]


def _format_of(name: str) -> str | None:
    compressed = bool(compression_of(name))
    stem = name.rpartition(".")[0] if compressed else name
    _, dot, ending = stem.rpartition(".")
    found = _ENDINGS.get(ending.lower()) if dot else None
    return found.name if found and (found.compressible or not compressed) else None


def _file(ordinal: int, stored: Stored, kind: str, source: str, ends: bool) -> InputFile:
    compression = compression_of(stored.path) if FORMATS[kind].compressible else ""
    fingerprint = stored.stamp
    if ends:
        beginning, digest = beginning_and_ends(stored.path, stored.size_bytes)
        if FORMATS[kind].compressible and not compression:
            _check_beginning(stored.path, beginning)
        fingerprint += f" {digest}"
    return InputFile(ordinal, stored.path, stored.relative, kind, compression, source, stored.size_bytes, fingerprint)


def _check_beginning(path: str, beginning: bytes) -> None:
    """Refuse a file that is compressed and does not say so: all its lines would be set aside as no text."""
    ending = ending_of(beginning)
    if ending:
        raise InputError(
            "a compressed file's ending names its compression",
            value=f"{path} begins as .{ending} files do",
            remedy=f"Rename it to end in .{ending}, or decompress it.",
        )


def _text_folder(ordinal: int, spec: InputSpec, members: tuple[Stored, ...]) -> InputFile:
    digest = hashlib.sha256()
    for m in members:
        ends = ends_digest(m.path, m.size_bytes) if is_local(m.path) else ""
        digest.update(f"{m.relative}\0{m.size_bytes} {m.modified} {ends}\n".encode())
    size = sum(m.size_bytes for m in members)
    root = members[0].path[: -len(members[0].relative)].rstrip("/")
    return InputFile(ordinal, root, spec.name, "text", "", spec.name, size, digest.hexdigest(), members)


def plan_splits(file: InputFile, *, split_bytes: int) -> list[Split]:
    """Return the splits of a file, in address order."""
    return list(FORMATS[file.format].plan(file, split_bytes))


def split_schema(split: Split, *, batch_bytes: int) -> pa.Schema:
    """Return the columns of a split: from the footer, by parsing every line, or fixed."""
    return FORMATS[split.format].schema(split, batch_bytes)


def read_split(
    split: Split, columns: pa.Schema, *, full: pa.Schema, batch_bytes: int, batch_rows: int | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield the records of a split in address order, in the reading schema of ``columns``.

    Args:
        split: what to read.
        columns: the columns to yield, absent ones null.
        full: all columns of the corpus.
        batch_bytes: about how many bytes a batch holds.
        batch_rows: at most how many rows, where that matters.
    """
    batches = FORMATS[split.format].read(split, columns, full=full, batch_bytes=batch_bytes)
    for batch in batches:
        yield from rebatch(batch, batch_rows or max(1, batch.num_rows))
